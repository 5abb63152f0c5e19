"""Words that people type: descriptions of faces, and settings."""

import random
from pathlib import Path

from campaign.observe import Action, WrongResultError
from twobirds.apps.options import attribute_changes, split_assignments
from twobirds.apps.overrides import override, setting_names
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.language.description import understand
from twobirds.recipes.registry import PRESETS

_WORDS = (
    "a", "man", "woman", "with", "without", "no", "not", "hardly", "any", "blond", "hair", "beard",
    "glasses", "instead", "of", "take", "off", "the", "and", ",", ".", "in", "his", "20", "9" * 99,
    "older", "less", "very", "é", "\u202e", "\0", "\x1b[2J", "{}", "%s", "<script>", "'", '"', "👓",
    "a" * 3_000,
)  # fmt: skip
_VALUES = (
    "1", "0", "-1", "nan", "inf", "1e999", "9" * 5_000, "[" * 5_000, "null", "{}", "", "=", "٣",
)  # fmt: skip


def description(rng: random.Random, folder: Path) -> Action:
    """A description of any words: values in [0, 1] for attributes that there are."""
    count = rng.choice((0, 1, 5, 20, 300))
    text = rng.choice((" ", " ", "", "\n")).join(rng.choice(_WORDS) for _ in range(count))

    def act() -> str:
        understood = understand(text, CELEBA_ATTRIBUTES)
        for name, value in understood.attributes.items():
            if name not in CELEBA_ATTRIBUTES or not 0 <= value <= 1:
                raise WrongResultError(f"{name} is {value}")
        return "done"

    return act


def setting(rng: random.Random, folder: Path) -> Action:
    """Settings and changes with odd values."""
    preset = PRESETS[rng.choice(list(PRESETS))]
    names = rng.sample(setting_names(preset), 2)
    words = [f"{name}{rng.choice('==== ')}{rng.choice(_VALUES)}" for name in names]
    changes = [f"Male={rng.choice(_VALUES)}"]

    def act() -> str:
        if rng.random() < 0.3:
            attribute_changes([changes])
        override(preset, split_assignments([words]))
        return "done"

    return act


WORDS = {"description": description, "setting": setting}

"""The option `--describe`: English words, and what is said of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from twobirds.apps.display import note
from twobirds.data.attributes import overruled, overruled_names
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.language.description import Understanding


def described_attributes(
    text: str,
    names: Sequence[str],
    understand: "Callable[[str, Sequence[str]], Understanding]",
    hint: str,
) -> dict[str, float]:
    """Attributes of a description; says on stderr what was understood, and what was not.

    Args:
        text: English words.
        names: The attributes that the model knows.
        understand: Parses them.
        hint: What was expected, and words to try.

    Raises:
        InputError: If nothing was understood.
    """
    understanding = understand(text, names)
    tell_understanding(understanding)
    if not understanding.attributes:
        raise InputError(f"--describe {text!r}: {hint}")
    return understanding.attributes


def overrule(
    values: Mapping[str, float], later: Mapping[str, float], option: str
) -> dict[str, float]:
    """Values with those of a later option; says on stderr which these overrule."""
    if names := overruled_names(values, later):
        note(f"overruled by {option}: {', '.join(names)}")
    return overruled(values, later)


def tell_understanding(understanding: "Understanding") -> None:
    """Say on stderr what was understood, and what was not."""
    for title, words in (
        ("understood", [f"{said}: {meaning}" for said, meaning in understanding.understood]),
        ("not understood", understanding.ignored),
        ("not known to the model", understanding.unavailable),
    ):
        if words:
            note(f"{title}: {'; '.join(words)}")

"""Upgrades configurations that version 0.1 wrote.

In that version (format 1) every run had the settings of the paper's recipe, in the sections
`model`, `loss` and `train`; `cycle` held what only CycleGAN had, and `modern` what the recipe had
that bore this name then and is no longer there.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from twobirds.errors import InputError

T = TypeVar("T")
FORMAT = 2
"""Format of checkpoints and model folders that this version writes."""
_OLD_FORMAT = 1
_OLD_SECTIONS = frozenset({"model", "loss", "cycle", "modern"})
_DATA = ("size", "attributes", "landmarks")
_TRAIN = (
    "batch_size", "images", "learning_rate", "betas", "flip", "seed", "log_every_images",
    "sample_every_images", "checkpoint_every_seconds",
)  # fmt: skip
_REMOVED = (
    "{where}: is of the recipe that was called modern before version 0.2, which is no longer "
    "there: train preset modern anew, or take the model celeba128"
)
_REMOVED_SETTINGS = frozenset({"game", "has_mask", "has_pca"})
"""Settings that the removed recipe alone had."""
_RECIPE_NAMES = {"layered": "modern"}
"""Names of recipes, and of their presets, while version 0.2 was made; and today's."""
_DEFAULTS_BEFORE = {"recognizer_enlargement": 1.0}
"""What recipe modern did before it had these settings."""
_ALWAYS_SAVED = frozenset({"width", "num_latents", "edited_share", "ema_half_life_images"})
"""Settings of recipe modern that files of runs and models have, and files by hand hardly all."""
_WEIGHTS = {
    name: f"{name}_weight" for name in ("adversarial", "label", "perceptual", "pixel", "latent")
}
_PAPER = (
    "width", "num_latents", "num_shared", "num_attribute_hidden", "discriminator_norm",
    "adversarial_form", "label_fakes", "perceptual_norm", "pixel_norm", "latent_norm",
    "feature_source", "stage1_share", "balance_ratio", "max_updates", "edited_share",
    "ema_half_life_images",
)  # fmt: skip
_BASELINES = {
    "cgan": ("width", "num_latents"),
    "dcgan": ("width", "num_latents"),
    "cnn": ("width", "num_shared"),
    "recognizer": ("width",),
    "resnet": (),
}


def require_format(found: Any, where: str) -> None:
    """Refuse a file of a format that this version does not know.

    Raises:
        InputError: If it is neither of the old format nor of today's.
    """
    if found not in (_OLD_FORMAT, FORMAT):
        raise InputError(f"{where}: has format {found!r}, not {FORMAT}")


def upgrade_config(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The configuration of a run in today's format; one that is in it already is left alone.

    Raises:
        InputError: If a section is no object, or the recipe is no longer there.
    """
    if "recipe" in values or not _OLD_SECTIONS & set(values):
        return _upgrade_recipe(values, where)
    if values.get("modern") is not None:
        raise InputError(_REMOVED.format(where=where))
    sections = {name: values.get(name) or {} for name in ("model", "loss", "train")}
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise InputError(f"{where}.{name} must be an object, not {type(section).__name__}")
    old = {**sections["model"], **sections["train"], **sections["loss"]}
    cycle = values.get("cycle")
    if cycle is not None:
        renamed = {"cycle": "cycle_weight", "identity": "identity_weight"}
        recipe = {"name": "cyclegan", **_renamed(cycle, renamed)}
    elif (preset := str(values.get("preset"))) in _BASELINES:
        recipe = {"name": preset, **_picked(old, _BASELINES[preset])}
        if "num_shared" in recipe:
            recipe["num_hidden"] = recipe.pop("num_shared")
    else:
        recipe = {"name": "paper", **_picked(old, _PAPER)}
        recipe |= _renamed(_picked(old, _WEIGHTS), _WEIGHTS)
    data = _picked(old, _DATA)
    train = _picked(old, _TRAIN)
    return {"preset": values.get("preset"), "recipe": recipe, "data": data, "train": train}


def require_todays_layers(recipe: str, generator: Collection[str], where: str) -> None:
    """Refuse weights of recipe `modern` from before its encoder was given the attributes.

    Args:
        recipe: Name of the recipe.
        generator: Names of the generator's weights.
        where: What to call the file in messages.

    Raises:
        InputError: If they are of then.
    """
    if recipe == "modern" and "base_features.weight" in generator:
        raise InputError(
            f"{where}: is of recipe modern before its encoder was given the attributes, and does "
            "not fit today's networks: train preset modern anew, or take the model celeba128"
        )


def _upgrade_recipe(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A configuration in today's format, with today's names of recipe and preset."""
    recipe, preset = values.get("recipe"), values.get("preset")
    if not isinstance(recipe, dict):
        return dict(values)
    name = recipe.get("name")
    if name == "modern" and _REMOVED_SETTINGS & set(recipe):
        raise InputError(_REMOVED.format(where=where))
    if isinstance(name, str) and name in _RECIPE_NAMES:
        recipe = {**recipe, "name": _RECIPE_NAMES[name]}
        preset = _RECIPE_NAMES[name] if preset == name else preset
    if recipe.get("name") == "modern" and set(recipe) >= _ALWAYS_SAVED:
        recipe = _DEFAULTS_BEFORE | recipe
    return {**values, "preset": preset, "recipe": recipe}


def _picked(values: Mapping[str, T], names: Any) -> dict[str, T]:
    return {name: values[name] for name in names if name in values}


def _renamed(values: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(name, name): value for name, value in values.items()}

"""All recipes by name: the one module through which the layers below reach a recipe (ADR 24).

Loading a model, resuming a run and parsing a configuration need the recipe that they name. This
module and what it imports at once are light: configurations and presets, without PyTorch.
"""

from collections.abc import Mapping
from typing import Any

from twobirds.config import DataConfig, RunConfig, TrainConfig, from_dict
from twobirds.config.checks import require
from twobirds.errors import InputError
from twobirds.recipes.baselines.recipe import BASELINES
from twobirds.recipes.contract import Recipe
from twobirds.recipes.modern.recipe import ModernRecipe
from twobirds.recipes.paper.recipe import PaperRecipe
from twobirds.recipes.upgrade import upgrade_config

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (PaperRecipe(), ModernRecipe(), *BASELINES)
}
"""The recipes by name."""
PRESETS: Mapping[str, RunConfig] = {
    config.preset: config for recipe in RECIPES.values() for config in recipe.presets
}
"""The named configurations of all recipes."""
_SECTIONS = ("preset", "recipe", "data", "train")


def recipe_of(config: RunConfig) -> Recipe:
    """The recipe that a run is of."""
    return RECIPES[config.recipe.name]


def parse_run(values: Any, where: str = "config") -> RunConfig:
    """Build the configuration of a run from `to_dict`'s output, as loaded from JSON.

    Configurations of older versions are upgraded.

    Args:
        values: Parsed JSON.
        where: What to call the source in errors.

    Raises:
        InputError: If the recipe or a field is unknown, a field has the wrong type, or a value is
            out of range.
    """
    require(isinstance(values, dict), f"{where} must be an object, not {type(values).__name__}")
    values = upgrade_config(values, where)
    unknown = sorted(str(name) for name in set(values) - set(_SECTIONS))
    require(not unknown, f"{where} has unknown fields: {', '.join(unknown)}")
    preset, settings = values.get("preset"), values.get("recipe")
    require(isinstance(preset, str), f"{where}.preset must be of type str, not {preset!r}")
    require(isinstance(settings, dict), f"{where}.recipe must be an object with the recipe's name")
    name = settings.get("name")
    recipe = RECIPES.get(name) if isinstance(name, str) else None
    if recipe is None:
        raise InputError(f"{where}.recipe has no name of a recipe ({', '.join(RECIPES)}): {name!r}")
    return RunConfig(
        preset=preset,
        recipe=from_dict(recipe.config_type, settings, f"{where}.recipe (recipe {name})"),
        data=from_dict(DataConfig, values.get("data", {}), f"{where}.data"),
        train=from_dict(TrainConfig, values.get("train", {}), f"{where}.train"),
    )

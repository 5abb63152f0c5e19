"""Configurations: defaults of the paper, validation, and the way through JSON."""

import dataclasses
import json
import math
from typing import Any

import pytest

from twobirds.config import DataConfig, RunConfig, TrainConfig, to_dict
from twobirds.errors import InputError
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import PAPER
from twobirds.recipes.registry import PRESETS, parse_run


def test_paper_preset_has_the_papers_settings() -> None:
    paper = PAPER.recipe
    assert isinstance(paper, PaperConfig)
    assert (PAPER.data.size, paper.width) == (128, 1.0)
    assert (paper.num_latents, paper.num_shared, paper.num_attribute_hidden) == (100, 1024, 128)
    assert (paper.perceptual_weight, paper.pixel_weight, paper.latent_weight) == (2.0, 0.5, 1.0)
    assert (PAPER.train.learning_rate, PAPER.train.betas) == (2e-4, (0.5, 0.999))
    assert PAPER.train.images == 50 * 185_000
    assert paper.ema_half_life_images == 0


def test_presets_are_found_by_their_own_names() -> None:
    assert all(name == config.preset for name, config in PRESETS.items())


def test_defaults_are_those_of_the_first_preset() -> None:
    assert PRESETS["paper"].recipe == PaperConfig()
    assert PRESETS["modern"].recipe == ModernConfig()


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip_is_exact(name: str) -> None:
    data = dataclasses.replace(
        PRESETS[name].data, attributes=("Bald", "Male"), landmarks=((0.1, 1 / 3),) * 5
    )
    config = dataclasses.replace(PRESETS[name], data=data)
    assert parse_run(json.loads(json.dumps(to_dict(config)))) == config


def test_parsing_fills_what_is_left_out_and_turns_whole_numbers_into_floats() -> None:
    config = parse_run({"preset": "p", "recipe": {"name": "paper", "pixel_weight": 3}})
    assert config == RunConfig("p", PaperConfig(pixel_weight=3.0))
    assert isinstance(config.recipe, PaperConfig)
    assert isinstance(config.recipe.pixel_weight, float)


def run_with(**sections: Any) -> dict[str, Any]:
    recipe = {"name": "paper"} | sections.pop("recipe", {})
    return {"preset": "p", "recipe": recipe, **sections}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "config must be an object, not list"),
        ({}, "config.preset must be of type str, not None"),
        ({"preset": 1}, "config.preset must be of type str"),
        ({"preset": "p"}, "config.recipe must be an object with the recipe's name"),
        (
            run_with(recipe={"name": "nobody's"}),
            r"no name of a recipe \(paper, modern, cgan, ",
        ),
        (run_with(recipe={"name": ["paper"]}), "no name of a recipe"),
        (run_with(recipe={"name": "cyclegan"}), "is incomplete or malformed"),
        (run_with(colour=1) | {2: 3}, "config has unknown fields: 2, colour"),
        (run_with(data={"size": 64.0}), "config.data.size must be of type int"),
        (run_with(data={"size": True}), "config.data.size must be of type int"),
        (run_with(data={"size": 48}), "size must be 32, 64 or 128, not 48"),
        (run_with(data={"attributes": "Bald"}), "attributes must be a list"),
        (run_with(data={"attributes": ["Bald", 3]}), r"attributes\[1\] must be of type"),
        (run_with(data={"landmarks": [[0, 0]]}), "landmarks must be five"),
        (run_with(data={"landmarks": [[0, 0, 0]] * 5}), "must have 2 entries"),
        (run_with(recipe={"pixel_norm": "l3"}), "pixel_norm must be one of"),
        (run_with(recipe={"pixel_weight": 10**400}), "malformed"),
        (run_with(recipe={"label_fakes": 1}), "label_fakes must be of type bool"),
        (run_with(train={"betas": [0.5]}), "betas must have 2 entries"),
    ],
)
def test_parsing_names_what_is_wrong(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_run(values)


@pytest.mark.parametrize(
    ("cls", "field", "value"),
    [
        (PaperConfig, "width", 0.0),
        (PaperConfig, "width", math.nan),
        (PaperConfig, "width", 5.0),
        (PaperConfig, "num_latents", 0),
        (PaperConfig, "num_shared", 0),
        (PaperConfig, "num_attribute_hidden", -1),
        (PaperConfig, "perceptual_weight", -0.1),
        (PaperConfig, "label_weight", math.inf),
        (TrainConfig, "batch_size", 1),
        (TrainConfig, "images", 0),
        (TrainConfig, "log_every_images", 0),
        (TrainConfig, "sample_every_images", -5),
        (PaperConfig, "stage1_share", 1.1),
        (TrainConfig, "learning_rate", 0.0),
        (TrainConfig, "learning_rate", math.nan),
        (TrainConfig, "betas", (0.5, 1.0)),
        (TrainConfig, "betas", (-0.1, 0.9)),
        (PaperConfig, "balance_ratio", 1.0),
        (PaperConfig, "max_updates", 0),
        (PaperConfig, "ema_half_life_images", -1),
    ],
)
def test_values_out_of_range_are_refused_by_name(cls: Any, field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        cls(**{field: value})


def test_attribute_names_must_be_distinct() -> None:
    assert DataConfig(attributes=("Bald", "Male")).num_attributes == 2
    with pytest.raises(InputError, match="attribute names must be distinct"):
        DataConfig(attributes=("Bald", "Bald"))


def test_stage1_keeps_its_length_when_the_run_changes_its_own() -> None:
    recipe = PaperConfig(stage1_share=0.25)
    config = RunConfig("p", recipe, train=TrainConfig(images=1_000))
    longer = config.with_images(4_000)
    assert (longer.train.images, longer.recipe) == (
        4_000,
        dataclasses.replace(recipe, stage1_share=1 / 16),
    )
    shorter: Any = config.with_images(100).recipe
    assert shorter.stage1_share == 1.0

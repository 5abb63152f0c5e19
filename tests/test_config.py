"""Configurations: defaults of the paper, validation, and the way through JSON."""

import dataclasses
import json
import math
from typing import Any

import pytest

from twobirds.config import (
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    from_dict,
    to_dict,
)
from twobirds.errors import InputError
from twobirds.presets import PAPER, PRESETS


def test_paper_preset_has_the_papers_settings() -> None:
    assert (PAPER.model.size, PAPER.model.width) == (128, 1.0)
    assert (PAPER.model.num_latents, PAPER.model.num_shared) == (100, 1024)
    assert PAPER.model.num_attribute_hidden == 128
    assert (PAPER.loss.perceptual, PAPER.loss.pixel, PAPER.loss.latent) == (2.0, 0.5, 1.0)
    assert (PAPER.train.learning_rate, PAPER.train.betas) == (2e-4, (0.5, 0.999))
    assert PAPER.train.images == 50 * 185_000
    assert PAPER.train.ema_half_life_images == 0


def test_presets_are_found_by_their_own_names() -> None:
    assert all(name == config.preset for name, config in PRESETS.items())


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip_is_exact(name: str) -> None:
    model = dataclasses.replace(
        PRESETS[name].model, attributes=("Bald", "Male"), landmarks=((0.1, 1 / 3),) * 5
    )
    config = dataclasses.replace(PRESETS[name], model=model)
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_from_dict_fills_what_is_left_out_and_turns_whole_numbers_into_floats() -> None:
    config = from_dict(RunConfig, {"preset": "p", "loss": {"pixel": 3}})
    assert config == RunConfig("p", loss=LossConfig(pixel=3.0))
    assert isinstance(config.loss.pixel, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "config must be an object, not list"),
        ({}, "config is incomplete or malformed"),
        ({"preset": 1}, "config.preset must be of type str"),
        ({"preset": "p", "colour": 1, 2: 3}, "config has unknown fields: 2, colour"),
        ({"preset": "p", "model": {"size": 64.0}}, "config.model.size must be of type int"),
        ({"preset": "p", "model": {"size": True}}, "config.model.size must be of type int"),
        ({"preset": "p", "model": {"size": 48}}, "size must be 32, 64 or 128, not 48"),
        ({"preset": "p", "model": {"attributes": "Bald"}}, "attributes must be a list"),
        ({"preset": "p", "model": {"attributes": ["Bald", 3]}}, r"attributes\[1\] must be of type"),
        ({"preset": "p", "model": {"landmarks": [[0, 0]]}}, "landmarks must be five"),
        ({"preset": "p", "model": {"landmarks": [[0, 0, 0]] * 5}}, "must have 2 entries"),
        ({"preset": "p", "loss": {"pixel_norm": "l3"}}, "pixel_norm must be one of"),
        ({"preset": "p", "loss": {"pixel": 10**400}}, "malformed"),
        ({"preset": "p", "loss": {"label_fakes": 1}}, "label_fakes must be of type bool"),
        ({"preset": "p", "train": {"betas": [0.5]}}, "betas must have 2 entries"),
    ],
)
def test_from_dict_names_what_is_wrong(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_dict(RunConfig, values)


@pytest.mark.parametrize(
    ("cls", "field", "value"),
    [
        (ModelConfig, "width", 0.0),
        (ModelConfig, "width", math.nan),
        (ModelConfig, "width", 5.0),
        (ModelConfig, "num_latents", 0),
        (ModelConfig, "num_shared", 0),
        (ModelConfig, "num_attribute_hidden", -1),
        (LossConfig, "perceptual", -0.1),
        (LossConfig, "label", math.inf),
        (TrainConfig, "batch_size", 1),
        (TrainConfig, "images", 0),
        (TrainConfig, "log_every_images", 0),
        (TrainConfig, "sample_every_images", -5),
        (TrainConfig, "stage1_share", 1.1),
        (TrainConfig, "learning_rate", 0.0),
        (TrainConfig, "learning_rate", math.nan),
        (TrainConfig, "betas", (0.5, 1.0)),
        (TrainConfig, "betas", (-0.1, 0.9)),
        (TrainConfig, "balance_ratio", 1.0),
        (TrainConfig, "max_updates", 0),
        (TrainConfig, "ema_half_life_images", -1),
    ],
)
def test_values_out_of_range_are_refused_by_name(cls: Any, field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        cls(**{field: value})


def test_attribute_names_must_be_distinct() -> None:
    assert ModelConfig(attributes=("Bald", "Male")).num_attributes == 2
    with pytest.raises(InputError, match="attribute names must be distinct"):
        ModelConfig(attributes=("Bald", "Bald"))


def test_stage1_images_is_the_share_of_the_images() -> None:
    assert TrainConfig(images=1_000, stage1_share=0.25).stage1_images == 250
    assert TrainConfig(images=1_000, stage1_share=0.0).stage1_images == 0

"""Recipes are found by name; each says what it is by the contract."""

import dataclasses

import pytest
import torch

from making_runs import ATTRIBUTES, CPU, modern_recipe, recipe
from twobirds.config import DataConfig, RunConfig
from twobirds.errors import InputError
from twobirds.models.networks import FaceNetworks
from twobirds.recipes.baselines.config import CycleGANConfig, ResNetConfig
from twobirds.recipes.registry import PRESETS, RECIPES, recipe_of

DATA = DataConfig(size=32, attributes=ATTRIBUTES)


def test_every_recipe_is_found_by_the_name_in_its_settings() -> None:
    baselines = ["cgan", "dcgan", "cyclegan", "cnn", "recognizer", "resnet"]
    names = ["paper", "modern", *baselines]
    assert list(RECIPES) == names
    for name, found in RECIPES.items():
        needed = {"attribute": "Bald"} if name == "cyclegan" else {}
        settings = found.config_type(**needed)
        assert found.name == settings.name == name
        assert dataclasses.is_dataclass(settings)
        assert recipe_of(RunConfig("test", settings)) is found


def test_presets_are_instances_of_their_recipes_settings() -> None:
    assert list(PRESETS) == ["paper", "tiny", "modern"]
    for config in PRESETS.values():
        assert isinstance(config.recipe, recipe_of(config).config_type)


@pytest.mark.parametrize("config", [recipe(), modern_recipe()])
def test_the_networks_of_a_model_do_the_four_tasks(config: RunConfig) -> None:
    config = dataclasses.replace(config, data=DATA)
    networks = recipe_of(config).build_networks(config).eval()
    assert isinstance(networks, FaceNetworks)
    assert networks.num_latents == 8
    images, attributes = torch.rand(2, 3, 32, 32) * 2 - 1, torch.zeros(2, len(ATTRIBUTES))
    with torch.no_grad():
        encoding = networks.encode(images)
        assert encoding.latents.shape == (2, 8)
        assert encoding.attribute_logits.shape == attributes.shape
        generated = networks.generate(encoding.latents, attributes)
        edited = networks.edit(images, encoding, attributes, 1 - attributes)
    assert generated.shape == edited.shape == images.shape
    features = networks.feature_network()
    assert (features is not None) == (config.recipe.name == "paper")


def test_networks_need_attributes() -> None:
    for config in (recipe(), modern_recipe()):
        with pytest.raises(InputError, match="names no attributes"):
            recipe_of(config).build_networks(config)


def test_a_baseline_is_no_model() -> None:
    config = RunConfig("test", ResNetConfig(), DATA)
    with pytest.raises(InputError, match="baseline resnet is no model of faces"):
        recipe_of(config).build_networks(config)


def test_a_feature_network_is_refused_where_there_is_no_use_for_it() -> None:
    for settings in (
        modern_recipe().recipe,
        ResNetConfig(),
        CycleGANConfig("Bald"),
    ):
        config = RunConfig("test", settings, DATA)
        with pytest.raises(InputError, match="feature"):
            recipe_of(config).build_objective(config, CPU, lambda images: [images])


def test_architectures_differ_by_what_shapes_the_networks() -> None:
    same = recipe(pixel_weight=3.0, stage1_share=0.1)
    assert same.recipe.architecture() == recipe().recipe.architecture()
    for changes in ({"width": 1 / 8}, {"num_latents": 9}, {"discriminator_norm": False}):
        assert recipe(**changes).recipe.architecture() != recipe().recipe.architecture()
    same = modern_recipe(pixel_weight=3.0, edited_share=0.5)
    assert same.recipe.architecture() == modern_recipe().recipe.architecture()
    for changes in ({"width": 1 / 4}, {"num_latents": 9}, {"recognizer_enlargement": 1.0}):
        assert (
            modern_recipe(**changes).recipe.architecture() != modern_recipe().recipe.architecture()
        )

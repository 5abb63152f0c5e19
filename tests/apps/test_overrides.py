import pytest

from twobirds.apps.overrides import override, setting_names
from twobirds.errors import InputError
from twobirds.recipes.modern.presets import MODERN
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import PAPER
from twobirds.recipes.registry import parse_run


def test_values_take_the_type_of_their_setting() -> None:
    changed = override(
        PAPER,
        [
            ("train.batch_size", "32"),
            ("train.learning_rate", "1e-4"),
            ("train.betas", "[0, 0.99]"),
            ("train.flip", "false"),
            ("recipe.pixel_weight", "10"),
            ("recipe.pixel_norm", "l2"),
            ("data.size", 64),
        ],
    )
    assert (changed.train.batch_size, changed.train.learning_rate) == (32, 1e-4)
    assert (changed.train.betas, changed.train.flip) == ((0.0, 0.99), False)
    assert changed.recipe == PaperConfig(pixel_weight=10.0, pixel_norm="l2")
    assert changed.data.size == 64
    assert (PAPER.train.batch_size, PAPER.data.size) == (64, 128)
    assert override(PAPER, []) == PAPER


def test_every_setting_has_a_name() -> None:
    names = setting_names(PAPER)
    assert {"recipe.width", "recipe.perceptual_weight", "train.images", "data.size"} <= set(names)
    facts = {"preset", "recipe.name", "data.attributes", "data.landmarks", "data.num_people"}
    assert not facts & set(names)


IGNORED_BY_MODERN = (
    "label_fakes", "feature_source", "max_updates", "balance_ratio", "adversarial_form",
    "num_shared", "num_attribute_hidden", "discriminator_norm",
)  # fmt: skip


@pytest.mark.parametrize("name", IGNORED_BY_MODERN)
def test_a_setting_of_another_recipe_is_unknown(name: str) -> None:
    assert f"recipe.{name}" in setting_names(PAPER)
    with pytest.raises(InputError, match=f"recipe modern has no setting 'recipe.{name}'"):
        override(MODERN, [(f"recipe.{name}", "1")])
    plain = {"preset": "mine", "recipe": {"name": "modern", name: 1}}
    with pytest.raises(InputError, match=rf"\(recipe modern\) has unknown fields: {name}"):
        parse_run(plain)


def test_each_recipe_has_its_own_share_of_edits() -> None:
    """The same name, for what either recipe means by it."""
    assert "recipe.edited_share" in set(setting_names(PAPER)) & set(setting_names(MODERN))


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        (
            "train.batchsize",
            "32",
            "recipe paper has no setting 'train.batchsize': did you mean train.batch_size?",
        ),
        ("batch_size", "32", "no setting 'batch_size': did you mean train.batch_size?"),
        ("preset", "mine", "no setting 'preset': there are recipe.width, recipe.num_latents,"),
        ("zzzz.qqqq", "1", "there are recipe.width"),
        ("train.batch_size", "many", "train.batch_size must be of type int, not 'many'"),
        ("train.batch_size", "32.5", "train.batch_size must be of type int, not 32.5"),
        ("train.batch_size", "true", "train.batch_size must be of type int, not True"),
        ("train.batch_size", "1", "batch_size must be at least 2"),
        ("recipe.pixel_weight", "NaN", "pixel_weight must be finite"),
        ("recipe.pixel_weight", "1" + "0" * 400, "too large"),
        ("recipe.pixel_weight", "9" * 5000, "pixel_weight must be of type float"),
        ("recipe.pixel_norm", "l3", "pixel_norm must be one of"),
        ("train.betas", "[0.5]", "train.betas must have 2 entries"),
        ("train.betas", "[" * 5000, "train.betas must be a list"),
        ("data.size", "null", "data.size must be of type int"),
        ("loss.pixel", "1", "no setting 'loss.pixel': did you mean recipe.pixel_weight?"),
        ("data.num_people", "3", "no setting 'data.num_people'"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(InputError) as error:
        override(PAPER, [(name, value)])
    assert complaint in str(error.value)

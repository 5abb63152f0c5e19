import pytest

from twobirds.apps.overrides import override, setting_names
from twobirds.errors import InputError
from twobirds.presets import PAPER


def test_values_take_the_type_of_their_setting() -> None:
    changed = override(
        PAPER,
        [
            ("train.batch_size", "32"),
            ("train.learning_rate", "1e-4"),
            ("train.betas", "[0, 0.99]"),
            ("train.flip", "false"),
            ("loss.pixel", "10"),
            ("loss.pixel_norm", "l2"),
            ("model.attributes", '["Bald", "Male"]'),
            ("model.size", 64),
        ],
    )
    assert (changed.train.batch_size, changed.train.learning_rate) == (32, 1e-4)
    assert (changed.train.betas, changed.train.flip) == ((0.0, 0.99), False)
    assert (changed.loss.pixel, changed.loss.pixel_norm) == (10.0, "l2")
    assert (changed.model.attributes, changed.model.size) == (("Bald", "Male"), 64)
    assert (PAPER.train.batch_size, PAPER.model.size) == (64, 128)
    assert override(PAPER, []) == PAPER


def test_every_setting_has_a_name() -> None:
    names = setting_names(PAPER)
    assert {"model.width", "loss.perceptual", "train.images"} <= set(names)
    assert "preset" not in names


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("train.batchsize", "32", "no setting 'train.batchsize': did you mean train.batch_size?"),
        ("batch_size", "32", "no setting 'batch_size': did you mean train.batch_size?"),
        ("preset", "mine", "no setting 'preset': there are model.size, model.width,"),
        ("zzzz.qqqq", "1", "there are model.size"),
        ("train.batch_size", "many", "train.batch_size must be of type int, not 'many'"),
        ("train.batch_size", "32.5", "train.batch_size must be of type int, not 32.5"),
        ("train.batch_size", "true", "train.batch_size must be of type int, not True"),
        ("train.batch_size", "1", "batch_size must be at least 2"),
        ("loss.pixel", "NaN", "loss weight pixel must be finite"),
        ("loss.pixel", "1" + "0" * 400, "too large"),
        ("loss.pixel", "9" * 5000, "loss.pixel must be of type float"),
        ("loss.pixel_norm", "l3", "loss.pixel_norm must be one of"),
        ("train.betas", "[0.5]", "train.betas must have 2 entries"),
        ("train.betas", "[" * 5000, "train.betas must be a list"),
        ("model.size", "null", "model.size must be of type int"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(InputError) as error:
        override(PAPER, [(name, value)])
    assert complaint in str(error.value)

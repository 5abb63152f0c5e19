"""The card of a saved model."""

from pathlib import Path

import pytest

from making_runs import ATTRIBUTES, report_on
from twobirds.errors import InputError
from twobirds.models.files import (
    load_trained,
    save_trained,
)
from twobirds.models.trained import Trained


@pytest.fixture
def trained(tiny_run: Path) -> Trained:
    return load_trained(tiny_run)


def test_the_card_carries_measured_figures_only(trained: Trained, tmp_path: Path) -> None:
    save_trained(trained, tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "Not evaluated" in card
    assert ", ".join(ATTRIBUTES) in card
    report = report_on(trained.weights_sha256)
    save_trained(trained, tmp_path / "model", report=report)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "on 1,013 faces of the test split" in card
    assert "| Hamming loss | 0.1235 |" in card
    assert "PSNR" not in card


def test_the_card_has_errors_by_attribute_and_group(trained: Trained, tmp_path: Path) -> None:
    report = report_on(trained.weights_sha256)
    report["recognition"] |= {
        "slices": {"Male": {"hamming_loss": 0.2, "support": 1_234}},
        "per_attribute": {
            "Bald": {"accuracy": 0.75, "majority_accuracy": 0.5, "support": 3},
            "Bangs": {"accuracy": 1.0, "majority_accuracy": 1.0, "support": 0},
        },
    }
    report["reconstruction"] = {"psnr_db": 20.25, "edit_path": {"psnr_db": 31.5}}
    rates = {"add": 0.5, "add_floor": 0.25, "remove": 0.875, "remove_floor": 0.875}
    support = {"add": 40, "remove": 9}
    report["editing"] = {"per_attribute": {"Bald": rates | {"support": support}}}
    save_trained(trained, tmp_path / "model", report=report)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| Male | 0.2000 | 1,234 |" in card
    assert "| Bald | 0.250 | 0.500 | 50% (25%), 40 |  |" in card  # nine faces say nothing
    assert "| Bangs | 0.000 | 0.000 |  |  |" in card
    assert "| an edit of nothing, PSNR in dB | 31.5 |" in card
    assert "SSIM" not in card


def test_the_card_has_the_judges_and_names_the_fault(trained: Trained, tmp_path: Path) -> None:
    report = report_on(trained.weights_sha256)
    report["editing"] = {
        "above_ceiling": ["Eyeglasses", "Bald"],
        "realism": {"auc": 0.75, "real_floor": 0.53},
        "second_judge": {"success_rate": 0.7, "floor_rate": 0.2, "ceiling_rate": 0.8},
        "prototype": {"num_beaten": 9, "num_attributes": 15},
    }
    save_trained(trained, tmp_path / "model", report=report)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| edit success by the second judge | 0.7 |" in card
    assert "(0.5 cannot be told from real) | 0.75 |" in card
    assert "| attributes that beat the prototype at equal realism | 9 |" in card
    assert "look exaggerated: Eyeglasses, Bald." in card


def test_a_card_is_about_the_weights_beside_it(trained: Trained, tmp_path: Path) -> None:
    report = report_on(trained.weights_sha256)
    with pytest.raises(InputError, match="the report: was measured on other weights: evaluate"):
        save_trained(trained, tmp_path / "half", report=report_on("0" * 64))
    with pytest.raises(InputError, match="the report: is not a report of twobirds evaluate"):
        save_trained(trained, tmp_path / "half", report={"data": {}})
    assert not list(tmp_path.iterdir())

    save_trained(trained, tmp_path / "half", half=True)
    half = load_trained(tmp_path / "half")
    save_trained(half, tmp_path / "card", half=True, report=report_on(half.weights_sha256))
    names = ("half", "card")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in names]
    assert weights[0] == weights[1]
    assert "| Hamming loss | 0.1235 |" in (tmp_path / "card" / "README.md").read_text()
    with pytest.raises(InputError, match="was measured on other weights"):
        save_trained(half, tmp_path / "whole", report=report_on(half.weights_sha256))

    save_trained(trained, tmp_path / "rounded", half=True, report=report)
    card = (tmp_path / "rounded" / "README.md").read_text()
    assert "of the test split, before the weights were rounded to float16." in card

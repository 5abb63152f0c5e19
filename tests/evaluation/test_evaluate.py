import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.evaluate import choose_rows, evaluate, round_figures
from twobirds.evaluation.headline import figure_at
from twobirds.evaluation.plan import EvaluationConfig

CONFIG = EvaluationConfig(
    num_fakes=64, max_faces=30, faces_per_edit=10, calibration_faces=80, seed=2
)


@pytest.fixture(scope="module")
def report(drawn_pack: Pack, oracle, judge_path: Path) -> dict[str, Any]:
    return evaluate(oracle, drawn_pack, CONFIG, judge_path=judge_path)


def test_the_report_keeps_the_contract(report: dict[str, Any], oracle) -> None:
    assert set(report["model"]) == {
        "name", "preset", "size", "weights_sha256", "pack_sha256",
    }  # fmt: skip
    assert {"pack_sha256", "split", "count"} <= set(report["data"])
    for section, keys in {
        "recognition": {
            "hamming_loss", "majority_hamming_loss", "balanced_accuracy",
            "mean_average_precision", "per_attribute",
        },
        "reconstruction": {"psnr_db", "ssim"},
        "editing": {
            "success_rate", "floor_rate", "ceiling_accuracy", "drift", "per_attribute",
            "success_interval", "ceiling_rate", "num_edits", "several", "most_visible",
            "above_ceiling",
            "counterfactual_psnr_db", "reconstruction_psnr_db", "unedited_psnr_db",
        },
        "generation": {
            "frechet_distance", "real_floor", "features", "attribute_accuracy", "diversity",
        },
    }.items():  # fmt: skip
        assert keys <= set(report[section])
    edits = report["editing"]["per_attribute"]
    assert list(edits) == oracle.attributes
    assert all("support" in row for row in edits.values())
    assert {"add", "remove"} <= set(edits["Male"])
    assert set(report["editing"]["several"]) == {"3", "6"}
    assert set(report["absent"]) == {
        "identity_calibration", "reconstruction.identity", "editing.identity",
        "editing.second_judge", "editing.realism",
    }  # fmt: skip
    assert report["seed"] == 2
    assert report["versions"]["torch"]
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_model_that_knows_all_is_perfect(report: dict[str, Any]) -> None:
    assert report["recognition"]["hamming_loss"] == 0
    assert report["recognition"]["majority_hamming_loss"] > 0.1
    assert report["reconstruction"]["psnr_db"] == 100
    assert report["reconstruction"]["ssim"] == pytest.approx(1)
    assert report["editing"]["counterfactual_psnr_db"] == 100


def test_evaluating_twice_gives_the_same_json(
    report: dict[str, Any], drawn_pack: Pack, oracle, judge_path: Path
) -> None:
    again = evaluate(oracle, drawn_pack, CONFIG, judge_path=judge_path)
    assert json.dumps(again) == json.dumps(report)


def test_what_could_not_be_had_is_absent_with_a_reason(
    report: dict[str, Any], drawn_pack: Pack, oracle
) -> None:
    assert "identity" not in report["reconstruction"]
    assert "identity_calibration" not in report
    assert report["absent"]["reconstruction.identity"] == "no face embedder was named"
    alone = evaluate(oracle, replace(drawn_pack, drawn=None), CONFIG)
    assert not {"editing", "generation", "judge"} & set(alone)
    assert alone["absent"]["editing"] == alone["absent"]["generation"]
    assert alone["absent"]["judge"] == "no file for a judge was named"


def test_every_mean_that_could_not_be_had_is_absent_with_a_reason(
    drawn_pack: Pack, oracle, judge_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four faces that are all alike: nothing varies, and no edit has ten faces."""
    rows = np.full(4, drawn_pack.rows("test")[0])
    monkeypatch.setattr("twobirds.evaluation.evaluate.choose_rows", lambda pack, config: rows)
    report = evaluate(oracle, drawn_pack, CONFIG, judge_path=judge_path)
    absent = report["absent"]
    assert {
        "recognition.balanced_accuracy", "recognition.mean_average_precision",
        "judge.balanced_accuracy", "judge.mean_average_precision",
        "editing.success_rate", "editing.success_interval", "editing.floor_rate",
        "editing.ceiling_rate", "editing.drift", "editing.several.3", "editing.several.6",
        "editing.most_visible.success_rate", "editing.most_visible.floor_rate",
        "editing.most_visible.ceiling_rate", "editing.most_visible.drift",
        "generation.attribute_balanced_accuracy", "generation.diversity",
    } <= set(absent)  # fmt: skip
    for path in absent:
        assert figure_at(report, path) is None
    assert "several" not in report["editing"]
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_a_model_without_drawn_attributes_has_no_true_answers(
    drawn_pack: Pack, oracle, judge_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.evaluation.face_pass.DRAWN_ATTRIBUTES", ())
    absent = evaluate(oracle, drawn_pack, CONFIG, judge_path=judge_path)["absent"]
    for key in ("counterfactual_psnr_db", "unedited_psnr_db", "most_visible"):
        assert absent[f"editing.{key}"] == "the model knows no attribute that can be rendered"


def test_a_wrong_embedder_or_judge_is_found_first(
    drawn_pack: Pack, oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(oracle), "encode_faces", lambda *_: pytest.fail("too late"))
    (tmp_path / "wrong").write_text("neither")
    with pytest.raises(InputError, match="wrong: is not a usable judge"):
        evaluate(oracle, drawn_pack, CONFIG, judge_path=tmp_path / "wrong")
    with pytest.raises(InputError, match="wrong: is not a usable ONNX network"):
        evaluate(oracle, drawn_pack, CONFIG, embedder_path=tmp_path / "wrong")


def test_few_strangers_give_no_calibration(drawn_pack: Pack, oracle, colour_embedder: Path) -> None:
    few = replace(CONFIG, calibration_faces=40)  # 5 people: 640 pairs of strangers
    report = evaluate(oracle, drawn_pack, few, embedder_path=colour_embedder)
    assert "identity_calibration" not in report
    assert "only 640 pairs" in report["absent"]["identity_calibration"]
    assert "only 640 pairs" in report["absent"]["reconstruction.identity"]


def test_an_embedder_that_knows_nobody_gives_no_scores(
    drawn_pack: Pack, oracle, colour_embedder: Path
) -> None:
    pack = replace(drawn_pack, identity=np.random.default_rng(0).permutation(drawn_pack.identity))
    report = evaluate(oracle, pack, CONFIG, embedder_path=colour_embedder)
    assert report["identity_calibration"]["auc"] < 0.8
    assert "identity" not in report["reconstruction"]
    assert "below 0.8" in report["absent"]["reconstruction.identity"]


def test_an_embedder_that_knows_people_gives_scores(
    drawn_pack: Pack, oracle, colour_embedder: Path, judge_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("twobirds.evaluation.identity_judge.MIN_AUC", 0.0)
    report = evaluate(
        oracle, drawn_pack, CONFIG, judge_path=judge_path, embedder_path=colour_embedder
    )
    assert report["reconstruction"]["identity"]["median_distance"] == pytest.approx(0, abs=1e-5)
    assert report["reconstruction"]["identity"]["same_person_rate"] == 1
    assert 0 < report["editing"]["identity"]["median_distance"] < 4
    assert {"embedder", "auc", "threshold", "far"} <= set(report["identity_calibration"])
    assert report["identity_calibration"]["far"] == 1e-3
    assert report["identity_calibration"]["embedder"] == "mean_colour.onnx"


def test_a_pack_of_another_size_is_resampled(drawn_pack: Pack, oracle, monkeypatch) -> None:
    larger = replace(drawn_pack, images=drawn_pack.images.repeat(2, axis=1).repeat(2, axis=2))
    monkeypatch.setattr(type(oracle), "recognize", lambda self, f: f.mean((2, 3))[:, [0] * 12])
    assert evaluate(oracle, larger, CONFIG)["reconstruction"]["psnr_db"] == 100


def test_missing_attributes_and_empty_splits_are_refused(drawn_pack: Pack, oracle) -> None:
    poor = replace(
        drawn_pack,
        attributes=drawn_pack.attributes[:, :3],
        attribute_names=drawn_pack.attribute_names[:3],
    )
    with pytest.raises(
        InputError, match="has no attribute Blond_Hair, Eyeglasses, Goatee and 6 more"
    ):
        evaluate(oracle, poor, CONFIG)
    trained = replace(drawn_pack, split=np.zeros_like(drawn_pack.split))
    with pytest.raises(InputError, match="has 0 faces in split test"):
        evaluate(oracle, trained, CONFIG)
    with pytest.raises(InputError, match="no split 'dev'"):
        evaluate(oracle, drawn_pack, replace(CONFIG, split="dev"))


@pytest.mark.parametrize(("name", "value"), [("num_fakes", 1), ("max_faces", 2), ("seed", -1)])
def test_senseless_amounts_are_refused(name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{name} must be at least"):
        EvaluationConfig(**{name: value})


def test_rows_are_chosen_by_seed(drawn_pack: Pack) -> None:
    rows = choose_rows(drawn_pack, CONFIG)
    assert len(rows) == 30
    assert set(rows) <= set(drawn_pack.rows("test"))
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, choose_rows(drawn_pack, replace(CONFIG, seed=3)))


def test_figures_are_rounded() -> None:
    assert round_figures({"a": [0.1234567, (1, 98765.4)], "b": "x"}) == {
        "a": [0.12346, [1, 98765.0]],
        "b": "x",
    }

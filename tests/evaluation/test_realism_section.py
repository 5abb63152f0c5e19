"""The sections made from what EfficientNet-lite2 sees, on features made up for the purpose."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import twobirds
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation import realism_section
from twobirds.evaluation.editing import Edit
from twobirds.evaluation.evaluate import evaluate
from twobirds.evaluation.eye_grid import CELL_PIXELS, NUM_FACES, make_eye_grid
from twobirds.evaluation.face_pass import JudgedFaces
from twobirds.evaluation.faces import load_faces
from twobirds.evaluation.judge import JudgeMetadata, load_judge
from twobirds.evaluation.judges import Judges, Predictions
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.evaluation.real_faces import RealFaces, load_real_faces
from twobirds.evaluation.realism import FeatureSet
from twobirds.evaluation.run import Evaluation
from twobirds.evaluation.second_judge import SecondJudge

NUM_FACES_OF_TEST = 200


@pytest.fixture
def run(drawn_pack: Pack, oracle) -> Evaluation:
    """200 faces of as many people; every other one has each attribute."""
    pack = replace(
        drawn_pack,
        identity=np.arange(len(drawn_pack)),
        split=drawn_pack.split.copy(),
        attributes=np.repeat(
            np.arange(len(drawn_pack))[:, None] % 2, len(oracle.attributes), axis=1
        ).astype(np.uint8),
    )
    faces = load_faces(pack, np.arange(NUM_FACES_OF_TEST), oracle)
    return Evaluation(oracle, pack, faces, EvaluationConfig(faces_per_edit=100), None)


def predictions(run: Evaluation, count: int, shift: float = 0.0, logit: float = 1.0) -> Predictions:
    rng = np.random.default_rng(count + int(10 * shift))
    logits = np.full((count, len(run.model.attributes)), logit, np.float32)
    return Predictions(logits, np.zeros((count, 2)), -logits, rng.normal(shift, 1, (count, 8)))


@pytest.fixture
def judged(run: Evaluation) -> JudgedFaces:
    """Smiles that give themselves away, and glasses that do not; both judged to be there."""
    real = predictions(run, NUM_FACES_OF_TEST)
    edits = []
    for name, shift in (("Eyeglasses", 0.0), ("Smiling", 3.0), ("Rosy_Cheeks", 3.0)):
        column, positions = run.model.attributes.index(name), np.arange(0, NUM_FACES_OF_TEST, 2)
        made = predictions(run, 100, shift)
        edits.append(Edit(column, 1, positions, made, np.empty(0), np.empty((0, 3))))
    return JudgedFaces(real, real, edits, [])


@pytest.fixture
def real_faces(run: Evaluation) -> RealFaces:
    """120 faces of other people that have every attribute."""
    features = np.random.default_rng(5).normal(0, 1, (120, 8))
    labels = np.ones((120, len(run.model.attributes)))
    return RealFaces(FeatureSet(features, 10_000 + np.arange(120)), labels)


def test_realism_of_each_attribute_and_its_mean(
    run: Evaluation, judged: JudgedFaces, real_faces: RealFaces
) -> None:
    section = realism_section.measure_realism(run, judged, real_faces)["realism"]
    rows = section["per_attribute"]
    assert set(rows) == {"Eyeglasses", "Smiling"}  # rosy cheeks are not looked at closely
    assert rows["Smiling"]["auc"] > 0.95
    assert rows["Eyeglasses"]["auc"] == pytest.approx(0.5, abs=0.15)
    assert rows["Smiling"]["support"] == {"real": 100, "edited": 100, "floor": 100}
    assert section["auc"] == pytest.approx(np.mean([row["auc"] for row in rows.values()]))
    assert section["real_floor"] == pytest.approx(0.5, abs=0.2)
    assert section["num_attributes"] == 2
    assert not run.absent


def test_few_people_have_no_realism(
    run: Evaluation, judged: JudgedFaces, real_faces: RealFaces
) -> None:
    run.pack = replace(run.pack, identity=np.arange(len(run.pack)) // 40)
    assert realism_section.measure_realism(run, judged, real_faces) == {}
    assert "enough real and edited faces" in run.absent["editing.realism"]
    assert realism_section.measure_realism(run, judged, None) == {}
    assert "no face of the train split" in run.absent["editing.realism"]


def test_real_faces_are_training_faces_that_have_the_attributes(
    run: Evaluation, judge_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []

    def features(_: Judges, batches: Iterable[torch.Tensor]) -> np.ndarray:
        shown.extend(len(pixels) for pixels in batches)
        return np.zeros((sum(shown), 8))

    monkeypatch.setattr(Judges, "realism_features", features)
    run.pack.split[:] = 2
    run.pack.split[200:300] = 0  # 50 of these 100 have every attribute
    found = load_real_faces(run, Judges(load_judge(judge_path)))
    assert found is not None
    assert (found.attributes == 1).all()
    assert sum(shown) == len(found.faces) == 50
    assert set(found.faces.people) <= set(range(200, 300))
    assert len(found.having(0, 20)) == 20
    run.pack.split[:] = 2
    del run.train_rows
    assert load_real_faces(run, Judges(load_judge(judge_path))) is None


def test_the_second_judge_has_its_own_rates_and_ceiling(
    run: Evaluation, judged: JudgedFaces, judge_path: Path
) -> None:
    metadata = JudgeMetadata("a" * 64, 32, tuple(run.model.attributes), 7, 640)
    second = SecondJudge(torch.nn.Identity(), metadata, "f" * 64)
    judges = Judges(load_judge(judge_path), None, second)
    section = realism_section.measure_second_judge(run, judges, judged)["second_judge"]
    assert section["success_rate"] == 0.0  # its logits are the judge's, reversed
    assert section["hamming_loss"] == 0.5
    assert section["ceiling_rate"] == 0.0
    assert section["independence"] == "took part in no training but its own"
    assert (section["seed"], section["images"], section["sha256"]) == (7, 640, "f" * 64)
    assert set(section["per_attribute"]) == {"Eyeglasses", "Smiling", "Rosy_Cheeks"}
    assert realism_section.measure_second_judge(run, Judges(judges.judge), judged) == {}


def test_prototypes_are_compared_at_equal_realism(
    run: Evaluation,
    judged: JudgedFaces,
    real_faces: RealFaces,
    judge_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prototypes that are seen on every face and told from real ones by half a unit."""
    asked: list[bool] = []

    def predict(_: Judges, pixels: torch.Tensor, *, closely: bool = False) -> Predictions:
        asked.append(closely)
        return predictions(run, len(pixels), 0.7)

    monkeypatch.setattr(Judges, "predict", predict)
    judges = Judges(load_judge(judge_path))
    judged = replace(judged, unedited=predictions(run, NUM_FACES_OF_TEST, logit=-1.0))
    section = realism_section.measure_prototype(run, judges, judged, real_faces)["prototype"]
    rows = section["per_attribute"]
    assert all(asked)
    assert [point["strength"] for point in rows["Smiling"]["points"]] == [0.8, 1.6, 2.4, 3.2]
    assert rows["Smiling"]["success_at_equal_realism"] == 1.0
    assert not rows["Smiling"]["is_beaten"]
    assert "success_at_equal_realism" not in rows["Eyeglasses"]  # none is as realistic
    assert rows["Eyeglasses"]["is_beaten"]
    assert rows["Eyeglasses"]["model"]["floor_rate"] == 0.0
    assert (section["num_beaten"], section["num_attributes"]) == (1, 2)
    judged = replace(judged, unedited=predictions(run, NUM_FACES_OF_TEST))  # seen there, too
    section = realism_section.measure_prototype(run, judges, judged, real_faces)["prototype"]
    assert section["num_beaten"] == 0


def test_without_the_package_the_rest_is_measured(
    drawn_pack: Pack, oracle, judge_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise InputError("EfficientNet-lite2 needs a package")

    monkeypatch.setattr("twobirds.evaluation.feature_network.load_efficientnet_lite", missing)
    config = EvaluationConfig(num_fakes=8, max_faces=8, faces_per_edit=2)
    report = evaluate(oracle, drawn_pack, config, judge_path=judge_path)
    assert report["absent"]["editing.realism"] == "EfficientNet-lite2 needs a package"
    assert report["absent"]["editing.second_judge"] == "EfficientNet-lite2 needs a package"
    assert "realism" not in report["editing"]
    with pytest.raises(InputError, match="needs a package"):
        evaluate(
            oracle, drawn_pack, config, judge_path=judge_path, second_judge_path=tmp_path / "second"
        )


def test_the_grid_has_a_labelled_cell_for_each_edit(
    drawn_pack: Pack, oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, list[str]] = {}
    grid: Callable[..., object] = make_eye_grid.__globals__["grid"]

    def watching(images: np.ndarray, columns: int, **words: object) -> object:
        shown["labels"] = list(words["labels"])  # type: ignore[call-overload]
        assert words["cell_pixels"] == CELL_PIXELS
        return grid(images, columns, **words)

    monkeypatch.setitem(make_eye_grid.__globals__, "grid", watching)
    config = EvaluationConfig(seed=3)
    sheet = make_eye_grid(oracle, drawn_pack, config)
    names = ["Bald", "Bangs", "Black_Hair", "Blond_Hair", "Eyeglasses", "Male"]
    labels = shown["labels"]
    columns = len(labels) // NUM_FACES
    assert labels[::columns] == ["source"] * NUM_FACES
    assert [label[2:] for label in labels[1:7]] == names
    assert {label[:2] for label in labels if label != "source"} == {"+ ", "- "}
    assert sheet.width >= columns * CELL_PIXELS
    again = make_eye_grid(oracle, drawn_pack, config)
    assert np.array_equal(np.asarray(sheet), np.asarray(again))


def test_only_evaluation_loads_the_network_that_judges() -> None:
    package = Path(twobirds.__file__).parent
    users = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if 'load_efficientnet_lite("lite2"' in path.read_text(encoding="utf-8")
    }
    assert users == {"evaluation"}

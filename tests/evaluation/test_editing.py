from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from twobirds.data.attributes import excluded_by
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.drawn_truth import DrawnTruth, most_visible
from twobirds.evaluation.edit_scores import (
    MIN_SUPPORT,
    EditingStudy,
    above_ceiling,
    score_combination,
    score_edits,
    score_truth,
)
from twobirds.evaluation.editing import (
    Edit,
    PlannedEdit,
    choose_changes,
    plan_combination,
    plan_edits,
)
from twobirds.evaluation.face_pass import EditingPlan, JudgedFaces, pass_faces
from twobirds.evaluation.faces import FaceSet, load_faces
from twobirds.evaluation.judge import load_judge
from twobirds.evaluation.judges import Judges, Predictions


@dataclass(frozen=True, eq=False)
class Bench:
    """A model and the test faces, with one judge."""

    model: object
    faces: FaceSet
    truth: DrawnTruth
    judges: Judges

    def run(self, edits=(), combinations=()) -> JudgedFaces:
        plan = EditingPlan(self.judges, None, self.truth, edits, combinations)
        judged = pass_faces(self.model, self.faces, plan, None).judged
        assert judged is not None
        return judged

    def study(self, judged: JudgedFaces) -> EditingStudy:
        logits = judged.real.logits, judged.unedited.logits
        return EditingStudy(list(self.model.attributes), self.faces.attributes, *logits, seed=0)


def make_bench(pack: Pack, model, judge_path: Path) -> Bench:
    faces = load_faces(pack, pack.rows("test"), model)
    return Bench(model, faces, DrawnTruth(pack, faces), Judges(load_judge(judge_path)))


@pytest.fixture(scope="module")
def bench(drawn_pack: Pack, oracle, judge_path: Path) -> Bench:
    return make_bench(drawn_pack, oracle, judge_path)


@pytest.fixture(scope="module")
def study(bench: Bench) -> EditingStudy:
    return bench.study(bench.run())


@pytest.fixture(scope="module")
def idle_bench(drawn_pack: Pack, idler, judge_path: Path) -> Bench:
    return make_bench(drawn_pack, idler, judge_path)


def lacking(bench: Bench, name: str, count: int) -> PlannedEdit:
    column = bench.model.attributes.index(name)
    return PlannedEdit(column, 1, np.flatnonzero(bench.faces.attributes[:, column] == 0)[:count])


def test_faces_that_lack_the_target_are_edited(bench: Bench) -> None:
    edits = plan_edits(bench.faces.attributes, faces_per_edit=3, seed=0)
    for edit in edits:
        labels = bench.faces.attributes[edit.positions, edit.attribute]
        assert (labels == 1 - edit.target).all()
        assert 1 <= len(edit.positions) <= 3
    assert len({(e.attribute, e.target) for e in edits}) == len(edits)


def test_every_planned_edit_is_made_whatever_the_batches(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan_edits(bench.faces.attributes, faces_per_edit=5, seed=0)[:6]
    whole = bench.run(planned)
    monkeypatch.setattr("twobirds.evaluation.faces.batches.__defaults__", (7,))
    parts = bench.run(planned)
    for plan, one, other in zip(planned, whole.edits, parts.edits, strict=True):
        assert one.positions.tolist() == sorted(plan.positions.tolist())
        assert (one.attribute, one.target) == (plan.attribute, plan.target)
        assert np.array_equal(one.positions, other.positions)
        np.testing.assert_allclose(one.predictions.logits, other.predictions.logits, atol=1e-4)
        np.testing.assert_array_equal(one.truth_psnr_db, other.truth_psnr_db)
    np.testing.assert_allclose(whole.real.logits, parts.real.logits, atol=1e-4)


def test_the_true_edit_is_the_true_answer(bench: Bench) -> None:
    edit = bench.run([lacking(bench, "Wearing_Hat", 5)]).edits[0]
    assert (edit.truth_psnr_db[:, 0] == 100).all()
    assert (edit.truth_psnr_db[:, 1:] < 30).all()


def test_doing_nothing_has_the_success_of_the_floor_and_no_drift(idle_bench: Bench) -> None:
    judged = idle_bench.run(plan_edits(idle_bench.faces.attributes, faces_per_edit=5, seed=0))
    study = idle_bench.study(judged)
    for edit in judged.edits:
        assert np.array_equal(study.success(edit), study.floor(edit))
        assert study.drift(edit)["drift"] == pytest.approx(0.0, abs=1e-5)
    means = score_truth(judged.edits)
    assert means["counterfactual_psnr_db"] == means["unedited_psnr_db"]


def test_drift_by_hand() -> None:
    """Of three attributes one is edited; the others move by 2 and 1, unedited by 1 and 1."""
    zeros = np.zeros((2, 3))
    study = EditingStudy(("Smiling", "Male", "Young"), zeros, zeros, zeros + 1.0, seed=0)
    logits = np.array([[9.0, 2.0, -1.0], [9.0, -2.0, 1.0]])
    edit = make_edit(0, 1, logits)
    assert study.drift(edit) == {"drift": 0.5, "drift_from_source": 1.5}


def make_edit(attribute: int, target: int, logits: np.ndarray) -> Edit:
    predictions = Predictions(logits, np.zeros((len(logits), 1)))
    positions = np.arange(len(logits))
    return Edit(attribute, target, positions, predictions, np.empty(0), np.empty((0, 3)))


def with_logits(attribute: int, target: int, values: list[int], num_attributes: int) -> Edit:
    """An edit after which the judge predicts the attribute where a value is 1."""
    logits = np.zeros((len(values), num_attributes))
    logits[:, attribute] = np.array(values) * 2 - 1
    return make_edit(attribute, target, logits)


def test_rates_by_hand() -> None:
    names = ("Smiling", "Male", "Young")
    unedited = np.full((20, 3), -1.0)
    unedited[:5, 0] = 1.0  # five smile before any edit
    study = EditingStudy(names, np.eye(20, 3), np.zeros((20, 3)), unedited, seed=0)
    edits = [
        with_logits(0, 1, [1] * 9 + [0], 3),
        with_logits(0, 0, [0] * 5 + [1] * 15, 3),
        with_logits(1, 1, [1] * (MIN_SUPPORT - 1), 3),  # too few to count
    ]
    scores = score_edits(study, edits, None)
    assert scores["success_rate"] == pytest.approx((0.9 + 0.25) / 2)
    assert scores["floor_rate"] == pytest.approx((0.5 + 0.75) / 2)
    assert scores["num_edits"] == 2
    row = scores["per_attribute"]["Smiling"]
    assert row["add"] == pytest.approx(0.9)
    assert row["remove"] == pytest.approx(0.25)
    assert row["support"] == {"add": 10, "remove": 20}
    assert row["add_interval"][0] < 0.9 < row["add_interval"][1] <= 1
    assert scores["per_attribute"]["Male"]["support"] == {"add": MIN_SUPPORT - 1, "remove": 0}
    assert "remove" not in scores["per_attribute"]["Male"]
    assert scores["per_attribute"]["Young"] == {"support": {"add": 0, "remove": 0}}
    assert scores["success_interval"][0] < scores["success_rate"] < scores["success_interval"][1]


def ten(study: EditingStudy) -> Edit:
    return with_logits(0, 1, [1] * 10, len(study.names))


def test_ceiling_is_what_the_judge_predicts_on_real_faces(study: EditingStudy) -> None:
    scores = score_edits(study, [ten(study)], None)
    predicted, labels = study.real_logits > 0, study.attributes
    assert scores["ceiling_accuracy"] == pytest.approx((predicted == labels).mean())
    row = scores["per_attribute"][study.names[0]]
    assert row["add_ceiling"] == pytest.approx(predicted[labels[:, 0] == 1, 0].mean())


def test_no_rate_is_made_up_without_support(study: EditingStudy) -> None:
    scores = score_edits(study, [with_logits(0, 1, [1], len(study.names))], None)
    assert "success_rate" not in scores
    assert "identity" not in scores
    assert scores["num_edits"] == 0


def test_no_ceiling_is_made_up_without_real_faces(study: EditingStudy) -> None:
    unlabelled = replace(study, attributes=np.zeros_like(study.attributes))
    scores = score_edits(unlabelled, [ten(study)], None)
    assert scores["success_rate"] == 1
    assert "ceiling_rate" not in scores
    assert "add_ceiling" not in scores["per_attribute"][study.names[0]]


def test_no_drift_is_made_up_where_nothing_is_left_to_drift(
    study: EditingStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.evaluation.edit_scores.excluded_by", lambda _: set(study.names))
    assert study.drift(ten(study)) == {}
    scores = score_edits(study, [ten(study)], None)
    assert not {"drift", "drift_from_source"} & set(scores)
    assert "add_drift" not in scores["per_attribute"][study.names[0]]


def test_above_ceiling_by_hand() -> None:
    """Glasses are seen on six of ten real faces, hats on nine, smiles on all."""
    names = ("Eyeglasses", "Wearing_Hat", "Smiling")
    attributes = np.repeat([[1, 1, 1], [0, 0, 0]], [10, 20], axis=0)
    logits = np.full((30, 3), -1.0)
    logits[:6, 0], logits[:9, 1], logits[:10, 2] = 1.0, 1.0, 1.0
    study = EditingStudy(names, attributes, logits, logits, seed=0)
    edits = [with_logits(k, 1, [1] * 20, 3) for k in range(3)]
    assert above_ceiling(study, edits) == ["Eyeglasses"]
    assert score_edits(study, edits, None)["above_ceiling"] == ["Eyeglasses"]
    assert above_ceiling(study, [with_logits(0, 1, [1] * 7 + [0] * 3, 3)]) == []  # exactly 0.1
    assert above_ceiling(study, [with_logits(0, 1, [1] * (MIN_SUPPORT - 1), 3)]) == []
    few = EditingStudy(names, attributes[1:], logits[1:], logits[1:], seed=0)
    assert above_ceiling(few, [edits[0]]) == []  # nine real faces show no ceiling


def test_no_truth_is_made_up_where_nothing_can_be_rendered(study: EditingStudy) -> None:
    assert score_truth([ten(study)]) == {}


def test_several_changes_never_contradict_each_other(bench: Bench) -> None:
    names, labels = bench.model.attributes, bench.faces.attributes
    rng = np.random.default_rng(0)
    for position in range(20):
        changes = choose_changes(names, labels, position, 6, rng)
        assert len(changes) == 6
        added = {names[k] for k, target in changes.items() if target}
        assert not any(excluded_by(name) & added for name in added)
        assert all(labels[position, k] == 1 - t for k, t in changes.items())


def test_several_changes_of_some_attributes_only(bench: Bench, study: EditingStudy) -> None:
    among = ("Male", "Smiling", "Eyeglasses")
    names, labels = bench.model.attributes, bench.faces.attributes
    planned = plan_combination(names, labels, 3, max_faces=4, seed=0, among=among)
    for changes in planned.changes.values():
        assert {names[k] for k in changes} == set(among)
    scores = score_combination(study, planned, bench.run((), [planned]).combinations[0])
    assert 0 <= scores["floor_rate"] <= 1
    ceilings = study.ceilings()
    columns = [names.index(name) for name in among]
    assert ceilings[columns].min() <= scores["ceiling_rate"] <= ceilings[columns].max()


def test_several_idle_changes_stay_at_the_floor(idle_bench: Bench) -> None:
    names, labels = idle_bench.model.attributes, idle_bench.faces.attributes
    planned = plan_combination(names, labels, 3, max_faces=12, seed=0)
    judged = idle_bench.run((), [planned])
    scores = score_combination(idle_bench.study(judged), planned, judged.combinations[0])
    assert scores["success_rate"] == scores["floor_rate"]
    assert scores["all_rate"] <= scores["success_rate"]
    assert scores["support"] == 12
    low, high = scores["success_interval"]
    assert 0 <= low <= scores["success_rate"] <= high <= 1
    assert low < high


def test_rendered_faces_are_those_of_the_pack(drawn_pack: Pack, bench: Bench) -> None:
    truth, male = bench.truth, drawn_pack.attribute_names.index("Male")
    for target in (0, 1):
        positions = np.flatnonzero(bench.faces.attributes[:, male] == target)[:4]
        rendered = truth.answers(positions, "Male", target)
        assert np.array_equal(rendered, bench.faces.images[positions])


def test_labels_that_were_changed_after_drawing_are_noticed(drawn_pack: Pack) -> None:
    rows = drawn_pack.rows("test")
    shifted = FaceSet(drawn_pack.images[rows], drawn_pack.attributes[rows], rows)
    pack = Pack(**{**vars(drawn_pack), "attributes": np.roll(drawn_pack.attributes, 1, axis=0)})
    with pytest.raises(InputError, match="not those of the drawn faces"):
        DrawnTruth(pack, shifted)


def test_most_visible_are_ten_in_falling_order(drawn_pack: Pack) -> None:
    names = most_visible((*drawn_pack.attribute_names, "Attractive"), 32)
    assert len(names) == 10
    assert {"Bald", "Blond_Hair", "Male"} < set(names)
    assert "Rosy_Cheeks" not in names

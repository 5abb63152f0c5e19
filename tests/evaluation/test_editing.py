from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twobirds.data.attributes import excluded_by
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.drawn_truth import DrawnTruth, most_visible
from twobirds.evaluation.edit_scores import MIN_SUPPORT, score_edits, score_truth
from twobirds.evaluation.editing import (
    Edit,
    EditingStudy,
    choose_changes,
    run_edit,
    run_edits,
    run_several,
)
from twobirds.evaluation.faces import FaceSet, load_faces
from twobirds.evaluation.judge import load_judge


def make_study(pack: Pack, model, judge_path: Path) -> EditingStudy:
    judge, faces = load_judge(judge_path), load_faces(pack, pack.rows("test"), model)
    logits, _ = judge.read(faces.images)
    return EditingStudy(
        model, judge, faces, faces.images, logits, logits, None, DrawnTruth(pack, faces), seed=0
    )


@pytest.fixture(scope="module")
def study(drawn_pack: Pack, oracle, judge_path: Path) -> EditingStudy:
    return make_study(drawn_pack, oracle, judge_path)


@pytest.fixture(scope="module")
def idle_study(drawn_pack: Pack, idler, judge_path: Path) -> EditingStudy:
    return make_study(drawn_pack, idler, judge_path)


def test_faces_that_lack_the_target_are_edited(study: EditingStudy) -> None:
    edits = run_edits(study, faces_per_edit=3)
    for edit in edits:
        labels = study.faces.attributes[edit.positions, edit.attribute]
        assert (labels == 1 - edit.target).all()
        assert 1 <= len(edit.positions) <= 3
    assert len({(e.attribute, e.target) for e in edits}) == len(edits)


def test_the_true_edit_is_the_true_answer(study: EditingStudy) -> None:
    hat = study.model.attributes.index("Wearing_Hat")
    positions = np.flatnonzero(study.faces.attributes[:, hat] == 0)[:5]
    edit = run_edit(study, hat, 1, positions)
    assert (edit.truth_psnr_db[:, 0] == 100).all()
    assert (edit.truth_psnr_db[:, 1:] < 30).all()


def test_doing_nothing_has_the_success_of_the_floor_and_no_drift(idle_study: EditingStudy) -> None:
    edits = run_edits(idle_study, faces_per_edit=5)
    assert all(np.array_equal(edit.success, edit.floor) for edit in edits)
    assert [edit.drift for edit in edits] == pytest.approx([0.0] * len(edits), abs=1e-5)
    means = score_truth(edits)
    assert means["counterfactual_psnr_db"] == means["unedited_psnr_db"]


def test_drift_from_the_source_counts_reconstruction_too(study: EditingStudy) -> None:
    """A reconstruction one logit off everywhere, and an edit that draws just that."""
    rebuilt = study.real_logits + 1.0
    study = replace(study, rebuilt_logits=rebuilt)
    edit = run_edit(study, 0, 1, np.flatnonzero(study.faces.attributes[:, 0] == 0)[:5])
    assert edit.drift is not None
    assert edit.drift_from_source is not None
    assert edit.drift_from_source - edit.drift == pytest.approx(1.0, abs=1e-5)


def make_edit(attribute: int, target: int, success: list[int], floor: list[int]) -> Edit:
    nothing = np.empty((0, 3))
    positions = np.arange(len(success))
    return Edit(
        attribute, target, positions, np.array(success, bool), np.array(floor, bool), 0.5, 0.75,
        np.empty(0), nothing,
    )  # fmt: skip


def test_rates_by_hand(study: EditingStudy) -> None:
    edits = [
        make_edit(0, 1, [1] * 9 + [0], [0] * 10),
        make_edit(0, 0, [1] * 5 + [0] * 15, [1] * 5 + [0] * 15),
        make_edit(1, 1, [1] * (MIN_SUPPORT - 1), [0] * (MIN_SUPPORT - 1)),  # too few to count
    ]
    scores = score_edits(study, edits)
    assert scores["success_rate"] == pytest.approx((0.9 + 0.25) / 2)
    assert scores["floor_rate"] == pytest.approx((0.0 + 0.25) / 2)
    assert scores["num_edits"] == 2
    assert scores["drift"] == 0.5
    assert scores["drift_from_source"] == 0.75
    first, second = study.model.attributes[:2]
    row = scores["per_attribute"][first]
    assert row["add"] == pytest.approx(0.9)
    assert row["remove"] == pytest.approx(0.25)
    assert row["support"] == {"add": 10, "remove": 20}
    assert row["add_interval"][0] < 0.9 < row["add_interval"][1] <= 1
    assert "remove" not in scores["per_attribute"][second]
    assert scores["per_attribute"][second]["support"] == {"add": MIN_SUPPORT - 1, "remove": 0}
    assert scores["success_interval"][0] < scores["success_rate"] < scores["success_interval"][1]


def test_ceiling_is_what_the_judge_reads_on_real_faces(study: EditingStudy) -> None:
    scores = score_edits(study, [make_edit(0, 1, [1] * 10, [0] * 10)])
    read, labels = study.real_logits > 0, study.faces.attributes
    assert scores["ceiling_accuracy"] == pytest.approx((read == labels).mean())
    row = scores["per_attribute"][study.model.attributes[0]]
    assert row["add_ceiling"] == pytest.approx(read[labels[:, 0] == 1, 0].mean())


def test_no_rate_is_made_up_without_support(study: EditingStudy) -> None:
    scores = score_edits(study, [make_edit(0, 1, [1], [0])])
    assert "success_rate" not in scores
    assert "identity" not in scores
    assert scores["num_edits"] == 0


def test_no_ceiling_is_made_up_without_real_faces(study: EditingStudy) -> None:
    faces = replace(study.faces, attributes=np.zeros_like(study.faces.attributes))
    scores = score_edits(replace(study, faces=faces), [make_edit(0, 1, [1] * 10, [0] * 10)])
    assert scores["success_rate"] == 1
    assert "ceiling_rate" not in scores
    assert "add_ceiling" not in scores["per_attribute"][study.model.attributes[0]]


def test_no_drift_is_made_up_where_nothing_is_left_to_drift(
    study: EditingStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = study.model.attributes
    monkeypatch.setattr("twobirds.evaluation.editing.excluded_by", lambda name: set(names))
    edit = run_edit(study, 0, 1, np.flatnonzero(study.faces.attributes[:, 0] == 0)[:10])
    assert edit.drift is None
    assert edit.drift_from_source is None
    scores = score_edits(study, [edit])
    assert not {"drift", "drift_from_source"} & set(scores)
    assert "add_drift" not in scores["per_attribute"][names[0]]


def test_no_truth_is_made_up_where_nothing_can_be_drawn() -> None:
    assert score_truth([make_edit(0, 1, [1] * 10, [0] * 10)]) == {}


def test_several_changes_never_contradict_each_other(study: EditingStudy) -> None:
    names, rng = study.model.attributes, np.random.default_rng(0)
    for position in range(20):
        changes = choose_changes(study, position, 6, rng)
        assert len(changes) == 6
        added = {names[k] for k, target in changes.items() if target}
        assert not any(excluded_by(name) & added for name in added)
        assert all(study.faces.attributes[position, k] == 1 - t for k, t in changes.items())


def test_several_changes_of_some_attributes_only(study: EditingStudy) -> None:
    among, rng = ("Male", "Smiling", "Eyeglasses"), np.random.default_rng(0)
    names = study.model.attributes
    for position in range(10):
        changes = choose_changes(study, position, 6, rng, among)
        assert {names[k] for k in changes} <= set(among)
    scores = run_several(study, 3, faces=4, among=among)
    assert 0 <= scores["floor_rate"] <= 1
    ceilings = study.ceilings()
    columns = [names.index(name) for name in among]
    assert ceilings[columns].min() <= scores["ceiling_rate"] <= ceilings[columns].max()


def test_several_idle_changes_stay_at_the_floor(idle_study: EditingStudy) -> None:
    scores = run_several(idle_study, 3, faces=12)
    assert scores["success_rate"] == scores["floor_rate"]
    assert scores["all_rate"] <= scores["success_rate"]
    assert scores["support"] == 12
    low, high = scores["success_interval"]
    assert 0 <= low <= scores["success_rate"] <= high <= 1
    assert low < high


def test_redrawn_faces_are_those_of_the_pack(drawn_pack: Pack, study: EditingStudy) -> None:
    truth, smiling = DrawnTruth(drawn_pack, study.faces), drawn_pack.attribute_names.index("Male")
    for target in (0, 1):
        positions = np.flatnonzero(study.faces.attributes[:, smiling] == target)[:4]
        redrawn = truth.answers(positions, "Male", target)
        assert np.array_equal(redrawn, study.faces.images[positions])


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

import numpy as np
import pytest

from twobirds.evaluation.realism import (
    FeatureSet,
    people_of,
    score_folds,
    score_realism,
    separability,
)


def normal(count: int, shift: float, seed: int, first_person: int = 0) -> FeatureSet:
    features = np.random.default_rng(seed).normal(shift, 1, (count, 4)).astype(np.float32)
    return FeatureSet(features, first_person + np.arange(count))


def test_auc_counts_pairs_of_one_fold_only() -> None:
    # Fold 0: edited 3, 1 against real 2 and 1: wins 1 + 1 + 0 + 1/2 of 4.
    # Fold 1: edited 0 against real 5: none of 1. Across folds 5 would beat 3.
    scores = np.array([3.0, 1.0, 2.0, 1.0, 0.0, 5.0])
    folds = np.array([0, 0, 0, 0, 1, 1])
    is_edited = np.array([True, True, False, False, True, False])
    found = score_folds(scores, folds, is_edited, np.arange(6), seed=0)
    assert found.auc == pytest.approx(2.5 / 5)
    assert 0 <= found.interval[0] <= found.auc <= found.interval[1] <= 1


def test_interval_is_wider_where_few_people_have_many_faces() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(20), 10)
    scores = rng.normal(size=20)[person] + 0.1 * rng.normal(size=200)  # a person's faces are alike
    is_edited, folds = person % 2 == 0, np.zeros(200, np.int64)
    widths = []
    for people in (np.arange(200), person):
        low, high = score_folds(scores, folds, is_edited, people, seed=0).interval
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_equal_distributions_cannot_be_told_apart() -> None:
    found = separability(normal(400, 0, 1), normal(400, 0, 2, 1_000), seed=0)
    assert found is not None
    assert found.auc == pytest.approx(0.5, abs=0.06)


def test_far_distributions_give_themselves_away() -> None:
    found = separability(normal(60, 0, 1), normal(60, 3, 2, 1_000), seed=0)
    assert found is not None
    assert found.auc > 0.99


def test_a_shift_of_one_gives_the_auc_of_two_gaussians() -> None:
    # Four features shifted by 1/2 each are 1 apart: AUC = Phi(1 / sqrt(2)) = 0.760.
    found = separability(normal(2_000, 0, 1), normal(2_000, 0.5, 2, 10_000), seed=0)
    assert found is not None
    assert found.auc == pytest.approx(0.760, abs=0.02)


def test_people_are_not_shared_between_folds() -> None:
    # Each person has an own direction and is always edited or always real: a classifier that knew
    # the person from another fold would be right each time.
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(60), 4)
    features = rng.normal(size=(60, 80))[people] + 0.01 * rng.normal(size=(240, 80))
    faces = FeatureSet(features, people)
    found = separability(faces.take(people % 2 == 0), faces.take(people % 2 == 1), seed=0)
    assert found is not None
    assert found.auc == pytest.approx(0.5, abs=0.15)


def test_few_faces_or_people_give_no_figure() -> None:
    few, many = normal(19, 0, 1), normal(100, 0, 2, 1_000)
    scored = score_realism(few, many, few, seed=0)
    assert scored == {"support": {"real": 19, "edited": 100, "floor": 19}}
    of_nine = FeatureSet(normal(50, 0, 1).features, np.arange(50) % 9)
    of_ten = FeatureSet(normal(50, 0, 1).features, np.arange(50) % 10)
    assert separability(of_nine, many, seed=0) is None
    assert separability(of_ten, many, seed=0) is not None


def test_the_floor_is_real_against_real() -> None:
    real, edited, unedited = normal(80, 0, 1), normal(80, 2, 2, 1_000), normal(80, 0, 3, 2_000)
    scored = score_realism(real, edited, unedited, seed=0)
    assert scored["auc"] > 0.9
    assert scored["real_floor"] == pytest.approx(0.5, abs=0.15)


def test_unknown_people_are_different_people() -> None:
    assert people_of(np.array([7, -1, 7, -1])).tolist() == [7, -2, 7, -4]

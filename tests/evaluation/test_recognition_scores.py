import numpy as np
import pytest

from twobirds.evaluation.recognition import majority_labels, score_recognition

NAMES = ("Bald", "Male", "Young")
LABELS = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]], np.uint8)
PROBABILITIES = np.array([[0.9, 0.8, 0.7], [0.6, 0.4, 0.9], [0.1, 0.3, 0.9], [0.2, 0.2, 0.2]])


def test_scores_by_hand() -> None:
    scores = score_recognition(PROBABILITIES, LABELS, np.array([0, 1, 1], np.uint8), NAMES)
    assert scores["hamming_loss"] == pytest.approx(3 / 12)
    assert scores["majority_hamming_loss"] == pytest.approx((1 + 2 + 0) / 12)
    bald = scores["per_attribute"]["Bald"]
    assert bald["balanced_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert bald["average_precision"] == 1.0
    assert bald["support"] == 1
    assert bald["accuracy"] == bald["majority_accuracy"] == 0.75


def test_an_attribute_that_all_have_has_no_balanced_accuracy() -> None:
    scores = score_recognition(PROBABILITIES, LABELS, np.array([0, 1, 1], np.uint8), NAMES)
    young = scores["per_attribute"]["Young"]
    assert "balanced_accuracy" not in young
    assert "average_precision" not in young
    assert scores["balanced_accuracy"] == pytest.approx(((1 + 2 / 3) / 2 + 0.75) / 2)
    assert scores["mean_average_precision"] == 1.0


def test_means_are_absent_where_no_attribute_varies() -> None:
    labels = np.ones((4, 3), np.uint8)
    scores = score_recognition(PROBABILITIES, labels, labels[0], NAMES)
    assert "balanced_accuracy" not in scores
    assert "mean_average_precision" not in scores


def test_majority_labels() -> None:
    assert majority_labels(LABELS).tolist() == [0, 0, 1]


def test_errors_on_groups_leave_out_what_makes_the_group() -> None:
    slices = score_recognition(PROBABILITIES, LABELS, np.array([0, 1, 1], np.uint8), NAMES)[
        "slices"
    ]
    # Predicted wrongly: Bald of the second, Male of the second, Young of the fourth.
    assert slices["Male"] == {"hamming_loss": pytest.approx(1 / 4), "support": 2}
    assert slices["not Male"] == {"hamming_loss": pytest.approx(1 / 4), "support": 2}
    assert slices["Young"] == {"hamming_loss": pytest.approx(2 / 8), "support": 4}
    assert "not Young" not in slices  # there is nobody
    own = score_recognition(PROBABILITIES[:, :1], LABELS[:, :1], np.zeros(1, np.uint8), ["Glitter"])
    assert own["slices"] == {}

"""Faces learned by heart are found out; new ones are not accused."""

import numpy as np
import pytest

from twobirds.evaluation.memorization import nearest_distances, score_memorization


def test_nearest_distances() -> None:
    features = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    others = np.array([[0.0, 1.0], [3.0, 2.0], [9.0, 9.0]], np.float32)
    assert nearest_distances(features, others).tolist() == pytest.approx([1.0, 2.0])


def test_more_faces_than_fit_in_one_chunk() -> None:
    features = np.random.default_rng(0).normal(size=(1_100, 4)).astype(np.float32)
    expected = np.linalg.norm(features[:, None] - features[None, :7], axis=2).min(axis=1)
    assert np.allclose(nearest_distances(features, features[:7]), expected, atol=1e-3)


def test_copies_are_told_from_new_faces() -> None:
    rng = np.random.default_rng(0)
    train, test, new = (rng.normal(size=(800, 8)).astype(np.float32) for _ in range(3))
    fair = score_memorization(new, test, train)
    assert 0.9 < fair["ratio"] < 1.1
    assert fair["close_rate"] < 0.03
    copies = score_memorization(train[:400] + 0.01, test, train)
    assert copies["ratio"] < 0.1
    assert copies["close_rate"] == 1
    assert copies["num_train"] == 800

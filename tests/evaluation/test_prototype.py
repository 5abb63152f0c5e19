import numpy as np
import pytest

from twobirds.evaluation.prototype import (
    OperatingPoint,
    apply_prototype,
    fit_prototypes,
    success_at_equal_realism,
)


def test_one_attribute_without_ridge_is_the_difference_of_means() -> None:
    images = np.zeros((4, 1, 2, 3), np.uint8)
    images[:2] = 50
    images[2:] = 10
    images[0, :, 0] = 90  # averaged with its mirror image: 70 on both sides
    attributes = np.array([[1], [1], [0], [0]])
    prototypes = fit_prototypes([(images, attributes)], ridge=1e-9)
    assert prototypes.shape == (1, 1, 2, 3)
    np.testing.assert_allclose(prototypes, 60 - 10, atol=1e-4)


def test_ridge_by_hand() -> None:
    """One face of 30 with the attribute: (1 + r) a + b = 30 and a + (1 + r) b = 30."""
    images, attributes = np.full((1, 1, 1, 3), 30, np.uint8), np.ones((1, 1))
    prototypes = fit_prototypes([(images, attributes)], ridge=1.0)
    np.testing.assert_allclose(prototypes, 10, atol=1e-4)


def test_attributes_that_go_together_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    attributes = rng.integers(0, 2, (200, 2))
    attributes[:150, 1] = attributes[:150, 0]  # mostly alike
    levels = 100 + 40 * attributes[:, 0] - 20 * attributes[:, 1]
    images = np.broadcast_to(levels[:, None, None, None], (200, 2, 2, 3)).astype(np.uint8)
    prototypes = fit_prototypes([(images, attributes)], ridge=1e-6)
    np.testing.assert_allclose(prototypes[0], 40, atol=1e-2)
    np.testing.assert_allclose(prototypes[1], -20, atol=1e-2)


def test_parts_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 4, 4, 3)).astype(np.uint8)
    attributes = rng.integers(0, 2, (30, 3))
    whole = fit_prototypes([(images, attributes)])
    halves = fit_prototypes([(images[:11], attributes[:11]), (images[11:], attributes[11:])])
    np.testing.assert_allclose(whole, halves, atol=1e-3)
    with pytest.raises(ValueError, match="no faces"):
        fit_prototypes([])


def test_an_edit_is_the_face_and_a_multiple() -> None:
    images = np.array([100, 250], np.uint8).reshape(2, 1, 1, 1).repeat(3, axis=3)
    edited = apply_prototype(images, np.full((1, 1, 3), 10.3, np.float32), 2.0)
    assert edited[:, 0, 0, 0].tolist() == [121, 255]
    assert np.array_equal(apply_prototype(images, np.ones((1, 1, 3)), 0.0), images)


POINTS = (
    OperatingPoint(0.8, 0.2, 0.6),
    OperatingPoint(1.6, 0.6, 0.8),
    OperatingPoint(2.4, 0.9, 1.0),
)


@pytest.mark.parametrize(
    ("auc", "success"), [(0.6, 0.2), (0.7, 0.4), (0.8, 0.6), (0.9, 0.75), (1.0, 0.9), (0.5, None)]
)
def test_success_at_equal_realism_by_hand(auc: float, success: float | None) -> None:
    found = success_at_equal_realism(POINTS, auc)
    assert found == (None if success is None else pytest.approx(success))


def test_realism_may_first_grow_with_strength() -> None:
    """A weak edit is told by the attribute it lacks: its AUC falls before it rises."""
    points = (OperatingPoint(0.8, 0.1, 0.9), *POINTS[1:])
    assert success_at_equal_realism(points, 0.85) == pytest.approx(0.675)
    assert success_at_equal_realism(points, 0.7) is None

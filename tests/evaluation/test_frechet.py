import numpy as np
import pytest
from scipy.linalg import sqrtm

from twobirds.evaluation.frechet import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    mean_pairwise_distance,
)


def test_one_dimensional_gaussians_by_hand() -> None:
    # (mean difference)^2 + (difference of standard deviations)^2 = 2^2 + (3 - 1)^2
    first = FeatureStatistics(np.array([1.0]), np.array([[1.0]]))
    second = FeatureStatistics(np.array([3.0]), np.array([[9.0]]))
    assert frechet_distance(first, second) == pytest.approx(8.0)


def test_diagonal_gaussians_by_hand() -> None:
    first = FeatureStatistics(np.array([0.0, 0.0]), np.diag([4.0, 1.0]))
    second = FeatureStatistics(np.array([3.0, 4.0]), np.diag([9.0, 16.0]))
    assert frechet_distance(first, second) == pytest.approx(9 + 16 + (3 - 2) ** 2 + (4 - 1) ** 2)


def test_general_covariances_agree_with_the_matrix_square_root() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6)) for _ in range(2)]
    first, second = map(feature_statistics, features)
    cross = sqrtm(first.covariance @ second.covariance).real
    expected = np.square(first.mean - second.mean).sum() + np.trace(
        first.covariance + second.covariance - 2 * cross
    )
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_equal_sets_are_at_distance_zero_even_where_rank_is_lacking() -> None:
    features = np.random.default_rng(0).normal(size=(5, 40))
    statistics = feature_statistics(features)
    assert frechet_distance(statistics, statistics) == pytest.approx(0, abs=1e-4)


def test_statistics_by_hand() -> None:
    statistics = feature_statistics(np.array([[0.0, 0.0], [2.0, 4.0]], np.float32))
    assert statistics.mean.tolist() == [1.0, 2.0]
    assert statistics.covariance.tolist() == [[2.0, 4.0], [4.0, 8.0]]


@pytest.mark.parametrize("shape", [(1, 4), (4,), (0, 4)])
def test_too_few_features_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="N >= 2"):
        feature_statistics(np.zeros(shape))


def test_mean_pairwise_distance_by_hand() -> None:
    triangle = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert mean_pairwise_distance(triangle) == pytest.approx((3 + 4 + 5) / 3)

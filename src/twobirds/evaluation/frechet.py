"""The Fréchet distance between two sets of features (Heusel et al., 2017).

With features of any network but Inception it is not FID: it is named after its features, and
compares only with figures from the same features and the same numbers of images.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class FeatureStatistics(NamedTuple):
    """Mean and covariance of features."""

    mean: np.ndarray
    """`[F]` float64."""
    covariance: np.ndarray
    """`[F, F]` float64, unbiased."""


def feature_statistics(features: np.ndarray) -> FeatureStatistics:
    """Reduce features `[N, F]` to mean and covariance.

    Raises:
        ValueError: If there are fewer than two rows.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features must be [N, F] with N >= 2, not {features.shape}")
    values = features.astype(np.float64)
    return FeatureStatistics(values.mean(axis=0), np.atleast_2d(np.cov(values, rowvar=False)))


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """Squared 2-Wasserstein distance of two Gaussians; see `frechet_distances`."""
    return frechet_distances([first], second)[0]


def frechet_distances(
    several: Iterable[FeatureStatistics], other: FeatureStatistics
) -> list[float]:
    """Squared 2-Wasserstein distances of several Gaussians from another one.

    |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S2^(1/2) S1 S2^(1/2))^(1/2)); the inner matrix is
    symmetric, so its eigenvalues give the last trace without a matrix square root of S1 S2.
    """
    root = _symmetric_root(other.covariance)
    return [_distance(statistics, other, root) for statistics in several]


def _distance(first: FeatureStatistics, second: FeatureStatistics, root: np.ndarray) -> float:
    """The distance of two Gaussians, given the square root of the second's covariance `[F, F]`."""
    cross = np.linalg.eigvalsh(root @ first.covariance @ root)
    spread = np.trace(first.covariance) + np.trace(second.covariance)
    mean_term = float(np.square(first.mean - second.mean).sum())
    distance = mean_term + float(spread - 2 * np.sqrt(cross.clip(min=0)).sum())
    return max(0.0, distance)  # rounding can leave equal sets just below zero


def mean_pairwise_distance(features: np.ndarray) -> float:
    """Mean Euclidean distance over all pairs of distinct rows of `[N, F]`."""
    values = features.astype(np.float64)
    squares = np.square(values).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * values @ values.T  # [N, N], squared
    upper = np.triu_indices(len(values), k=1)
    return float(np.sqrt(distances[upper].clip(min=0)).mean())


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """Square root of a positive semi-definite matrix `[F, F]`."""
    values, vectors = np.linalg.eigh(matrix)
    root: np.ndarray = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root

import numpy as np
import pytest

from twobirds.evaluation.bootstrap import NUM_RESAMPLES, interval, resampled_means


def test_interval_of_a_proportion_has_the_binomial_width() -> None:
    values = np.repeat([1.0, 0.0], [120, 280])[:, None]
    low, high = interval(resampled_means(values, seed=0)[:, 0])
    half_width = 1.96 * np.sqrt(0.3 * 0.7 / 400)
    assert low == pytest.approx(0.3 - half_width, abs=0.01)
    assert high == pytest.approx(0.3 + half_width, abs=0.01)


def test_absent_faces_do_not_count() -> None:
    values = np.array([[1.0, np.nan], [1.0, 0.0], [1.0, np.nan]])
    means = resampled_means(values, seed=0)
    assert means.shape == (NUM_RESAMPLES, 2)
    assert (means[:, 0] == 1).all()
    assert np.isnan(means[:, 1]).any()  # the second face is not in every resample
    assert interval(means[:, 1]) == [0.0, 0.0]


def test_columns_share_their_faces() -> None:
    column = np.random.default_rng(0).integers(0, 2, 50).astype(float)
    means = resampled_means(np.stack([column, 1 - column], axis=1), seed=3)
    assert np.allclose(means.sum(axis=1), 1)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random((30, 1))
    first, again, other = (interval(resampled_means(values, seed=s)[:, 0]) for s in (1, 1, 2))
    assert first == again != other

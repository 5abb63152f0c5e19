"""Two methods on the same faces: the difference, and the interval that people put around it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from twobirds.evaluation.bootstrap import interval, resampled_means

Verdict = Literal["holds", "does not hold", "not decided"]
MIN_PEOPLE = 20
"""People behind a difference below which it decides nothing."""


@dataclass(frozen=True)
class Estimate:
    """A mean over people."""

    mean: float
    """The figure."""
    interval: tuple[float, float]
    """95 % of the means over resampled people."""
    num_faces: int
    """Faces behind it."""
    num_people: int
    """People behind it; faces where nobody is known."""


def person_means(values: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Means over the faces of each person, `[P]` float64.

    Faces of one person are correlated; to resample them one by one would make intervals too narrow.

    Args:
        values: `[N]`.
        people: `[N]` int64; -1 where unknown, each such face a person of its own.
    """
    labels = people.astype(np.int64).copy()
    unknown = labels < 0
    labels[unknown] = labels.max(initial=0) + 1 + np.arange(unknown.sum())
    _, numbers = np.unique(labels, return_inverse=True)
    sums = np.bincount(numbers, weights=values.astype(np.float64))
    means: np.ndarray = sums / np.bincount(numbers)
    return means


def estimate(values: np.ndarray, people: np.ndarray, *, seed: int) -> Estimate:
    """Mean and interval of `values` `[N]` over `people` `[N]`.

    Every person has the same weight in the mean, however many faces each has.
    """
    means = person_means(values, people)
    resampled = resampled_means(means[:, None], seed=seed)[:, 0]
    low, high = interval(resampled)
    return Estimate(float(means.mean()), (low, high), len(values), len(means))


def decide(difference: Estimate) -> Verdict:
    """Whether a claim holds that a difference lies above 0; of few people nothing is decided.

    The interval of one person has no width, and that of a few is far too narrow.
    """
    low, high = difference.interval
    if difference.num_people < MIN_PEOPLE:
        return "not decided"
    if low > 0:
        return "holds"
    return "does not hold" if high < 0 else "not decided"

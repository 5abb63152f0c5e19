"""Bootstrap intervals: how far a figure would move with other faces."""

import numpy as np

NUM_RESAMPLES = 1_000
LEVEL = 0.95
"""Share of the resampled figures that an interval holds."""


def resampled_means(values: np.ndarray, *, seed: int) -> np.ndarray:
    """Column means over faces sampled with replacement.

    A face keeps all its columns, so figures that combine columns respect that one face may stand
    behind several of them.

    Args:
        values: `[N, C]`, NaN where face n has no part in column c.
        seed: Of the resampling.

    Returns:
        `[NUM_RESAMPLES, C]` float64; NaN where a column got no face.
    """
    num_faces = len(values)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(num_faces, np.full(num_faces, 1 / num_faces), NUM_RESAMPLES)
    present = ~np.isnan(values)
    totals = weights @ np.where(present, values, 0.0)  # [R, N] @ [N, C]
    counts = weights @ present.astype(np.float64)
    means: np.ndarray = np.full_like(totals, np.nan)
    np.divide(totals, counts, out=means, where=counts > 0)
    return means


def interval(figures: np.ndarray) -> list[float]:
    """The middle `LEVEL` of resampled figures `[R]`, as [low, high]; NaN are left out."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(figures[~np.isnan(figures)], [tail, 1 - tail])
    return [float(low), float(high)]

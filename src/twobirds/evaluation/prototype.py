"""Edits by prototypes: the baseline that needs no network (Perrett et al., 1998).

One ridge regression of the aligned training faces, averaged with their mirror images, on their
attributes gives a coefficient image for each attribute. An edit adds a multiple of it to the face.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

RIDGE = 5.0
"""Weight of the squared coefficients, in faces."""
STRENGTHS = (0.8, 1.6, 2.4, 3.2)
"""Multiples of the coefficient image that are compared with a model's edits."""


def fit_prototypes(
    parts: Iterable[tuple[np.ndarray, np.ndarray]], *, ridge: float = RIDGE
) -> np.ndarray:
    """Regress faces on attributes.

    Args:
        parts: Faces `[B, S, S, 3]` uint8 with their attributes `[B, K]` 0/1, a part at a time.
        ridge: Weight of the penalty; the intercept has it, too.

    Returns:
        Coefficient images `[K, S, S, 3]` float32 in grey levels: what an attribute adds to a face.
    """
    gram: np.ndarray | float = 0.0
    moments: np.ndarray | float = 0.0
    shape: tuple[int, ...] = ()
    for images, attributes in parts:
        shape = images.shape[1:]
        faces = images.astype(np.float32)
        symmetric = (faces + faces[:, :, ::-1]) / 2  # mirrored left to right
        design = np.concatenate([attributes, np.ones((len(attributes), 1))], axis=1)  # [B, K + 1]
        gram = gram + design.T @ design
        moments = moments + design.T @ symmetric.reshape(len(faces), -1)
    if not shape:
        raise ValueError("there are no faces to fit prototypes to")
    assert isinstance(gram, np.ndarray)
    penalized = gram + ridge * np.eye(len(gram))
    coefficients = np.linalg.solve(penalized, moments)[:-1]  # without the intercept
    prototypes: np.ndarray = coefficients.reshape(-1, *shape).astype(np.float32)
    return prototypes


def apply_prototype(images: np.ndarray, prototype: np.ndarray, strength: float) -> np.ndarray:
    """Add a prototype `[S, S, 3]` to faces `[B, S, S, 3]` uint8, rounded and clipped."""
    edited = images.astype(np.float32) + strength * prototype
    clipped: np.ndarray = edited.round().clip(0, 255).astype(np.uint8)
    return clipped


@dataclass(frozen=True)
class OperatingPoint:
    """How prototypes of one strength do on one attribute."""

    strength: float
    success_rate: float
    """Share of edits on which the judge predicts the attribute."""
    auc: float
    """Realism: 0.5 cannot be told from real faces, 1 gives itself away."""


def success_at_equal_realism(points: Sequence[OperatingPoint], auc: float) -> float | None:
    """The best success of prototypes that are at least as realistic as edits with a given AUC.

    Between two neighbouring strengths both figures are taken to change linearly.

    Args:
        points: In the order of their strengths.
        auc: Of the edits to compare with.

    Returns:
        None if no strength is as realistic.
    """
    reached = [point.success_rate for point in points if point.auc <= auc]
    for first, second in pairwise(points):
        if (first.auc - auc) * (second.auc - auc) < 0:
            share = (auc - first.auc) / (second.auc - first.auc)
            step = second.success_rate - first.success_rate
            reached.append(first.success_rate + share * step)
    return max(reached, default=None)

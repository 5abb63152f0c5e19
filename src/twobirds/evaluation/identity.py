"""Whether a face stays the same person: distances, calibrated before any is quoted (P17)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from twobirds.data.faces import to_pixels
from twobirds.data.pack import Landmarks
from twobirds.errors import InputError
from twobirds.evaluation.embedder import Embedder, PackEmbeddings

FAR = 1e-3
"""False accept rate at which the threshold stands: one in a thousand strangers passes."""
MIN_DIFFERENT = round(1 / FAR)
"""Pairs of strangers below which the false accept rate cannot be measured."""
MIN_AUC = 0.8
"""An embedder that tells a pack's people apart less surely gives no scores."""
_MAX_PAIRS = 200_000


@dataclass(frozen=True)
class Calibration:
    """What an embedder's distances mean on the real faces of a pack."""

    auc: float
    """Probability that a same-person pair is closer than a pair of strangers."""
    threshold: float
    """Distance below which two faces count as one person."""
    tar: float
    """Share of same-person pairs that pass."""
    median_same: float
    """Median distance of same-person pairs."""
    median_different: float
    """Median distance of strangers."""
    num_faces: int
    """Faces embedded."""
    num_same: int
    """Same-person pairs."""
    num_different: int
    """Pairs of strangers."""


def squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared L2 distance of matching rows, `[N]` in [0, 4] from unit vectors `[N, E]`."""
    distances: np.ndarray = np.square(first - second).sum(axis=1)
    return distances


def calibrate(embeddings: PackEmbeddings, *, seed: int, max_faces: int) -> Calibration:
    """Measure an embedder on same-person and different-person pairs of a pack.

    Args:
        embeddings: Of a pack with identities.
        seed: Of the choice of people and pairs.
        max_faces: Maximum number of faces to embed.

    Raises:
        InputError: If fewer than two people of the pack have two faces, or there are fewer than
            `MIN_DIFFERENT` pairs of strangers.
    """
    pack = embeddings.pack
    rows = _faces_of_known_people(pack.identity, seed, max_faces)
    if len(np.unique(pack.identity[rows])) < 2:
        raise InputError(f"{pack.path} has fewer than two people with two faces each")
    vectors = embeddings.of(rows)
    same, different = _pair_indices(pack.identity[rows], seed)
    return calibrate_distances(
        squared_distances(vectors[same[:, 0]], vectors[same[:, 1]]),
        squared_distances(vectors[different[:, 0]], vectors[different[:, 1]]),
        num_faces=len(rows),
    )


def calibrate_distances(same: np.ndarray, different: np.ndarray, *, num_faces: int) -> Calibration:
    """Set the threshold at `FAR`, and tell how well distances of both kinds separate.

    Args:
        same: `[P]`, of same-person pairs.
        different: `[Q]`, of pairs of strangers.
        num_faces: Faces embedded.

    Raises:
        InputError: If there are fewer than `MIN_DIFFERENT` pairs of strangers.
    """
    if len(different) < MIN_DIFFERENT:
        raise InputError(
            f"only {len(different)} pairs of different people, but a false accept rate of {FAR:g} "
            f"takes {MIN_DIFFERENT:,}"
        )
    is_same = np.concatenate([np.ones(len(same)), np.zeros(len(different))])
    closeness = -np.concatenate([same, different])
    threshold = float(np.sort(different)[int(FAR * len(different))])
    return Calibration(
        auc=float(roc_auc_score(is_same, closeness)),
        threshold=threshold,
        tar=float((same < threshold).mean()),
        median_same=float(np.median(same)),
        median_different=float(np.median(different)),
        num_faces=num_faces,
        num_same=len(same),
        num_different=len(different),
    )


def identity_distance(
    embedder: Embedder, landmarks: Landmarks | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """How far apart faces are, for whoever holds tensors.

    Args:
        embedder: What measures.
        landmarks: Where the faces have theirs; None where unknown.

    Returns:
        Two batches `[B, 3, H, W]` in [-1, 1] to squared distances `[B]` float32 in [0, 4].
    """

    def distance(first: Tensor, second: Tensor) -> Tensor:
        both = [embedder.embed(to_pixels(images), landmarks) for images in (first, second)]
        return torch.from_numpy(squared_distances(*both))

    return distance


def identity_scores(distances: np.ndarray, calibration: Calibration) -> dict[str, Any]:
    """The `identity` section from distances `[N]` between faces and their sources."""
    return {
        "median_distance": float(np.median(distances)),
        "same_person_rate": float((distances < calibration.threshold).mean()),
        "support": len(distances),
    }


def _faces_of_known_people(identity: np.ndarray, seed: int, max_faces: int) -> np.ndarray:
    """Rows of people with two faces or more, whole people in random order, `[F]` int64."""
    people, counts = np.unique(identity[identity >= 0], return_counts=True)
    people = np.random.default_rng(seed).permutation(people[counts >= 2])
    rows_of = np.argsort(identity, kind="stable")
    starts = np.searchsorted(identity[rows_of], people)
    ends = np.searchsorted(identity[rows_of], people, side="right")
    kept = np.cumsum(ends - starts) <= max_faces
    ranges = zip(starts[kept], ends[kept], strict=True)
    rows = [rows_of[start:end] for start, end in ranges]
    return np.concatenate(rows) if rows else np.empty(0, np.int64)


def _pair_indices(identity: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of the same person and of two people, `[P, 2]` and `[Q, 2]` indices into `[F]`."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(len(identity), k=1)
    same = np.flatnonzero(identity[first] == identity[second])
    different = rng.choice(len(first), min(len(first), _MAX_PAIRS + len(same)), replace=False)
    different = np.setdiff1d(different, same)[:_MAX_PAIRS]
    pairs = np.stack([first, second], axis=1)  # [F (F - 1) / 2, 2]
    return pairs[same], pairs[different]

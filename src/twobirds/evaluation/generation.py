"""Faces from noise: how far from real ones, how varied, and with what they were asked for (P2)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from torch import Tensor

from twobirds.data.faces import to_uint8
from twobirds.evaluation.faces import BATCH_SIZE, Decoder, Progress
from twobirds.evaluation.frechet import (
    feature_statistics,
    frechet_distance,
    mean_pairwise_distance,
)
from twobirds.randomness import RandomPurpose, keyed_generator

_PAIRED_FACES = 2_000  # of each kind, for the mean pairwise distance


def generate_batches(
    model: Decoder, attributes: np.ndarray, *, seed: int, progress: Progress | None = None
) -> Iterator[Tensor]:
    """Generate a face for each attribute row, with z from U(-1, 1), a batch at a time.

    Args:
        model: The generator.
        attributes: `[N, K]` 0/1.
        seed: Of z; a row's z depends on its number alone, not on the batches.
        progress: Called with the step, the number of faces generated, and of all.

    Yields:
        `[B, S, S, 3]` uint8, where the model put them.
    """
    generator = keyed_generator(seed, RandomPurpose.EVALUATION_LATENTS)
    latents = torch.rand(len(attributes), model.num_latents, generator=generator) * 2 - 1
    rows = torch.from_numpy(attributes.astype(np.float32))
    pairs = zip(latents.split(BATCH_SIZE), rows.split(BATCH_SIZE), strict=True)
    done = 0
    for z, c in pairs:
        with torch.inference_mode():
            yield to_uint8(model.decode(z.to(model.device), c.to(model.device)))
        done += len(z)
        if progress is not None:
            progress("generating", done, len(latents))


def generate_images(
    model: Decoder, attributes: np.ndarray, *, seed: int, progress: Progress | None = None
) -> np.ndarray:
    """All faces of `generate_batches`, `[N, S, S, 3]` uint8."""
    generated = generate_batches(model, attributes, seed=seed, progress=progress)
    return np.concatenate([pixels.cpu().numpy() for pixels in generated])


def score_generation(
    fakes: tuple[np.ndarray, np.ndarray],
    asked: np.ndarray,
    real_features: np.ndarray,
    other_real_features: np.ndarray | None,
    *,
    feature_name: str,
) -> dict[str, Any]:
    """The `generation` section of the report.

    Args:
        fakes: The judge's logits `[N, K]` and features `[N, F]` of the generated faces.
        asked: `[N, K]` 0/1, the attributes the fakes were made from.
        real_features: `[M, F]` of the real faces evaluated on.
        other_real_features: `[L, F]` of other real faces, at best as many as there are fakes, for
            the floor; None where there are none.
        feature_name: What the distance is named after.
    """
    logits, features = fakes
    real = feature_statistics(real_features)
    section: dict[str, Any] = {
        "frechet_distance": frechet_distance(feature_statistics(features), real),
        "features": feature_name,
        "num_fakes": len(features),
        "num_real": len(real_features),
        "halves_floor": frechet_distance(
            feature_statistics(real_features[::2]), feature_statistics(real_features[1::2])
        ),
    }
    if other_real_features is not None:
        others = feature_statistics(other_real_features)
        section["real_floor"] = frechet_distance(others, real)
        section["num_floor"] = len(other_real_features)
    return section | _score_attributes(logits, asked) | _score_diversity(features, real_features)


def _score_attributes(logits: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """How often the judge predicts what was asked for: logits and attributes `[N, K]`."""
    predicted = logits > 0
    varied = np.flatnonzero((asked.min(axis=0) == 0) & (asked.max(axis=0) == 1))
    scores = {"attribute_accuracy": float((predicted == asked).mean())}
    if len(varied):
        balanced = [balanced_accuracy_score(asked[:, k], predicted[:, k]) for k in varied]
        scores["attribute_balanced_accuracy"] = float(np.mean(balanced))
    return scores


def _score_diversity(features: np.ndarray, real_features: np.ndarray) -> dict[str, float]:
    """Mean pairwise distance of fakes over that of real faces: 1 is as varied as life."""
    fake, real = (mean_pairwise_distance(f[:_PAIRED_FACES]) for f in (features, real_features))
    # Identical faces are 0 apart, but for rounding.
    return {"diversity": fake / real} if real > 1e-5 * float(np.abs(real_features).max()) else {}

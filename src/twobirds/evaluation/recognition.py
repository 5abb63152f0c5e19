"""How well a model recognizes attributes (P1, Sec. 5.3.1)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, balanced_accuracy_score, hamming_loss

SLICED_BY = ("Male", "Young")
"""Attributes by which groups of people are told apart, for the errors on each."""


def majority_labels(train_attributes: np.ndarray) -> np.ndarray:
    """The more frequent value of each attribute, `[K]` uint8 from `[N, K]` 0/1."""
    majority: np.ndarray = (train_attributes.mean(axis=0) > 0.5).astype(np.uint8)
    return majority


def score_recognition(
    probabilities: np.ndarray,
    attributes: np.ndarray,
    majority: np.ndarray,
    names: Sequence[str],
) -> dict[str, Any]:
    """Compare predictions with the labels.

    Args:
        probabilities: `[N, K]` in [0, 1].
        attributes: `[N, K]` 0/1, the labels.
        majority: `[K]` 0/1, what always guessing the majority of the training split would say.
        names: The K attribute names.

    Returns:
        The `recognition` section of the report. Balanced accuracy and average precision are over
        the attributes that have both values here; the others lack them. `slices` has the Hamming
        loss on the faces with and without each attribute of `SLICED_BY`, that attribute left out.
    """
    predicted = (probabilities > 0.5).astype(np.uint8)
    per_attribute = {
        name: _score_attribute(probabilities[:, k], attributes[:, k], int(majority[k]))
        for k, name in enumerate(names)
    }
    guesses = np.broadcast_to(majority, attributes.shape)
    scores = {
        "hamming_loss": float(hamming_loss(attributes, predicted)),
        "majority_hamming_loss": float(hamming_loss(attributes, guesses)),
    }
    for key, short in (
        ("balanced_accuracy", "balanced_accuracy"),
        ("mean_average_precision", "average_precision"),
    ):
        values = [scored[short] for scored in per_attribute.values() if short in scored]
        if values:
            scores[key] = float(np.mean(values))
    slices = _score_slices(predicted, attributes, names)
    return {**scores, "slices": slices, "per_attribute": per_attribute}


def _score_slices(
    predicted: np.ndarray, attributes: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    """Hamming loss on groups of faces by their labels: predictions and labels `[N, K]`."""
    wrong, slices = predicted != attributes, {}
    for name in (name for name in SLICED_BY if name in names and len(names) > 1):
        column = names.index(name)
        others = np.delete(wrong, column, axis=1)
        for value, title in ((1, name), (0, f"not {name}")):
            rows = attributes[:, column] == value
            if rows.any():
                loss = float(others[rows].mean())
                slices[title] = {"hamming_loss": loss, "support": int(rows.sum())}
    return slices


def _score_attribute(
    probabilities: np.ndarray, labels: np.ndarray, majority: int
) -> dict[str, float | int]:
    """Scores of one attribute: probabilities and labels `[N]`."""
    predicted = probabilities > 0.5
    scores: dict[str, float | int] = {
        "accuracy": float((predicted == labels).mean()),
        "majority_accuracy": float((labels == majority).mean()),
        "support": int(labels.sum()),
    }
    if 0 < labels.sum() < len(labels):
        scores["balanced_accuracy"] = float(balanced_accuracy_score(labels, predicted))
        scores["average_precision"] = float(average_precision_score(labels, probabilities))
    return scores

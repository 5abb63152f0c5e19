"""The networks that look at faces for an evaluation; a set of faces passes once through each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twobirds.data.faces import from_pixels
from twobirds.evaluation.judge import Judge


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the networks make of N faces."""

    logits: np.ndarray
    """`[N, K]` float32, the judge's attribute logits."""
    features: np.ndarray
    """`[N, F]` float32, the judge's features."""


@dataclass(frozen=True, eq=False)
class Judges:
    """The networks, all on one device."""

    judge: Judge

    def predict(self, pixels: Tensor) -> Predictions:
        """Show the networks one batch of faces.

        Args:
            pixels: `[B, S, S, 3]` uint8, as saved pictures are, on any device.
        """
        with torch.inference_mode():
            images = from_pixels(pixels.to(self.judge.device))
            logits, features = self.judge.network(images)
        return Predictions(logits.cpu().numpy(), features.cpu().numpy())

    def predict_all(self, batches: Iterable[Tensor]) -> Predictions:
        """The same for several batches."""
        return join_predictions([self.predict(pixels) for pixels in batches])


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several batches as those of one."""
    return Predictions(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.features for part in parts]),
    )

"""The networks that look at faces for an evaluation; a set of faces passes once through each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twobirds.data.faces import from_pixels
from twobirds.evaluation.feature_network import FeatureNetwork
from twobirds.evaluation.judge import Judge
from twobirds.evaluation.second_judge import SecondJudge


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the networks make of N faces."""

    logits: np.ndarray
    """`[N, K]` float32, the judge's attribute logits."""
    features: np.ndarray
    """`[N, F]` float32, the judge's features."""
    second_logits: np.ndarray | None = None
    """`[N, K]` float32, the second judge's; None where it was not asked."""
    realism_features: np.ndarray | None = None
    """`[N, 1280]` float32, by which realism is measured; None where that is not."""


@dataclass(frozen=True, eq=False)
class Judges:
    """The networks, all on one device."""

    judge: Judge
    feature_network: FeatureNetwork | None = None
    second_judge: SecondJudge | None = None
    """None without a feature network, on whose trunk it stands."""

    def predict(self, pixels: Tensor, *, closely: bool = False) -> Predictions:
        """Show the networks one batch of faces.

        Args:
            pixels: `[B, S, S, 3]` uint8, as saved pictures are, on any device.
            closely: Whether the feature network and the second judge look, too.
        """
        with torch.inference_mode():
            images = from_pixels(pixels.to(self.judge.device))
            logits, features = self.judge.network(images)
            second_logits = realism_features = None
            if closely and self.feature_network is not None:
                activations = self.feature_network.trunk(images)
                realism_features = _to_numpy(self.feature_network.tail(activations))
                if self.second_judge is not None:
                    second_logits = _to_numpy(self.second_judge.network(activations))
        return Predictions(_to_numpy(logits), _to_numpy(features), second_logits, realism_features)

    def predict_all(self, batches: Iterable[Tensor]) -> Predictions:
        """The same for several batches."""
        return join_predictions([self.predict(pixels) for pixels in batches])

    def realism_features(self, batches: Iterable[Tensor]) -> np.ndarray:
        """What the feature network alone makes of several batches, `[N, 1280]` float32."""
        assert self.feature_network is not None
        with torch.inference_mode():
            parts = [
                _to_numpy(self.feature_network(from_pixels(pixels.to(self.judge.device))))
                for pixels in batches
            ]
        return np.concatenate(parts)


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several batches as those of one."""
    return Predictions(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.features for part in parts]),
        _concatenate([part.second_logits for part in parts]),
        _concatenate([part.realism_features for part in parts]),
    )


def _concatenate(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Arrays of several batches as one; None if a batch has none."""
    present = [part for part in parts if part is not None]
    return np.concatenate(present) if len(present) == len(parts) else None


def _to_numpy(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.float().cpu().numpy()
    return array

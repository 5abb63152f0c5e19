"""How much of a change the editor makes, and how much of it is left to the prototype.

An editor paints what a prototype cannot, and tears hair and skin where it paints too much; a
prototype added to the face keeps every strand, and shows little by itself. Which mixture looks
best differs from change to change (docs/adr/034-edits-blended-with-prototypes.md).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from twobirds.data.attributes import GROUPS
from twobirds.evaluation.realism import FeatureSet, separability
from twobirds.models.pretrained import EfficientNetLite, load_efficientnet_lite

_AUC_COST = 3.0  # of an AUC of 1, in units of the rate on real faces
_EDITOR_COST = 0.3  # of the editor's whole change: at equal figures less of it looks better
_MIN_REAL_RATE = 0.2  # below, a few edits would count as all that real faces show
_CHUNK = 32  # faces in one pass


class Blend(NamedTuple):
    """A mixture of an editor's change and its prototype."""

    editor: float
    """How much of the change the editor is told to make, in (0, 1]."""
    prototypes: float
    """How many prototypes of the change are added to that."""

    def times(self, amount: float) -> "Blend":
        """The same mixture of a smaller change."""
        return Blend(amount * self.editor, amount * self.prototypes)


BLENDS = (
    Blend(1.0, 0.0), Blend(1.0, 0.4), Blend(0.8, 0.4), Blend(0.8, 0.8), Blend(0.6, 0.8),
    Blend(0.4, 1.2), Blend(0.2, 1.2),
)  # fmt: skip
"""What is tried; the first is the editor alone."""
UNBLENDED = frozenset({*GROUPS["Hair"], "Wearing_Hat", "Pale_Skin", "Blurry"})
"""Attributes whose prototypes also tint the background: halos around heads, on photos."""


class RealnessJudge:
    """Tells edited faces from real ones by the network whose features D looks at in training.

    What `evaluate` measures edits with is another network, which takes no part in this.

    Args:
        images: `[N, 3, H, W]` float32 in [-1, 1], real faces.
        people: `[N]` int64: whose they are.
        seed: Of the folds.

    Raises:
        InputError: If the package with the weights of EfficientNet-lite0 is not installed.
    """

    def __init__(self, images: Tensor, people: np.ndarray, *, seed: int) -> None:
        self._network = load_efficientnet_lite("lite0")
        self._real = FeatureSet(_features(self._network, images), people)
        self._seed = seed

    def auc(self, edited: Tensor, sources: np.ndarray, real: np.ndarray) -> float | None:
        """How well edits are told from real faces; None where there are too few.

        Args:
            edited: `[B, 3, H, W]` in [-1, 1].
            sources: `[B]` int64: places of the faces that they were made of.
            real: `[R]` int64: places of faces that have what the edits were given.
        """
        made = FeatureSet(_features(self._network, edited), self._real.people[sources])
        found = separability(self._real.take(real), made, seed=self._seed)
        return None if found is None else found.auc


def choose_blend(
    edit: Callable[[Blend], Tensor],
    rate_of: Callable[[Tensor], float],
    auc_of: Callable[[Tensor], float | None],
    *,
    real_rate: float,
) -> Blend:
    """Find the blend whose edits show the change and are hard to tell from real faces.

    Args:
        edit: Makes edits `[B, 3, H, W]` by a blend.
        rate_of: Share of edits in which the change is seen.
        auc_of: How well edits are told from real faces; None where that is not known.
        real_rate: Share of real faces in which it is seen; more counts no more.

    Returns:
        The editor alone where the recognizer sees the value on less than a fifth of the real
        faces, or realism is not known.
    """
    values: Mapping[Blend, float] = dict(_values(edit, rate_of, auc_of, real_rate))
    return max(values, key=values.__getitem__) if values else BLENDS[0]


def _values(
    edit: Callable[[Blend], Tensor],
    rate_of: Callable[[Tensor], float],
    auc_of: Callable[[Tensor], float | None],
    real_rate: float,
) -> Iterator[tuple[Blend, float]]:
    for blend in BLENDS if real_rate >= _MIN_REAL_RATE else ():
        edited = edit(blend)
        auc = auc_of(edited)
        if auc is None:
            return
        shown = min(1.0, rate_of(edited) / real_rate)
        yield blend, shown - _AUC_COST * auc - _EDITOR_COST * blend.editor


def _features(network: EfficientNetLite, images: Tensor) -> np.ndarray:
    """The inputs of the network's classifier, `[N, 1280]` float32."""
    with torch.inference_mode():
        parts = [network.pooled(part) for part in images.split(_CHUNK)]
    features: np.ndarray = torch.cat(parts).numpy()
    return features

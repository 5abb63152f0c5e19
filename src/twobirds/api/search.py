"""The strength at which an edit shows, within what the person's identity allows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from twobirds.errors import InputError

STRENGTHS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""What is tried, in this order."""
Reason = Literal["reached", "identity", "strength"]
"""Why a search ended: the recognizer agrees; more would cost the person; no more strength."""
Draw = Callable[[float], Tensor]
"""Faces `[B, 3, H, W]` at a strength; 0 changes nothing."""


@dataclass(frozen=True)
class Limits:
    """When to stop raising the strength of an edit."""

    until: float = 0.9
    """Probability in [0, 1] that the recognizer shall give each change."""
    max_identity_distance: float | None = None
    """Most that an edit may cost, by `identity`; None sets no limit."""
    identity: Callable[[Tensor, Tensor], Tensor] | None = None
    """Two batches of faces `[B, 3, H, W]` in [-1, 1] to their distances `[B]`: an embedder's."""

    def __post_init__(self) -> None:
        if not (isinstance(self.until, Real) and 0 <= self.until <= 1):
            raise InputError(f"until must lie in [0, 1], not {self.until!r}")
        if (self.identity is None) != (self.max_identity_distance is None):
            raise InputError("max_identity_distance goes with an identity to measure it by")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Edited:
    """What `FaceModel.edit_until` found for B faces."""

    images: Tensor
    """`[B, 3, H, W]` float32 in [-1, 1]."""
    strength: Tensor
    """`[B]` float32; 0 where even the weakest edit would have cost too much identity."""
    agreement: Tensor
    """`[B]` in [0, 1]: what the recognizer gives the change that it believes least."""
    reasons: list[Reason]
    """B of them."""


def agreement(probabilities: Tensor, changes: Mapping[str, float], names: Sequence[str]) -> Tensor:
    """What the change believed least is given, `[B]` in [0, 1]; 1 without changes.

    Args:
        probabilities: `[B, K]` in [0, 1]: what was read.
        changes: Targets by name.
        names: The K attributes.
    """
    if not changes:
        return torch.ones(len(probabilities))
    columns = [names.index(name) for name in changes]
    targets = torch.tensor(list(changes.values()), dtype=torch.float32)
    return 1 - (probabilities[:, columns] - targets).abs().amax(1)


def search_strength(
    draw: Draw, agree: Callable[[Tensor], Tensor], limits: Limits, sources: Tensor
) -> Edited:
    """Raise the strength, of each face for itself.

    Args:
        draw: Draws all faces at a strength.
        agree: Faces to the agreement with the edit, `[B]` in [0, 1].
        limits: When to stop.
        sources: `[B, 3, H, W]`, what identity is compared with.
    """
    images = draw(0.0)
    count = len(images)
    strength, agreement = torch.zeros(count), agree(images)
    reasons: list[Reason] = ["strength"] * count
    is_open = torch.ones(count, dtype=torch.bool)

    def close(which: Tensor, reason: Reason) -> None:
        for index in torch.where(is_open & which)[0].tolist():
            is_open[index], reasons[index] = False, reason

    for value in STRENGTHS:
        if not is_open.any():
            break
        drawn = draw(value)
        if limits.identity is not None and limits.max_identity_distance is not None:
            distances = limits.identity(drawn, sources)
            close(distances > limits.max_identity_distance, "identity")
        images[is_open], strength[is_open] = drawn[is_open], value
        agreement = torch.where(is_open, agree(drawn), agreement)
        close(agreement >= limits.until, "reached")
    return Edited(images, strength, agreement, reasons)

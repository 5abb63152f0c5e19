"""The strength at which an edit shows, within what the person's identity allows."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from twobirds.errors import InputError

STRENGTHS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""What is tried, in this order."""
Reason = Literal["reached", "identity", "strength", "already"]
"""Why a search ended: the recognizer agrees; more would cost the person; it agrees less than asked
for at every strength; the face has all that was asked for already, predicted with a probability
above a half, or agrees unedited, so that nothing is edited."""
EditFaces = Callable[[float], Tensor]
"""Faces `[B, 3, H, W]` at a strength; 0 changes nothing."""
Predict = Callable[[Tensor], Tensor]
"""Faces `[B, 3, H, W]` to the probabilities of n attributes, `[B, n]` in [0, 1]."""


@dataclass(frozen=True)
class Limits:
    """When to stop raising the strength of an edit."""

    until: float = 0.9
    """How far the recognizer shall agree with each change, in [0, 1]: for an attribute that is to
    be added its probability, for one to be removed one less that."""
    max_identity_distance: float | None = None
    """Largest distance by `identity` between an edit and its source; None sets no limit."""
    identity: Callable[[Tensor, Tensor], Tensor] | None = None
    """Two batches of faces `[B, 3, H, W]` in [-1, 1] to their distances `[B]`: an embedder's."""

    def __post_init__(self) -> None:
        if not (isinstance(self.until, Real) and 0 <= self.until <= 1):
            raise InputError(f"until must lie in [0, 1], not {self.until!r}")
        budget = self.max_identity_distance
        if budget is not None and not (isinstance(budget, Real) and 0 <= budget < math.inf):
            raise InputError(
                f"max_identity_distance must be finite and not negative, not {budget!r}"
            )
        if (self.identity is None) != (budget is None):
            raise InputError("max_identity_distance goes with an identity to measure it by")


DEFAULT_LIMITS = Limits()


def as_limits(limits: "Limits | float") -> Limits:
    """Limits as they are, or of a number that stands for `until`.

    Raises:
        InputError: If it is neither, or outside [0, 1].
    """
    return limits if isinstance(limits, Limits) else Limits(limits)


@dataclass(frozen=True)
class Edited:
    """What `FaceModel.edit_until` found for B faces."""

    images: Tensor
    """`[B, 3, H, W]` float32 in [-1, 1]."""
    strength: Tensor
    """`[B]` float32, one of `STRENGTHS`: of those within the limits, up to the first that is
    enough, the one that the recognizer agrees with most, the higher of equals; 0 where nothing was
    edited or the weakest edit would have cost too much identity."""
    agreement: Tensor
    """`[B]` in [0, 1]: how far the recognizer agrees with the change that it agrees with least;
    of those asked for that the face did not have, or, if it had them all, of all."""
    reasons: list[Reason]
    """B of them."""
    unedited: Tensor
    """`[B, 3, H, W]`: what an edit of nothing gives."""
    distance: Tensor | None = None
    """`[B]`: how far `images` are from the sources by `identity`, if the limits have one."""


class Wish(NamedTuple):
    """What is to change of B faces, n attributes each."""

    has: Tensor
    """`[B, n]` 0/1: the predicted attributes."""
    target: Tensor
    """`[B, n]` in [0, 1]."""


def agreement(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Agreement of predictions with targets, 1 where they are equal.

    Args:
        probabilities: `[B, n]` in [0, 1]: predictions of n attributes.
        targets: `[B, n]` in [0, 1].

    Returns:
        `[B, n]` in [0, 1].
    """
    return 1 - (probabilities - targets).abs()


def search_strength(
    edit: EditFaces, predict: Predict, wish: Wish, limits: Limits, sources: Tensor
) -> Edited:
    """Raise the strength, of each face for itself.

    Args:
        edit: Edits all faces at a strength.
        predict: Predicts the n attributes that are to change.
        wish: What they were and shall be.
        limits: When to stop.
        sources: `[B, 3, H, W]`, what identity is compared with.
    """
    unedited = edit(0.0)
    images, count = unedited.clone(), len(unedited)
    strength, agreements = torch.zeros(count), agreement(predict(images), wish.target)
    spent = None if limits.identity is None else limits.identity(unedited, sources)
    best = torch.full((count,), -torch.inf)  # of edits: an edit of nothing is no answer
    reasons: list[Reason] = ["strength"] * count
    is_open = torch.ones(count, dtype=torch.bool)

    def close(which: Tensor, reason: Reason) -> None:
        for index in torch.where(is_open & which)[0].tolist():
            is_open[index], reasons[index] = False, reason

    def is_reached() -> Tensor:
        # A face that is seen to smile is not edited to smile: to wait for that would only
        # exaggerate the other changes.
        return ((agreements >= limits.until) | (wish.has == wish.target)).all(1)

    close(is_reached(), "already")
    for value in STRENGTHS:
        if not is_open.any():
            break
        edited = edit(value)
        distances = None if limits.identity is None else limits.identity(edited, sources)
        if distances is not None and limits.max_identity_distance is not None:
            close(distances > limits.max_identity_distance, "identity")
        found = agreement(predict(edited), wish.target)
        # More is not always better: half of a smile is soon passed.
        is_better = is_open & (_min_agreement(found, wish) >= best)
        images[is_better], strength[is_better] = edited[is_better], value
        agreements[is_better], best[is_better] = (
            found[is_better],
            _min_agreement(found, wish)[is_better],
        )
        if spent is not None and distances is not None:
            spent[is_better] = distances[is_better]
        close(is_reached(), "reached")
    return Edited(images, strength, _min_agreement(agreements, wish), reasons, unedited, spent)


def _min_agreement(agreements: Tensor, wish: Wish) -> Tensor:
    """The lowest agreement `[B]` with a change; where nothing was to change, with any target."""
    if not agreements.shape[1]:
        return torch.ones(len(agreements))
    is_there = wish.has == wish.target
    is_passed_over = is_there & ~is_there.all(1, keepdim=True)
    return agreements.masked_fill(is_passed_over, 1.0).amin(1)

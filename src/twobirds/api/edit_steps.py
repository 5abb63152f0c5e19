"""Several changes of one face, made one after the other.

An editor that makes six changes at once adds up what each of them paints, and training edits change
one attribute. One after the other, each change is made of the face as the changes before left it;
the layers of all are composed into one edit (docs/logbook/modern.md has what that brings).
"""

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from twobirds.data.attributes import GROUPS, exclusion_matrix
from twobirds.models.edit_layers import (
    EditLayers,
    apply_layers,
    at_full_strength,
    compose,
    scale_layers,
)
from twobirds.models.networks import FaceNetworks

_ORDER = ("Worn", "Beard", "Mouth and nose", "Eyes and brows", "Face", "Hair", "Impression")
"""Groups of attributes: details before what changes the whole face."""


def composed_layers(
    networks: FaceNetworks, images: Tensor, has: Tensor, target: Tensor, names: Sequence[str]
) -> tuple[EditLayers, Tensor] | None:
    """The layers of an edit, each change made of what the changes before it left.

    Args:
        networks: The model's.
        images: `[B, 3, H, W]` in [-1, 1].
        has: `[B, K]` in [0, 1]: the attributes that the faces have.
        target: `[B, K]`: those that they shall have; beyond [0, 1] at strengths above 1.
        names: The K attributes.

    Returns:
        As `FaceNetworks.edit_layers`.
    """
    whole, strength = at_full_strength(target - has)  # [B, K], [B]
    steps = list(changes_in_order(whole, names))
    if len(steps) < 2:
        return networks.edit_layers(images, has, target)
    composed: EditLayers | None = None
    before, edited, full = has, images, torch.ones_like(strength)
    for step in steps:
        if composed is not None:
            edited = apply_layers(images, composed, full).clamp(-1, 1)
        found = networks.edit_layers(edited, before, before + step)
        if found is None:
            return None
        layers = scale_layers(*found)
        composed = layers if composed is None else compose(composed, layers)
        before = before + step
    assert composed is not None
    return composed, strength


def changes_in_order(change: Tensor, names: Sequence[str]) -> Iterator[Tensor]:
    """Divide changes `[B, K]` of attributes into those of one attribute each, in order.

    What an attribute that is switched on contradicts goes with it: black hair becomes blond in one
    step. Steps in which no face changes are left out.

    Args:
        change: `[B, K]`: the attributes wanted less those the faces have.
        names: The K attributes.

    Yields:
        `[B, K]` each, which add up to `change`.
    """
    exclusion, order = _exclusion(tuple(names)).to(change), _order(tuple(names))
    is_replaced = (change.clamp(min=0) @ exclusion > 0) & (change < 0)  # [B, K]
    for column in order:
        alone = torch.where(is_replaced[:, column], 0, change[:, column])  # [B]
        step = torch.zeros_like(change)
        step[:, column] = alone
        replaced = exclusion[column] * is_replaced * (alone > 0)[:, None]
        step = step + replaced * change
        change = change - step
        is_replaced = is_replaced & (change < 0)
        if bool(step.any()):
            yield step


@functools.cache
def _exclusion(names: tuple[str, ...]) -> Tensor:
    """`[K, K]` 0/1: which attributes exclude which."""
    with torch.inference_mode(mode=False):
        return torch.from_numpy(exclusion_matrix(names))


@functools.cache
def _order(names: tuple[str, ...]) -> tuple[int, ...]:
    """The columns, details first; attributes of no group are taken for details."""
    rank = {name: place for place, group in enumerate(_ORDER) for name in GROUPS[group]}
    return tuple(sorted(range(len(names)), key=lambda k: rank.get(names[k], -1)))

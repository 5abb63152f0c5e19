"""Which attributes of a real face training changes, so that every change is learned."""

import torch
from torch import Tensor

from twobirds.runtime import to_device

MAX_CHANGES = 6
_SHARES = (0.4, 0.12, 0.1, 0.1, 0.12, 0.16)  # of the faces with 1, 2, ... changes


def sample_changes(
    attributes: Tensor,
    frequencies: Tensor,
    exclusion: Tensor,
    preference: Tensor,
    generator: torch.Generator,
    *,
    num_varying: int,
) -> Tensor:
    """Reverse one to six attributes of each face; none contradicts another.

    An attribute is added about as often as it is removed, however rare it is: each is sampled with
    a weight of one over the frequency of the value that the face has.

    Args:
        attributes: `[B, K]` 0/1: what the faces have.
        frequencies: `[K]` in [0, 1]: the part of the training faces that has each.
        exclusion: `[K, K]` 0/1: which exclude which.
        preference: `[K]`, above 0: how many times as often each is changed.
        generator: On the CPU.
        num_varying: How many of the frequencies are neither 0 nor 1; the host cannot look them up
            without waiting for the device.

    Returns:
        `[B, K]` 0/1: the attributes wanted.
    """
    had = torch.where(attributes > 0, frequencies, 1 - frequencies)  # [B, K]
    varies = ((frequencies > 0) & (frequencies < 1)).float()  # else there is nothing to learn from
    if not num_varying:
        return attributes.clone()
    device, num_choices = attributes.device, min(MAX_CHANGES, num_varying)
    weights = varies * preference / had.clamp(min=0.01)
    choices = sample_without_replacement(weights, num_choices, generator)  # [B, 6], in order
    shares = torch.tensor(_SHARES[:num_choices])
    counts = torch.multinomial(shares, len(attributes), replacement=True, generator=generator) + 1
    counts = to_device(counts, device)
    target, blocked = attributes.clone(), torch.zeros_like(attributes)
    for number in range(num_choices):
        chosen = torch.zeros_like(attributes).scatter_(1, choices[:, number : number + 1], 1.0)
        chosen = chosen * (counts > number).float().unsqueeze(1) * (1 - blocked)  # [B, K]
        added = chosen * (1 - attributes)
        excluded = added @ exclusion
        target = (target * (1 - chosen) + added) * (1 - excluded)
        # What was changed on purpose, or must be off because of it, stays as it is.
        blocked = (blocked + chosen + excluded).clamp(max=1)
    return target


def sample_without_replacement(weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`torch.multinomial` without replacement, of weights on any device and a CPU generator.

    Of exponential clocks whose rates are the weights, the first to ring are the sample.

    Args:
        weights: `[B, K]`, not negative.
        count: C, at most the number of weights above 0 in a row.
        generator: On the CPU.

    Returns:
        `[B, C]` int64 on the device of the weights, in the order sampled.
    """
    clocks = torch.empty(weights.shape).exponential_(generator=generator)
    return (weights / to_device(clocks, weights.device)).topk(count).indices

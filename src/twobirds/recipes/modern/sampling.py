"""Which faces training edits, and how: as many of each attribute and value as of any other."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from twobirds.errors import InputError
from twobirds.recipes.modern.matching import overlap_weights

_MATCHED_SHARE = 0.5  # of the weight of a face that comes from matching; the rest is equal for all
_ADDED_SHARE = 0.65  # of the changes that switch an attribute on
_BLOCK = 256  # faces between two running sums that are kept


class EditTask(NamedTuple):
    """What an iteration edits: E changes, and real faces that have the values wanted."""

    columns: Tensor
    """`[E]` int64: the attribute that changes."""
    values: Tensor
    """`[E]` 0/1: what it changes to."""
    sources: Tensor
    """`[E]` int64: places in the train split of faces that have the other value."""
    examples: Tensor
    """`[R]` int64: places of faces that have the value that the first R changes ask for."""


class EditSampler:
    """Samples (attribute, value) first, then a face for it.

    A face is sampled with half of its weight equal for all, half by overlap weights: so men with
    a beard and women without one do not teach what a man is where a beard was meant.

    All of it happens on the CPU, so that the device is never waited for. Of the running sums of
    the faces' weights, by which a face is found, only every 256th is kept: at a million faces all
    of them would take 640 MB for forty attributes.

    Args:
        attributes: `[N, K]` 0/1 labels of the train split.
        exclusion: `[K, K]` 0/1: which attributes exclude which.
        preference: `[K]` above 0: how many times as often each attribute is changed.

    Raises:
        InputError: If all faces have the same attributes.
    """

    def __init__(self, attributes: Tensor, exclusion: Tensor, preference: Tensor) -> None:
        labels = attributes.float()
        self.exclusion, count = exclusion, labels.sum(0)
        varies = (count > 0) & (count < len(labels))  # else there is nothing to learn from
        if not varies.any():
            raise InputError(
                "recipe modern learns from faces that differ, but all of the train split have the "
                "same attributes: pack other faces or attributes"
            )
        self.preference = preference * varies
        weights = overlap_weights(labels, self.exclusion)
        self._chances = [
            _Chances(weights[:, k].contiguous(), labels[:, k].to(torch.uint8))
            for k in range(labels.shape[1])
        ]

    def sample(self, num_edits: int, num_examples: int, generator: torch.Generator) -> EditTask:
        """Sample the task of one iteration; `generator` is on the CPU."""
        columns = torch.multinomial(
            self.preference, num_edits, replacement=True, generator=generator
        )
        values = (torch.rand(num_edits, generator=generator) < _ADDED_SHARE).long()
        sources = self._faces(columns, 1 - values, generator)
        wanted = columns[:num_examples], values[:num_examples]
        return EditTask(columns, values, sources, self._faces(*wanted, generator))

    def targets(self, labels: Tensor, task: EditTask) -> Tensor:
        """The attributes wanted, `[E, K]` 0/1, of faces that have `labels` `[E, K]`.

        What contradicts an attribute that is switched on is switched off. Several changes are
        never asked for at once: `twobirds.api.edit_steps` makes one after the other.
        """
        chosen = torch.zeros_like(labels).scatter_(1, task.columns[:, None], 1)
        added = chosen * (1 - labels)
        return (labels * (1 - chosen) + added) * (1 - added @ self.exclusion)

    def _faces(self, columns: Tensor, values: Tensor, generator: torch.Generator) -> Tensor:
        """Places in the train split of a face for each (attribute, value)."""
        chances = torch.rand(len(columns), dtype=torch.float64, generator=generator)
        picks = zip(columns.tolist(), values.tolist(), chances.tolist(), strict=True)
        places = [self._chances[column].find(value, chance) for column, value, chance in picks]
        return torch.tensor(places)


class _Chances:
    """How likely each of N faces is where one is sampled for a value of an attribute.

    Args:
        weights: `[N]` float32, overlap weights.
        labels: `[N]` uint8 0/1.
    """

    def __init__(self, weights: Tensor, labels: Tensor) -> None:
        self._weights, self._labels = weights.numpy(), labels.numpy()
        self._totals, self._ends = [], []
        for value in (0, 1):
            has = (labels == value).float()
            matched = (weights * has).double().sum().clamp(min=1e-12)
            self._totals.append((float(matched), float(has.double().sum().clamp(min=1))))
            running = self._shares(value, slice(None)).cumsum()
            self._ends.append(np.append(running[_BLOCK - 1 : -1 : _BLOCK], running[-1]))

    def find(self, value: int, chance: float) -> int:
        """Place of the first face whose running sum exceeds a share of the whole, in [0, 1)."""
        ends = self._ends[value]  # [ceil(N / 256)]: running sum at the last face of each block
        sought = chance * ends[-1]
        block = min(int(np.searchsorted(ends, sought, side="right")), len(ends) - 1)
        start = block * _BLOCK
        shares = self._shares(value, slice(start, start + _BLOCK))
        before = ends[block - 1] if block else 0.0
        running = np.append(before, shares).cumsum()[1:]  # added up in the order of the whole
        place = start + int(np.searchsorted(running, sought, side="right"))
        return min(place, len(self._weights) - 1)

    def _shares(self, value: int, rows: slice) -> np.ndarray:
        """Chances `[R]` float64 of some faces; 0 for those that have the other value."""
        has = (self._labels[rows] == value).astype(np.float32)
        matched, even = self._totals[value]
        chosen = (self._weights[rows] * has).astype(np.float64)
        shares: np.ndarray = _MATCHED_SHARE * chosen / matched
        shares += (1 - _MATCHED_SHARE) * has.astype(np.float64) / even
        return shares

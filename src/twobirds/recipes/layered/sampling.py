"""Which faces training edits, and how: as many of each attribute and value as of any other."""

from typing import NamedTuple

import torch
from torch import Tensor

from twobirds.recipes.layered.matching import overlap_weights

_MATCHED_SHARE = 0.5  # of the weight of a face that comes from matching; the rest is equal for all
_ADDED_SHARE = 0.65  # of the changes that switch an attribute on
_FURTHER = (0.7, 0.15, 0.1, 0.05)  # how many attributes more change: none, one, two, three


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

    All of it happens on the CPU, so that the device is never waited for.

    Args:
        attributes: `[N, K]` 0/1 labels of the train split.
        exclusion: `[K, K]` 0/1: which attributes exclude which.
        preference: `[K]` above 0: how many times as often each attribute is changed.
    """

    def __init__(self, attributes: Tensor, exclusion: Tensor, preference: Tensor) -> None:
        labels = attributes.float()
        self.exclusion, count = exclusion, labels.sum(0)
        varies = (count > 0) & (count < len(labels))  # else there is nothing to learn from
        self.preference = preference * varies
        weights = overlap_weights(labels, self.exclusion)
        self.cumulative = torch.stack(
            [_cumulative(weights, 1 - labels), _cumulative(weights, labels)]
        )  # [2, K, N]: by value

    def sample(self, num_edits: int, num_examples: int, generator: torch.Generator) -> EditTask:
        """Sample the task of one iteration; `generator` is on the CPU."""
        columns = torch.multinomial(
            self.preference, num_edits, replacement=True, generator=generator
        )
        values = (torch.rand(num_edits, generator=generator) < _ADDED_SHARE).long()
        sources = self._faces(columns, 1 - values, generator)
        wanted = columns[:num_examples], values[:num_examples]
        return EditTask(columns, values, sources, self._faces(*wanted, generator))

    def targets(self, labels: Tensor, task: EditTask, generator: torch.Generator) -> Tensor:
        """The attributes wanted, `[E, K]` 0/1, of faces that have `labels` `[E, K]`.

        Most edits change one attribute, some up to three more; what contradicts an attribute that
        is switched on is switched off.
        """
        target, changed = labels.clone(), torch.zeros_like(labels)
        further = torch.multinomial(
            torch.tensor(_FURTHER), len(labels), replacement=True, generator=generator
        )
        choices = [
            torch.multinomial(self.preference, len(labels), replacement=True, generator=generator)
            for _ in _FURTHER[1:]
        ]
        steps = [(task.columns, torch.ones(len(labels)))]
        steps += [(column, (further > i).float()) for i, column in enumerate(choices)]
        for column, does in steps:
            chosen = torch.zeros_like(labels).scatter_(1, column[:, None], does[:, None])
            chosen = chosen * (1 - changed)
            added = chosen * (1 - target)
            excluded = added @ self.exclusion
            target = (target * (1 - chosen) + added) * (1 - excluded)
            changed = (changed + chosen + excluded).clamp(max=1)
        return target

    def _faces(self, columns: Tensor, values: Tensor, generator: torch.Generator) -> Tensor:
        """Places in the train split of a face for each (attribute, value)."""
        chances = torch.rand(len(columns), dtype=torch.float64, generator=generator)
        places = []
        for chance, value, column in zip(
            chances.split(1), values.tolist(), columns.tolist(), strict=True
        ):
            line = self.cumulative[value, column]  # [N]; of all at once a copy would take longer
            places.append(torch.searchsorted(line, chance * line[-1], right=True))
        return torch.cat(places).clamp(max=self.cumulative.shape[2] - 1)


def _cumulative(weights: Tensor, has: Tensor) -> Tensor:
    """Running sums `[K, N]` float64 of the chances of the faces that have a value."""
    chosen, even = (weights * has).double(), has.double()
    shares = _MATCHED_SHARE * chosen / chosen.sum(0).clamp(min=1e-12)
    shares = shares + (1 - _MATCHED_SHARE) * even / even.sum(0).clamp(min=1)
    return shares.cumsum(0).T.contiguous()

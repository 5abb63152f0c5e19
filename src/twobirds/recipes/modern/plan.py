"""How a batch is divided between edits, reconstructions and generated faces."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from twobirds.data.loader import Batch, Loader
from twobirds.randomness import keyed_generator


class Parts(NamedTuple):
    """How a batch of B faces is divided: edited, copied, coded, generated, in this order."""

    edited: slice
    copied: slice
    coded: slice
    generated: slice

    @classmethod
    def of(cls, count: int, shares: Sequence[float]) -> Self:
        """Divide a batch of `count` by the shares of the first three parts."""
        ends = [round(count * sum(shares[: i + 1])) for i in range(3)]
        return cls(*(slice(a, b) for a, b in zip((0, *ends), (*ends, count), strict=True)))

    @property
    def sources(self) -> slice:
        """All that start from a real face."""
        return slice(0, self.coded.stop)

    @property
    def reconstructed(self) -> slice:
        """All whose pixels are known."""
        return slice(self.copied.start, self.coded.stop)

    @property
    def from_features(self) -> slice:
        """All that start from the features of a real face."""
        return slice(0, self.copied.stop)


class Plan(NamedTuple):
    """What is to be generated in an iteration, of B faces."""

    parts: Parts
    attributes: Tensor
    """`[B, K]` 0/1: of the sources, predicted; of generated faces those wanted."""
    target: Tensor
    """`[B, K]` 0/1: the attributes wanted."""
    probabilities: Tensor
    """`[S, K]` in [0, 1]: of the averaged noise-robust classifier on the S sources."""
    features: list[Tensor]
    """Its features of the sources; none if there are no sources."""


class Step(NamedTuple):
    """One iteration and its random numbers."""

    batch: Batch
    loader: Loader
    number: int

    @property
    def images_seen(self) -> int:
        """Real images shown before it."""
        return self.number * self.loader.batch_size

    def generator(self, purpose: int) -> torch.Generator:
        """Random numbers of this process."""
        rank = self.loader.mine.start
        return keyed_generator(self.loader.seed, self.number, purpose, rank)

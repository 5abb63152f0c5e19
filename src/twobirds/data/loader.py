"""Batches of real faces in an endless, seeded order that needs no state to resume."""

from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.config import TrainConfig
from twobirds.data.attributes import exclusion_matrix
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.runtime import Runtime, to_device

_RESIDENT_SHARE = 0.5  # of the GPU's free memory that the data may take


class Batch(NamedTuple):
    """Real faces of one iteration."""

    images: Tensor
    """`[B, 3, H, W]` float32 in [-1, 1], channels last."""
    attributes: Tensor
    """`[B, K]` float32, 0 or 1: labels of `images`."""


class Loader:
    """The batches of a run: a pure function of (seed, iteration) and the pack.

    Each epoch is a new permutation; batches run on across epochs. With several processes each
    gets its slice of the global batch, so that their number does not change what is trained on.

    Args:
        pack: The packed faces; its train split is used.
        batch_size: Faces per iteration over all processes.
        seed: Seed of the order.
        runtime: Device and rank. On a GPU the data moves there once if it fits.
        flip: Whether to mirror half of the faces.

    Raises:
        InputError: If the train split is empty or the batch cannot be shared out evenly.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        batch_size: int,
        seed: int,
        runtime: Runtime,
        flip: bool,
    ) -> None:
        self.rows = torch.from_numpy(pack.rows("train"))
        if len(self.rows) == 0:
            raise InputError(f"{pack.path}: its train split is empty")
        if batch_size % runtime.world_size:
            raise InputError(
                f"batch_size {batch_size} is not a multiple of the {runtime.world_size} processes"
            )
        self.batch_size, self.seed, self.flip = batch_size, seed, flip
        share = batch_size // runtime.world_size
        self.mine = slice(runtime.rank * share, (runtime.rank + 1) * share)
        self.device = runtime.device
        self.images = pack.images
        """Mapped from disk."""
        self.resident_images = _resident_images(pack, runtime.device)
        """`[N, H, W, 3]` uint8 on the GPU, where they fit; else None."""
        self._attributes_on_cpu = torch.from_numpy(np.array(pack.attributes))
        self.attributes = self._attributes_on_cpu.to(runtime.device)
        exclusion = torch.from_numpy(exclusion_matrix(pack.attribute_names))
        self.exclusion = exclusion.float().to(runtime.device)
        """`[K, K]` 0/1: which attributes exclude which."""
        self._cached_order: tuple[int, Tensor] | None = None

    @classmethod
    def of_run(cls, train: TrainConfig, pack: Pack, runtime: Runtime) -> Self:
        """The loader that training with these settings has."""
        return cls(
            pack,
            batch_size=train.batch_size,
            seed=train.seed,
            runtime=runtime,
            flip=train.flip,
        )

    @cached_property
    def frequencies(self) -> Tensor:
        """`[K]` in [0, 1]: how many of the training faces have each attribute."""
        return self.labels(self.rows).mean(0)

    def batch(self, iteration: int) -> Batch:
        """The batch of an iteration, counted from 0."""
        rows = self.rows[self._positions(iteration)][self.mine]
        generator = keyed_generator(self.seed, iteration, RandomPurpose.FLIPS)
        flip_samples = torch.rand(self.batch_size, generator=generator)[self.mine]
        return Batch(self.faces(rows, flip_samples), self.labels(rows))

    def faces(self, rows: Tensor, flip_samples: Tensor) -> Tensor:
        """Faces `[B, 3, H, W]` in [-1, 1], channels last, of rows `[B]` int64 of the pack.

        Those of which `flip_samples` `[B]` in [0, 1) is below a half are mirrored, if the run
        mirrors.
        """
        images = from_pixels(self._pixels(rows))
        if not self.flip:
            return images
        mirrored = to_device(flip_samples < 0.5, self.device).view(-1, 1, 1, 1)
        return torch.where(mirrored, images.flip(3), images)

    def fake_attributes(
        self,
        iteration: int,
        purpose: int = RandomPurpose.FAKE_ATTRIBUTES,
        *,
        edited_share: float = 0.0,
    ) -> Tensor:
        """Attributes to generate faces with: rows of random training faces, some of them edited.

        Args:
            iteration: Number of the iteration.
            purpose: Another gives other rows.
            edited_share: Share of the rows in which one attribute, sampled at random, is changed,
                and what contradicts it switched off.

        Returns:
            `[B, K]` float32, 0 or 1.
        """
        generator = keyed_generator(self.seed, iteration, purpose)
        picks = torch.randint(len(self.rows), (self.batch_size,), generator=generator)
        labels = self.labels(self.rows[picks][self.mine])
        return self._edited(labels, edited_share, generator) if edited_share else labels

    def _edited(self, labels: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """Change one attribute of some rows, as an edit does: rows alone teach no lone change."""
        num_attributes = labels.shape[1]
        are_edited = torch.rand(self.batch_size, generator=generator) < share
        changed = torch.randint(num_attributes, (self.batch_size,), generator=generator)
        is_changed = F.one_hot(changed, num_attributes).float() * are_edited.unsqueeze(1)  # [B, K]
        is_changed = to_device(is_changed[self.mine], labels.device)
        switched_on = is_changed * (1 - labels)
        kept = labels * (1 - is_changed) + switched_on
        return kept * (1 - switched_on @ self.exclusion)

    def labels(self, rows: Tensor) -> Tensor:
        """Labels `[B, K]` float32, 0 or 1, of rows `[B]` int64 of the pack."""
        return self.attributes[to_device(rows, self.device)].float()

    def labels_on_cpu(self, rows: Tensor) -> Tensor:
        """The same on the CPU, where random numbers are sampled; no device is waited for."""
        return self._attributes_on_cpu[rows].float()

    def _pixels(self, rows: Tensor) -> Tensor:
        """Images `[B, H, W, 3]` uint8 of rows `[B]` of the pack, on the device."""
        if self.resident_images is not None:
            return self.resident_images[to_device(rows, self.device)]
        return to_device(torch.from_numpy(self.images[rows.numpy()]), self.device)

    def _positions(self, iteration: int) -> Tensor:
        """Places `[B]` in the train split that the global batch of an iteration shows."""
        places = torch.arange(iteration * self.batch_size, (iteration + 1) * self.batch_size)
        epochs, offsets = places // len(self.rows), places % len(self.rows)
        picked = [self._order(int(epoch))[offsets[epochs == epoch]] for epoch in epochs.unique()]
        return torch.cat(picked)

    def _order(self, epoch: int) -> Tensor:
        if self._cached_order is None or self._cached_order[0] != epoch:
            generator = keyed_generator(self.seed, epoch, RandomPurpose.BATCH_ORDER)
            order = torch.randperm(len(self.rows), generator=generator)
            self._cached_order = (epoch, order)
        return self._cached_order[1]


def _resident_images(pack: Pack, device: torch.device) -> Tensor | None:
    """The packed images `[N, H, W, 3]` uint8 on the GPU, if they fit."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    if pack.images.nbytes >= _RESIDENT_SHARE * free:
        return None
    return torch.from_numpy(np.array(pack.images)).to(device)

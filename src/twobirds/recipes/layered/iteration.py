"""What one iteration of recipe `layered` works on."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from twobirds.data.loader import Batch, Loader
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.layered.editor import EditorOutput
from twobirds.recipes.layered.sampling import EditSampler
from twobirds.recipes.layered.views import Views
from twobirds.runtime import to_device

_EXAMPLE_SHARE = 0.5  # real faces with the value wanted, for each edit


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
        """Random numbers of this process, sampled on the CPU."""
        rank = self.loader.mine.start
        return keyed_generator(self.loader.seed, self.number, purpose, rank)

    def views(self, purpose: int, count: int) -> Views:
        """Random changes of `count` faces."""
        return Views.sample(count, self.generator(purpose), self.loader.device)

    def noise(self, purpose: int) -> torch.Generator:
        """Random numbers of this process, sampled on its device: for millions of them."""
        seed = self.generator(purpose).initial_seed() % 2**63
        return torch.Generator(self.loader.device).manual_seed(seed)


class EditBatch(NamedTuple):
    """E real faces to edit, and R real faces that have the values wanted of the first R."""

    sources: Tensor
    """`[E, 3, H, W]` in [-1, 1]."""
    examples: Tensor
    """`[R, 3, H, W]`."""
    attributes: Tensor
    """`[E + R, K]` 0/1 labels of both."""
    target: Tensor
    """`[E, K]` 0/1: the attributes wanted."""
    columns: Tensor
    """`[E]` int64: the attribute that the edit is about."""

    @property
    def change(self) -> Tensor:
        """`[E, K]` in -1, 0, 1."""
        return self.target - self.attributes[: len(self.target)]

    @classmethod
    def sample(cls, step: Step, sampler: EditSampler, num_edits: int) -> Self:
        """Sample the edits of an iteration."""
        loader, num_examples = step.loader, max(1, round(num_edits * _EXAMPLE_SHARE))
        generator = step.generator(RandomPurpose.EDIT_TASK)
        task = sampler.sample(num_edits, num_examples, generator)
        rows = loader.rows[torch.cat([task.sources, task.examples])]
        flips = torch.rand(len(rows), generator=step.generator(RandomPurpose.EDIT_FLIPS))
        images, labels = loader.faces(rows, flips), loader.labels_on_cpu(rows[:num_edits])
        target = sampler.targets(labels, task, step.generator(RandomPurpose.ATTRIBUTE_CHANGES))
        device = loader.device
        return cls(
            images[:num_edits],
            images[num_edits:],
            loader.labels(rows),
            to_device(target, device),
            to_device(task.columns, device),
        )


class Edits(NamedTuple):
    """A batch of edits."""

    batch: EditBatch
    edited: Tensor
    """`[E, 3, H, W]`, about [-1, 1]."""
    output: EditorOutput
    """How they were made."""


class Faces(NamedTuple):
    """F generated faces, the first C of them reconstructions of the first C real ones."""

    real: Tensor
    """`[F, 3, H, W]` in [-1, 1]."""
    attributes: Tensor
    """`[F, K]` 0/1: labels of the real faces, which the fakes are to have too."""
    latents: Tensor
    """`[F, Z]` in [-1, 1]: encoded, or sampled."""
    fake: Tensor
    """`[F, 3, H, W]` in [-1, 1]."""
    num_coded: int
    """C."""


class Seen(NamedTuple):
    """Frozen features of faces, fine to coarse, `[B, C_l, h_l, w_l]`."""

    real: list[Tensor]
    """Of real faces, without gradients."""
    fake: list[Tensor]
    """Of their edits or of generated faces, seen through the same views; gradients pass."""

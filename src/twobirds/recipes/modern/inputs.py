"""What an iteration of recipe `modern` works on, sampled before anything is computed.

So the rest of an iteration is a function of these tensors and of the weights, and a GPU can replay
it as a graph (`twobirds.training.graphs`).
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from twobirds import randomness
from twobirds.data.loader import Batch, Loader
from twobirds.models import augmentation
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.sampling import EditSampler
from twobirds.recipes.modern.views import VIEW_SIZE, Views
from twobirds.runtime import to_device

_EXAMPLE_SHARE = 0.5  # real faces with the value wanted, for each edit
_RECOGNIZED_SHARE = 2  # one in so many of a batch's faces: they cost as much as all edits otherwise
_MIXUP = 0.2


class Step(NamedTuple):
    """One iteration and its random numbers."""

    batch: Batch
    loader: Loader
    number: int

    def generator(self, purpose: int) -> torch.Generator:
        """Random numbers of this process, sampled on the CPU."""
        rank = self.loader.mine.start
        return keyed_generator(self.loader.seed, self.number, purpose, rank)

    def views(self, purpose: int, count: int) -> Views:
        """Random changes of `count` faces."""
        return Views.sample(count, self.generator(purpose), self.loader.device)

    def noise(self, purpose: int, *counts: int) -> Sequence[Tensor]:
        """Standard normal numbers for views of so many faces, `[n, 3, S, S]` each."""
        shape = (sum(counts), 3, VIEW_SIZE, VIEW_SIZE)
        seed = self.generator(purpose).initial_seed()
        noise = randomness.device_noise(shape, seed, self.loader.device)
        return torch.split(noise, list(counts))


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
        target = sampler.targets(labels, task)
        device = loader.device
        return cls(
            images[:num_edits],
            images[num_edits:],
            loader.labels(rows),
            to_device(target, device),
            to_device(task.columns, device),
        )


class LabelledFaces(NamedTuple):
    """Real faces `[N, 3, H, W]` in [-1, 1] and their labels `[N, K]` in [0, 1]."""

    images: Tensor
    labels: Tensor


class SampledViews(NamedTuple):
    """How D sees the faces of an iteration: an edit as its source, a fake as a real face."""

    edits: Views
    """Of E sources and their edits."""
    examples: Views
    """Of R examples."""
    faces: Views
    """Of F real faces and of those generated."""
    source_noise: Tensor
    """`[E, 3, S, S]`, as all of these: standard normal."""
    example_noise: Tensor
    edit_noise: Tensor
    real_noise: Tensor
    fake_noise: Tensor


class Inputs(NamedTuple):
    """The inputs of one iteration of one process."""

    edits: EditBatch
    faces: LabelledFaces
    """F real faces: the first C are reconstructed, the labels are those of all generated ones."""
    latents: Tensor
    """`[F - C, Z]` in [-1, 1], of faces that are generated from noise."""
    views: SampledViews
    recognized: LabelledFaces | None
    """Augmented and blended, for the recognizer while it learns."""

    @classmethod
    def sample(
        cls, step: Step, recipe: ModernConfig, sampler: EditSampler, *, has_recognizer: bool
    ) -> Self:
        """Sample the inputs of an iteration.

        Args:
            step: The iteration.
            recipe: Divides the batch.
            sampler: Of edits.
            has_recognizer: Whether the recognizer learns, too.
        """
        edits = EditBatch.sample(step, sampler, num_edited(step, recipe))
        count = len(step.batch.images) - len(edits.sources)
        num_reconstructed = round(count * recipe.reconstructed_share)
        shape = (count - num_reconstructed, recipe.num_latents)
        latents = torch.rand(shape, generator=step.generator(RandomPurpose.LATENTS)) * 2 - 1
        return cls(
            edits=edits,
            faces=LabelledFaces(step.batch.images[:count], step.batch.attributes[:count]),
            latents=to_device(latents, step.loader.device),
            views=_sample_views(step, edits, count),
            recognized=_sample_recognized(step) if has_recognizer else None,
        )


def num_edited(step: Step, recipe: ModernConfig) -> int:
    """E: at least one face of a batch is edited; batch norm needs two that are generated."""
    total = len(step.batch.images)
    return min(max(1, round(total * recipe.edited_share)), total - 2)


def _sample_views(step: Step, edits: EditBatch, num_faces: int) -> SampledViews:
    num_edits, num_examples = len(edits.sources), len(edits.examples)
    sources, examples, edited = step.noise(
        RandomPurpose.VIEW_NOISE, num_edits, num_examples, num_edits
    )
    real, fake = step.noise(RandomPurpose.FACE_NOISE, num_faces, num_faces)
    return SampledViews(
        edits=step.views(RandomPurpose.EDIT_VIEW, num_edits),
        examples=step.views(RandomPurpose.EXAMPLE_VIEW, num_examples),
        faces=step.views(RandomPurpose.FACE_VIEW, num_faces),
        source_noise=sources,
        example_noise=examples,
        edit_noise=edited,
        real_noise=real,
        fake_noise=fake,
    )


def _sample_recognized(step: Step) -> LabelledFaces:
    generator = step.generator(RandomPurpose.RECOGNIZER_AUGMENTATION)
    count = max(1, len(step.batch.images) // _RECOGNIZED_SHARE)
    images, labels = step.batch.images[:count], step.batch.attributes[:count]
    faces = augmentation.RECOGNIZER(images, generator)
    mixed = augmentation.mix(faces, labels, _MIXUP, step.generator(RandomPurpose.MIXUP))
    return LabelledFaces(*mixed)

"""Training the judge on a pack's train split, once; later evaluations find its file."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.faces import EvaluatedModel, Progress, attribute_columns, resize, to_tensor
from twobirds.evaluation.judge import (
    Judge,
    JudgeMetadata,
    check_judge,
    load_judge,
    save_judge,
)
from twobirds.models.resnet import AttributeResNet
from twobirds.randomness import RandomPurpose, keyed_generator

JUDGE_SEED = 171_106_078
"""Default seed of judges; a model trained with the same one is refused."""
_BATCH_SIZE = 128
_PEAK_LEARNING_RATE = 3e-3
_WEIGHT_DECAY = 0.05
_WARM_UP = 0.2  # share of the training in which the learning rate rises


def train_or_load_judge(
    pack: Pack,
    path: Path,
    model: EvaluatedModel,
    *,
    images: int,
    seed: int = JUDGE_SEED,
    progress: Progress | None = None,
) -> Judge:
    """Load the judge of a pack, or train and save it where there is none.

    Args:
        pack: Its train split is used; no other.
        path: The judge's file.
        model: What it is to judge: gives size, attributes and device, and takes no other part.
        images: Training images to show a new judge.
        seed: Of a new judge.
        progress: Called with the step, the number of images shown, and of all to show.

    Raises:
        InputError: If the file is damaged or another pack's, or judge and model share a seed.
    """
    if not path.exists():
        if seed == model.config.train.seed:
            raise InputError(f"judge and model must have different seeds, not both {seed}")
        network = train_judge(pack, model, seed=seed, images=images, progress=progress)
        metadata = JudgeMetadata(pack.sha256, model.size, tuple(model.attributes), seed, images)
        save_judge(network, metadata, path)
    judge = load_judge(path)
    check_judge(
        judge.metadata,
        path,
        pack_sha256=pack.sha256,
        size=model.size,
        attributes=model.attributes,
    )
    judge.network.to(model.device)
    return judge


def train_judge(
    pack: Pack,
    model: EvaluatedModel,
    *,
    seed: int,
    images: int,
    progress: Progress | None = None,
) -> AttributeResNet:
    """Train a judge with AdamW, one learning rate cycle, flips, shifts and changes of light.

    Raises:
        InputError: If the pack has no training faces.
    """
    rows = pack.rows("train")
    if len(rows) < 2:
        raise InputError(f"{pack.path} has no training split to train a judge on")
    columns = attribute_columns(pack, model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AttributeResNet(model.size, len(columns))
    network.to(model.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=_PEAK_LEARNING_RATE, weight_decay=_WEIGHT_DECAY
    )

    def classify(step: int) -> tuple[Tensor, Tensor]:
        chosen = rows[shuffled_batch(step, len(rows), seed, batch_size=_BATCH_SIZE)]
        faces = to_tensor(resize(pack.images[chosen], model.size), model.device)
        faces = _augment(faces, keyed_generator(seed, RandomPurpose.JUDGE_AUGMENTATION, step))
        labels = torch.from_numpy(pack.attributes[chosen][:, columns]).float().to(model.device)
        return network(faces)[0], labels

    report = None if progress is None else partial(progress, "training the judge")
    fit_classifier(classify, optimizer, images, batch_size=_BATCH_SIZE, report=report)
    return network.eval()


def fit_classifier(
    classify: Callable[[int], tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    images: int,
    *,
    batch_size: int,
    report: Callable[[int, int], None] | None,
) -> None:
    """Minimize the binary cross-entropy of attributes, with one learning rate cycle.

    Args:
        classify: From the number of a step to the logits `[B, K]` of its batch and their labels.
        optimizer: Its learning rates are the peaks of the cycle.
        images: How many to show, in batches.
        batch_size: B.
        report: Called after each step with the number of images shown, and of all to show.
    """
    num_steps = max(1, math.ceil(images / batch_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: cycle((step + 1) / num_steps)
    )
    for step in range(num_steps):
        loss = F.binary_cross_entropy_with_logits(*classify(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if report is not None:
            report(min((step + 1) * batch_size, images), images)


def cycle(share: float) -> float:
    """The learning rate as a part of its peak: a linear rise, then a cosine down to zero."""
    if share < _WARM_UP:
        return share / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP)))


def shuffled_batch(step: int, num_faces: int, seed: int, *, batch_size: int) -> np.ndarray:
    """Positions of a batch: each pass over the faces in a new random order, `[B]` int64."""
    batch_size = min(batch_size, num_faces)
    batches_a_pass = num_faces // batch_size
    epoch, place = divmod(step, batches_a_pass)
    order = torch.randperm(
        num_faces, generator=keyed_generator(seed, RandomPurpose.JUDGE_ORDER, epoch)
    )
    return order[place * batch_size : (place + 1) * batch_size].numpy()


def _augment(faces: Tensor, generator: torch.Generator) -> Tensor:
    """Flip, shift by up to a sixteenth, and change brightness and contrast of `[B, 3, S, S]`."""
    samples = torch.rand(5, len(faces), 1, 1, 1, generator=generator).to(faces.device)
    flip, shift_x, shift_y, brightness, contrast = samples
    faces = torch.where(flip < 0.5, faces.flip(3), faces)
    affine = torch.eye(2, 3, device=faces.device).repeat(len(faces), 1, 1)  # [B, 2, 3]
    affine[:, :, 2] = torch.cat([shift_x, shift_y], dim=1)[:, :, 0, 0] / 4 - 1 / 8
    grid = F.affine_grid(affine, list(faces.shape), align_corners=False)
    faces = F.grid_sample(faces, grid, padding_mode="reflection", align_corners=False)
    lit: Tensor = faces * (0.8 + 0.4 * contrast) + (0.4 * brightness - 0.2)
    return lit

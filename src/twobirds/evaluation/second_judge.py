"""The second judge: the last blocks of EfficientNet-lite2, fine-tuned to classify attributes.

It is of another family than the judge, begins with ImageNet's weights, and takes part in no
training but its own.
"""

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.faces import (
    EvaluatedModel,
    Progress,
    attribute_columns,
    batches,
    resize,
    to_tensor,
)
from twobirds.evaluation.feature_network import NUM_FEATURES, FeatureNetwork, Tail
from twobirds.evaluation.judge import (
    JudgeMetadata,
    check_judge,
    load_network,
    save_network,
)
from twobirds.evaluation.judge_training import fit_classifier, shuffled_batch
from twobirds.randomness import RandomPurpose, keyed_generator

SECOND_JUDGE_SEED = 171_106_079
"""Of its classifier and data order; not that of the judge."""
_HEADER = "second_judge"  # key of the metadata in the file
_MAX_FACES = 20_000  # of the train split, whose activations are held in memory
_BATCH_SIZE = 64
_DROPOUT = 0.3  # as in the training of lite2
_CLASSIFIER_LEARNING_RATE, _TAIL_LEARNING_RATE = 3e-3, 3e-4
_WEIGHT_DECAY = 0.01


class AttributeTail(nn.Module):
    """A tail with a classifier of K attributes.

    Args:
        tail: Where it begins; copied.
        num_attributes: K.
    """

    def __init__(self, tail: Tail, num_attributes: int) -> None:
        super().__init__()
        self.tail = copy.deepcopy(tail)
        self.classifier = nn.Linear(NUM_FEATURES, num_attributes)

    def forward(self, activations: Tensor) -> Tensor:
        """Attribute logits `[B, K]` of the trunk's activations `[B, C, h, w]`."""
        features = F.dropout(self.tail(activations), _DROPOUT, training=self.training)
        logits: Tensor = self.classifier(features)
        return logits


@dataclass(frozen=True, eq=False)
class SecondJudge:
    """A trained second judge."""

    network: AttributeTail
    """In evaluation mode."""
    metadata: JudgeMetadata
    """What it was trained on."""
    sha256: str
    """Hash of its file."""


def load_or_train_second_judge(
    pack: Pack,
    path: Path,
    model: EvaluatedModel,
    trunk: FeatureNetwork,
    *,
    images: int,
    progress: Progress | None = None,
) -> SecondJudge:
    """Load the second judge of a pack, or train and save it where there is none.

    Args:
        pack: Its train split is used; no other.
        path: The second judge's file.
        model: What it is to judge: gives size, attributes and device, and takes no other part.
        trunk: The frozen part of the network.
        images: Training images to show a new one.
        progress: Called with the step, the number of images shown, and of all to show.

    Raises:
        InputError: If the file is damaged or another pack's.
    """
    if not path.exists():
        network = train_second_judge(pack, model, trunk, images=images, progress=progress)
        names = tuple(model.attributes)
        metadata = JudgeMetadata(pack.sha256, model.size, names, SECOND_JUDGE_SEED, images)
        save_network(network, metadata, path, header=_HEADER)

    def build(metadata: JudgeMetadata) -> AttributeTail:
        return AttributeTail(trunk.tail, len(metadata.attributes))

    network, metadata, sha256 = load_network(path, build, header=_HEADER)
    check_judge(
        metadata, path, pack_sha256=pack.sha256, size=model.size, attributes=model.attributes
    )
    return SecondJudge(network.to(model.device), metadata, sha256)


def train_second_judge(
    pack: Pack,
    model: EvaluatedModel,
    trunk: FeatureNetwork,
    *,
    images: int,
    progress: Progress | None = None,
) -> AttributeTail:
    """Fine-tune the tail on the frozen trunk's activations, which are computed once.

    Activations are mirrored at random, which is close to mirroring the faces.

    Raises:
        InputError: If the pack has no training faces.
    """
    rows = np.random.default_rng(SECOND_JUDGE_SEED).permutation(pack.rows("train"))[:_MAX_FACES]
    if len(rows) < 2:
        raise InputError(f"{pack.path} has no training split to train a second judge on")
    activations = _activations(pack, np.sort(rows), model.size, trunk, progress)
    columns = attribute_columns(pack, model)
    labels = torch.from_numpy(pack.attributes[np.sort(rows)][:, columns]).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SECOND_JUDGE_SEED)
        network = AttributeTail(trunk.tail, len(columns)).to(model.device)
        network.requires_grad_(True)
        return _fit(network, activations, labels, images, progress)


def _fit(
    network: AttributeTail,
    activations: Tensor,
    labels: Tensor,
    images: int,
    progress: Progress | None,
) -> AttributeTail:
    """Fit with AdamW; the classifier, which is new, learns faster than the tail."""
    network.train()
    optimizer = torch.optim.AdamW(
        [
            {"params": list(network.classifier.parameters()), "lr": _CLASSIFIER_LEARNING_RATE},
            {"params": list(network.tail.parameters()), "lr": _TAIL_LEARNING_RATE},
        ],
        weight_decay=_WEIGHT_DECAY,
    )
    device = network.classifier.weight.device

    def classify(step: int) -> tuple[Tensor, Tensor]:
        chosen = shuffled_batch(step, len(labels), SECOND_JUDGE_SEED, batch_size=_BATCH_SIZE)
        batch = activations[chosen].to(device).float()
        generator = keyed_generator(SECOND_JUDGE_SEED, RandomPurpose.JUDGE_AUGMENTATION, step)
        is_mirrored = (torch.rand(len(batch), 1, 1, 1, generator=generator) < 0.5).to(device)
        logits = network(torch.where(is_mirrored, batch.flip(3), batch))
        return logits, labels[chosen].to(device)

    report = None if progress is None else partial(progress, "training the second judge")
    fit_classifier(classify, optimizer, images, batch_size=_BATCH_SIZE, report=report)
    return network.eval()


def _activations(
    pack: Pack, rows: np.ndarray, size: int, trunk: FeatureNetwork, progress: Progress | None
) -> Tensor:
    """The trunk's activations of rows of a pack, `[N, C, h, w]` float16 on the CPU."""
    parts: list[Tensor] = []
    with torch.inference_mode():
        for chosen in batches(rows):
            faces = to_tensor(resize(pack.images[chosen], size), trunk.device)
            parts.append(trunk.trunk(faces).half().cpu())
            if progress is not None:
                progress("preparing the second judge", sum(map(len, parts)), len(rows))
    return torch.cat(parts).clone()  # outside of inference mode, so that gradients may pass

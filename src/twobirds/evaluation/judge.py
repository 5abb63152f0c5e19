"""The judge: a small residual network that classifies attributes and took no part in training.

It differs from D and C in architecture, seed and data order, so that an edit that only C can see
does not count as a success.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as dump_safetensors
from torch import nn

from twobirds.atomic import write_atomically
from twobirds.config import from_dict
from twobirds.errors import InputError
from twobirds.evaluation.faces import batches, to_tensor
from twobirds.models.resnet import AttributeResNet

_HEADER = "judge"  # key of the metadata in the file
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class JudgeMetadata:
    """What a judge was trained on."""

    pack_sha256: str
    """Hash of the pack."""
    size: int
    """Side of its images in pixels."""
    attributes: tuple[str, ...]
    """The K names, in order."""
    seed: int
    """Of its weights and data order."""
    images: int
    """Training images shown."""


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained judge."""

    network: AttributeResNet
    """In evaluation mode."""
    metadata: JudgeMetadata
    """What it was trained on."""
    sha256: str
    """Hash of its file."""

    @property
    def feature_name(self) -> str:
        """What a distance between its features is named after."""
        return f"judge-{self.sha256[:8]}"

    @property
    def device(self) -> torch.device:
        """Where its network is."""
        return self.network.head.weight.device

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classify faces `[N, S, S, 3]` uint8.

        Returns:
            Attribute logits `[N, K]` and features `[N, F]`, float32.
        """
        with torch.inference_mode():
            outputs = [self.network(to_tensor(part, self.device)) for part in batches(images)]
        logits, features = zip(*outputs, strict=True)
        return torch.cat(logits).cpu().numpy(), torch.cat(features).cpu().numpy()


def save_judge(network: AttributeResNet, metadata: JudgeMetadata, path: Path) -> None:
    """Save weights and metadata as one safetensors file, atomically."""
    save_network(network, metadata, path, header=_HEADER)


def load_judge(path: Path) -> Judge:
    """Load what `save_judge` saved.

    Raises:
        InputError: If the file is damaged or not a judge.
    """

    def build(metadata: JudgeMetadata) -> AttributeResNet:
        return AttributeResNet(metadata.size, len(metadata.attributes))

    return Judge(*load_network(path, build, header=_HEADER))


def save_network(network: nn.Module, metadata: JudgeMetadata, path: Path, *, header: str) -> None:
    """Save a judging network under a header that says which kind it is."""
    weights = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    content = dump_safetensors(weights, {header: json.dumps(asdict(metadata))})
    write_atomically(path, lambda file: file.write(content))


def load_network(
    path: Path, build: Callable[[JudgeMetadata], Network], *, header: str
) -> tuple[Network, JudgeMetadata, str]:
    """Load what `save_network` saved, frozen: the network, its metadata, the file's SHA-256.

    Raises:
        InputError: If the file is damaged or of another kind.
    """
    try:
        content = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            saved = (file.metadata() or {}).get(header, "")
        metadata = from_dict(JudgeMetadata, json.loads(saved), str(path))
        network = build(metadata)
        network.load_state_dict(parse_safetensors(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: is not a usable judge ({reason}); delete it, and it is trained again"
        ) from error
    network.eval().requires_grad_(False)
    return network, metadata, hashlib.sha256(content).hexdigest()


def check_judge(
    metadata: JudgeMetadata, path: Path, *, pack_sha256: str, size: int, attributes: Sequence[str]
) -> None:
    """Make sure that a saved judge is this pack's.

    Raises:
        InputError: If it was trained on another pack, at another size or for other attributes.
    """
    for what, have, want in (
        ("on another pack", metadata.pack_sha256, pack_sha256),
        ("at another size", metadata.size, size),
        ("for other attributes", metadata.attributes, tuple(attributes)),
    ):
        if have != want:
            raise InputError(
                f"{path}: this judge was trained {what}; delete it or name another file, and a "
                "judge of this pack is trained there"
            )

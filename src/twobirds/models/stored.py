"""The tensors of a model as its file holds them."""

import hashlib

import torch
from safetensors.torch import save as dump_safetensors
from torch import Tensor

from twobirds.models.trained import Trained

BANK = "attribute_bank"
"""Name of the attribute rows beside the weights."""


def stored_tensors(trained: Trained, *, half: bool) -> dict[str, Tensor]:
    """All tensors by name, on the CPU; in float16 if `half`, but for statistics of batch norm."""
    networks = trained.networks
    values = dict(networks.named_parameters()) | dict(networks.named_buffers())
    tensors = {BANK: trained.attribute_bank}
    for name, value in values.items():
        is_statistic = name.rpartition(".")[2].startswith("running_")  # float16 lacks their range
        tensors[name] = stored(value.detach(), half=half and not is_statistic)
    return tensors


def stored(value: Tensor, *, half: bool) -> Tensor:
    """A tensor on the CPU, in float16 or float32 if it is floating-point."""
    value = value.cpu()
    if value.is_floating_point():
        value = value.to(torch.float16 if half else torch.float32)
    return value.contiguous()


def hash_weights(trained: Trained, *, half: bool) -> str:
    """SHA-256 of the weights file that saving would make."""
    return hashlib.sha256(dump_safetensors(stored_tensors(trained, half=half))).hexdigest()

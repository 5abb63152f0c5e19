"""Passes of a model's networks over faces, at most `inference_batch_size` at a time."""

import torch
from torch import Tensor

from twobirds.errors import InputError
from twobirds.models.networks import FaceNetworks
from twobirds.models.onnx_model import require_cpu
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.runtime import inference_batch_size, pick_device


def check_codes(latents: Tensor, attributes: Tensor, num_latents: int, num_attributes: int) -> None:
    """Make sure that faces can be generated from these.

    Raises:
        InputError: If something is not a tensor, the shapes do not fit the model or each other, or
            a value is out of range or NaN.
    """
    for what, tensor, width, low in (
        ("latents", latents, num_latents, -1),
        ("attributes", attributes, num_attributes, 0),
    ):
        if not isinstance(tensor, Tensor):
            raise InputError(f"{what} must be a tensor, not {type(tensor).__name__}")
        if tensor.ndim != 2 or tensor.shape[1] != width or len(tensor) != len(latents):
            raise InputError(
                f"{what} must have shape [B, {width}], with the same B for latents and "
                f"attributes, not {list(tensor.shape)}"
            )
        outside = tensor[~((tensor >= low) & (tensor <= 1))]  # NaN too
        if len(outside):
            raise InputError(f"{what} must lie in [{low}, 1], but one is {outside[0]:.3g}")


@torch.no_grad()
def decode(networks: FaceNetworks, latents: Tensor, attributes: Tensor, size: int) -> Tensor:
    """Generate faces `[B, 3, size, size]` from latents `[B, Z]` and attributes `[B, K]` alone.

    They are on the device of the latents.
    """
    device = device_of(networks)
    count = inference_batch_size(device)
    pairs = zip(latents.split(count), attributes.split(count), strict=True)
    images = [
        networks.generate(z.float().to(device), c.float().to(device)).float().to(latents.device)
        for z, c in pairs
    ]
    return torch.cat(images) if images else torch.empty(0, 3, size, size)


def device_for(networks: FaceNetworks, name: str) -> torch.device:
    """The device of a name (see `pick_device`), if the networks can be there.

    Raises:
        InputError: If there is no such device, or the networks are ONNX files, which run on the
            CPU.
    """
    if networks.is_differentiable:
        return pick_device(name)
    require_cpu(name)
    return torch.device("cpu")


def device_of(networks: FaceNetworks) -> torch.device:
    """Where the networks are; without parameters of their own, as in ONNX files, on the CPU."""
    first = next(networks.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def sample_latents(count: int, num_latents: int, *, seed: int, truncation: float = 1.0) -> Tensor:
    """Latents z of generated faces, a function of the seed.

    Args:
        count: How many.
        num_latents: Z.
        seed: The same seed gives the same z.
        truncation: Factor on z, in [0, 1]: less gives plainer faces that are more alike.

    Returns:
        `[count, Z]` float32 from U(-truncation, truncation).

    Raises:
        InputError: If the truncation lies elsewhere.
    """
    if not 0 <= truncation <= 1:  # NaN too
        raise InputError(f"truncation must lie between 0 and 1, not {truncation}")
    generator = keyed_generator(seed, RandomPurpose.GENERATION_LATENTS)
    return (torch.rand(count, num_latents, generator=generator) * 2 - 1) * truncation

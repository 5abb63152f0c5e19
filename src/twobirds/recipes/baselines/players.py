"""What the baselines share: initial weights, samples of z, loading."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from twobirds.data.loader import Loader
from twobirds.errors import InputError
from twobirds.models.layers import initialize
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.runtime import to_device


def prepare(network: nn.Module, seed: int, number: int, device: torch.device) -> nn.Module:
    """Sample a network's initial weights as DCGAN does, and move it to where it is trained.

    Args:
        network: The network.
        seed: Seed of the run.
        number: Number of the network in its run; each has weights of its own.
        device: Where to.
    """
    initialize(network, keyed_generator(seed, RandomPurpose.BASELINE_WEIGHTS, number))
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def sample_latents(
    loader: Loader, iteration: int, num_latents: int, device: torch.device
) -> Tensor:
    """This process's z ~ U(-1, 1), `[B, Z]`, of an iteration."""
    generator = keyed_generator(loader.seed, iteration, RandomPurpose.LATENTS, 0)
    latents = torch.rand(loader.batch_size, num_latents, generator=generator) * 2 - 1
    return to_device(latents[loader.mine], device)


def load_networks(
    path: Path, state: Mapping[str, object], networks: Mapping[str, nn.Module], device: torch.device
) -> None:
    """Fill networks from a run's checkpoint, for evaluation."""
    saved = state.get("networks")
    try:
        for name, network in networks.items():
            network.load_state_dict(saved[name])  # type: ignore[index]
            network.to(device).eval().requires_grad_(False)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: weights do not fit the configuration: {reason}") from error

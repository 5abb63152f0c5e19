"""What every baseline's training has alike: initial weights, Adam, the step, the draws of z."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from twobirds.config import TrainConfig
from twobirds.data.loader import Loader
from twobirds.errors import InputError
from twobirds.models.layers import initialize
from twobirds.runtime import average_gradients, keyed_generator

_LATENTS, _WEIGHTS = 21, 5  # purposes of the random draws; z is drawn as for the paper's model


def prepare(network: nn.Module, seed: int, number: int, device: torch.device) -> nn.Module:
    """Draw a network's initial weights as DCGAN does, and move it to where it is trained.

    Args:
        network: The network.
        seed: Seed of the run.
        number: Number of the network in its run; each has weights of its own.
        device: Where to.
    """
    initialize(network, keyed_generator(seed, _WEIGHTS, number))
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def adam(network: nn.Module, train: TrainConfig) -> Adam:
    """Adam with the settings of the run."""
    return Adam(network.parameters(), lr=train.learning_rate, betas=train.betas, fused=True)


def step(network: nn.Module, optimizer: Adam) -> None:
    """Apply and clear the gradients of a network, averaged over the processes."""
    average_gradients(network.parameters())
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def draw_latents(loader: Loader, iteration: int, num_latents: int, device: torch.device) -> Tensor:
    """This process's z ~ U(-1, 1), `[B, Z]`, of an iteration."""
    generator = keyed_generator(loader.seed, iteration, _LATENTS, 0)
    latents = torch.rand(loader.batch_size, num_latents, generator=generator) * 2 - 1
    return latents[loader.mine].to(device)


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

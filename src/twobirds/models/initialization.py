"""Initial weights that are functions of a seed, and what every builder of networks checks."""

import contextlib
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import nn

from twobirds.config import DataConfig
from twobirds.errors import InputError
from twobirds.randomness import InitialWeights, keyed_generator

T = TypeVar("T", bound=nn.Module)


@contextlib.contextmanager
def seeded(seed: int, network: InitialWeights) -> Iterator[None]:
    """Sample torch's own initial weights from a seed, and leave its random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would seed CUDA too.
        torch.default_generator.manual_seed(keyed_generator(seed, network).initial_seed() % 2**63)
        yield


def channels_last(network: T) -> T:
    """Store the weights of convolutions channels last, as images are."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def require_attributes(data: DataConfig) -> None:
    """Refuse to build networks for no attributes.

    Raises:
        InputError: If the configuration names none.
    """
    if not data.attributes:
        raise InputError("the configuration of the run names no attributes")

"""Starting a run from the weights of a trained model."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from twobirds.errors import InputError

NetworkWeights = Mapping[str, Mapping[str, Any]]
"""State dicts by name of the network."""
AVERAGE_SUFFIX = "_ema"
"""Ends the name of a network that is the moving average of another."""


def load_matching(networks: Mapping[str, nn.Module], weights: NetworkWeights) -> None:
    """Fill networks with the weights that a model has of them; the others keep their own.

    A moving average that the model lacks starts as its network, and the reverse.

    Args:
        networks: What is to be trained, by name.
        weights: What the model has.

    Raises:
        InputError: If a network of the model has another architecture.
    """
    for name, network in networks.items():
        base = name.removesuffix(AVERAGE_SUFFIX)
        candidates = (name, base, f"{base}{AVERAGE_SUFFIX}")
        found = next((weights[c] for c in candidates if c in weights), None)
        if found is None:
            continue
        try:
            network.load_state_dict(found)
        except RuntimeError as error:
            raise InputError(f"has another {base} than the run to train") from error

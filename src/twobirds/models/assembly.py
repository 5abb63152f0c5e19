"""Networks built for weights from a file, whose configuration may claim anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from torch import Tensor
from torch.overrides import TorchFunctionMode

from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.models.networks import FaceNetworks
from twobirds.recipes.registry import recipe_of

_LEAST = 1 << 20  # numbers that any network may have


def networks_with(weights: Mapping[str, Any], config: RunConfig, where: Path) -> FaceNetworks:
    """Build the networks of inference and fill them, checking every name and shape.

    Args:
        weights: By dotted names; those of other networks are left out.
        config: The run that trained them.
        where: What to call the file in errors.

    Raises:
        InputError: If the weights are not those of the configuration, whatever sizes that claims.
    """
    try:
        with _AtMost(max(_LEAST, sum(value.numel() for value in weights.values()))):
            networks = recipe_of(config).build_networks(config)
        parts = tuple(f"{name}." for name, _ in networks.named_children())
        needed = {name: value for name, value in weights.items() if name.startswith(parts)}
        # Runs have none of the networks' own buffers, which are set when a model is exported.
        own = networks.named_buffers(recurse=False)
        needed |= {name: weights.get(name, value) for name, value in own}
        networks.load_state_dict(needed)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{where}: weights do not fit the configuration: {reason}") from error
    return networks


def are_state_dicts(networks: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a checkpoint's entry holds state dicts by name; None stands for an empty one."""
    return isinstance(networks, dict) and all(
        isinstance(name, str) and isinstance(weights, Mapping | None)
        for name, weights in networks.items()
    )


class _AtMost(TorchFunctionMode):
    """Refuses tensors of more than so many numbers; memory is taken when they are first filled."""

    def __init__(self, max_numbers: int) -> None:
        super().__init__()
        self.max_numbers = max_numbers

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.numel() > self.max_numbers:
            raise RuntimeError(
                f"it claims a layer of {result.numel():,} numbers, and the file has "
                f"{self.max_numbers:,} at most"
            )
        return result

"""The state of a run: everything a resumed run needs to go on bit by bit as if never stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from twobirds.checkpoint import PREVIOUS_CHECKPOINT_FILE
from twobirds.config import RunConfig, to_dict
from twobirds.errors import InputError
from twobirds.recipes.upgrade import FORMAT
from twobirds.states import save_state
from twobirds.training.objective import Objective


@dataclass
class Progress:
    """How far a run has come, and the losses gathered since they were last written.

    Order of the data, latents, flips and attributes are functions of the seed and `iteration`;
    these two numbers are therefore the whole state of the sampler and of the random numbers.
    """

    iteration: int = 0
    """Iterations done."""
    training_seconds: float = 0.0
    """Wall-clock seconds spent training, over all legs."""
    window: dict[str, Tensor] = field(default_factory=dict)
    """Sums of the losses since they were last written, scalars `[]`."""
    window_counts: dict[str, int] = field(default_factory=dict)
    """Iterations behind each: some losses have an end within a stage."""
    window_iterations: int = 0
    """Iterations since they were last written."""

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Gather the losses of one iteration, without waiting for the device."""
        for name, value in metrics.items():
            total = self.window.get(name)
            self.window[name] = value.float() if total is None else total + value
            self.window_counts[name] = self.window_counts.get(name, 0) + 1
        self.window_iterations += 1

    def clear_window(self) -> None:
        """Forget the gathered losses."""
        self.window, self.window_counts, self.window_iterations = {}, {}, 0


def save_checkpoint(
    path: Path,
    config: RunConfig,
    objective: Objective,
    progress: Progress,
    extra: dict[str, Any],
    *,
    keeps_previous: bool = True,
) -> None:
    """Save a run atomically.

    Args:
        path: The file to create or replace.
        config: The run.
        objective: What is trained.
        progress: How far it is.
        extra: What else to save.
        keeps_previous: Whether the checkpoint that was there becomes the previous one.

    Raises:
        FloatingPointError: If a weight is not finite; nothing is written then.
        OSError: If it cannot be written, or reads back damaged; the last checkpoint stays then.
    """
    networks = {name: n.state_dict() for name, n in objective.networks.items()}
    for name, weights in networks.items():
        if not all(torch.isfinite(value).all() for value in weights.values()):
            raise FloatingPointError(f"the weights of the {name} are no longer finite")
    state = {
        "format": FORMAT,
        "config": to_dict(config),
        "networks": networks,
        "optimizers": {name: o.state_dict() for name, o in objective.optimizers.items()},
        "schedule": objective.schedule_state(),
        "iteration": progress.iteration,
        "training_seconds": progress.training_seconds,
        "window": progress.window,
        "window_counts": progress.window_counts,
        "window_iterations": progress.window_iterations,
        **extra,
    }
    previous = path.with_name(PREVIOUS_CHECKPOINT_FILE) if keeps_previous else None
    save_state(path, state, previous=previous)


def restore(path: Path, state: Mapping[str, Any], objective: Objective) -> Progress:
    """Put a checkpoint's content into an objective.

    Raises:
        InputError: If the checkpoint does not fit it.
    """
    try:
        for name, network in objective.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimizer in objective.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        objective.load_schedule_state(state["schedule"])
        device = next(next(iter(objective.networks.values())).parameters()).device
        window_iterations = int(state["window_iterations"])
        # Runs of older versions counted every loss the same way.
        counts = state.get("window_counts", dict.fromkeys(state["window"], window_iterations))
        return Progress(
            iteration=int(state["iteration"]),
            training_seconds=float(state["training_seconds"]),
            window={name: value.to(device) for name, value in state["window"].items()},
            window_counts=dict(counts),
            window_iterations=window_iterations,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: does not fit this run: {reason}; a run begun by another version may go on "
            f"as a new one, with --start-from {path.parent}"
        ) from error

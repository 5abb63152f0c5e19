"""The two checkpoints of a run: the last one, and the one before, to go back to."""

from pathlib import Path
from typing import Any, Literal

import torch

from twobirds.checkpoint import CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.runtime import Runtime, average_values


def find_checkpoint(run: Path, resume: bool | Literal["previous"]) -> Path | None:
    """The checkpoint that a leg goes on from; None if it starts a run.

    Args:
        run: Folder of the run.
        resume: Go on from the last one, if there is one, or from the previous one.

    Raises:
        InputError: If there is a run and neither was asked for, or not the checkpoint that was.
    """
    last, previous = run / CHECKPOINT_FILE, run / PREVIOUS_CHECKPOINT_FILE
    if resume == "previous":
        if not previous.exists():
            raise InputError(f"{run}: has no {PREVIOUS_CHECKPOINT_FILE} to roll back to")
        return previous
    if not last.exists() and not previous.exists():
        return None
    if not resume:
        raise InputError(f"{run} already holds a run: add --resume to go on with it")
    if not last.exists():
        raise InputError(f"{last}: is gone: add --rollback to go on from {previous.name}")
    return last


def load_checkpoint(path: Path) -> tuple[RunConfig, dict[str, Any]]:
    """Load a run from one of its checkpoints.

    Raises:
        InputError: If it cannot be used; says whether there is one before it.
    """
    try:
        return load_run(path)
    except InputError as error:
        previous = path.with_name(PREVIOUS_CHECKPOINT_FILE)
        if path == previous or not previous.exists():
            raise
        raise InputError(f"{error}; add --rollback to go on from {previous.name}") from error


def give_up_last(run: Path, runtime: Runtime) -> None:
    """Put the previous checkpoint in the place of the last one, once all processes have it."""
    average_values(torch.zeros((), device=runtime.device))
    if runtime.is_main:
        (run / PREVIOUS_CHECKPOINT_FILE).replace(run / CHECKPOINT_FILE)

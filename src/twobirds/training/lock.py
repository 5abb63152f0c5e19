"""One leg at a time: a lock on a run's folder, which ends with the process that holds it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

from twobirds.atomic import try_lock
from twobirds.errors import InputError
from twobirds.runtime import Runtime, average_values

LOCK_FILE = "lock"
"""Lies in a run's folder for good; it means something only while a process holds its lock."""


@contextlib.contextmanager
def only_leg(run: Path, runtime: Runtime) -> Iterator[None]:
    """Keep other legs out of a run's folder; all processes of a leg enter together.

    Two legs at once would remove each other's unfinished files, mix their logs, and replace each
    other's checkpoints. The system releases the lock however the process ends.

    Args:
        run: The folder; made if absent, and removed again if nothing came to lie in it.
        runtime: The first process holds the lock for all.

    Yields:
        Nothing.

    Raises:
        InputError: If another leg is at work there; in every process.
    """
    with contextlib.ExitStack() as held:
        is_free = held.enter_context(_lock(run)) if runtime.is_main else True
        refusals = average_values(torch.tensor(float(not is_free), device=runtime.device))
        if refusals.item() > 0:
            raise InputError(
                f"{run}: another process is training this run: wait until it ends, or stop it"
            )
        yield


@contextlib.contextmanager
def _lock(run: Path) -> Iterator[bool]:
    """Hold the lock if it is free; yields whether it was."""
    is_new = not run.exists()
    run.mkdir(parents=True, exist_ok=True)
    path = run / LOCK_FILE
    with path.open("ab") as file:
        is_free = try_lock(file.fileno())
        try:
            yield is_free
        finally:
            if is_free and is_new and list(run.iterdir()) == [path]:
                path.unlink()
                run.rmdir()

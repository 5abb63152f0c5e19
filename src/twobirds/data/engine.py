"""What works on many images: processes of this machine, or a Ray cluster."""

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar

from twobirds.errors import InputError, missing_extra

S = TypeVar("S")
P = TypeVar("P")
R = TypeVar("R")

SHARD_FACES = 8192
"""Faces in each file of a pack that a Ray cluster makes, if nothing else is asked for."""
_MAX_RETRIES = 20
"""How often Ray repeats a task whose worker died: enough for lost machines, not for a crash."""


@dataclass(frozen=True)
class Engine:
    """Where many images are worked on."""

    kind: Literal["local", "ray"] = "local"
    """Processes of this machine, or a Ray cluster."""
    workers: int | None = None
    """Number of processes of this machine; None for one on each CPU."""
    shard_faces: int | None = None
    """Faces in each file of a pack; None puts all in one, or `SHARD_FACES` in each with Ray."""

    def __post_init__(self) -> None:
        if self.shard_faces is not None and self.shard_faces < 1:
            raise InputError(f"a file must hold at least 1 face, not {self.shard_faces}")
        if self.kind == "ray" and self.workers is not None:
            raise InputError("a Ray cluster knows its number of workers: leave out --workers")

    @property
    def rows_per_file(self) -> int | None:
        """Rows of a source whose images go to one file of a pack; None for all of them."""
        return SHARD_FACES if self.kind == "ray" and not self.shard_faces else self.shard_faces


def map_on_ray(
    work: Callable[[S, P], R], shared: S, parts: Sequence[P]
) -> Generator[R, None, None]:
    """Call `work(shared, part)` for each part in tasks of a Ray cluster.

    The cluster is the one that this process is connected to, that the environment variable
    RAY_ADDRESS names, or that `ray start` has begun on this machine; else one is started here, with
    a worker for each CPU, and stopped in the end. A task whose worker dies is repeated elsewhere,
    so `work` must do the same when it is called again.

    Args:
        work: A function of a module, which is installed on all machines.
        shared: Sent to each machine once.
        parts: One for each task.

    Yields:
        The results, in order.

    Raises:
        InputError: If Ray is not installed or cannot be reached, a task raises one, its workers
            die again and again, or the cluster fails otherwise.
    """
    with _cluster() as ray:
        task = ray.remote(max_retries=_MAX_RETRIES)(work)
        there = ray.put(shared)
        pending = [task.remote(there, part) for part in parts]
        try:
            while pending:
                yield _result_of(ray, pending[0])
                pending.pop(0)
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)


def _result_of(ray: ModuleType, reference: Any) -> Any:
    """Wait for a task."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, InputError):
            raise error.cause from None
        raise
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise InputError(
            f"a Ray worker died {_MAX_RETRIES + 1} times at the same images, perhaps of too little "
            "memory: see Ray's logs"
        ) from error
    except ray.exceptions.RayError as error:  # a lost node or object, a cluster that ended
        why = str(error).strip().partition("\n")[0].rstrip(".")
        raise InputError(
            f"the Ray cluster failed with {type(error).__name__}: {why}: see Ray's logs, and begin "
            "again"
        ) from error


@contextmanager
def _cluster() -> Iterator[ModuleType]:
    """Ray's module, connected; what was started for this is stopped afterwards."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anyone
    # Without a number of GPUs a task sees all of them, not none; Ray warns of the change otherwise.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise missing_extra("--engine ray needs", "ray", error) from error
    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises anything where it cannot start or connect
        raise InputError(f"no Ray cluster can be reached: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()

"""Several processes for work on many images."""

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from twobirds.errors import InputError
from twobirds.machine import num_cores


def num_workers(requested: int | None) -> int:
    """Check a number of processes; None is one for each CPU that this process may use.

    Raises:
        InputError: If it is not positive.
    """
    if requested is None:
        return num_cores()
    if requested < 1:
        raise InputError(f"workers must be at least 1, not {requested}")
    return requested


@contextmanager
def process_pool(workers: int, work: str) -> Iterator[ProcessPoolExecutor]:
    """Open processes that are gone afterwards; what has not begun by then is dropped.

    They are started afresh (spawn), never forked: forking a process that runs threads may
    deadlock. A script that uses them therefore needs the usual `if __name__ == "__main__":`.

    Args:
        workers: How many.
        work: What they do, for the report, such as `decoding`.

    Yields:
        The pool.

    Raises:
        InputError: If a process dies.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_ignore_interrupts)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise InputError(
            f"a {work} process died, perhaps of too little memory: try --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which shuts the pool down."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

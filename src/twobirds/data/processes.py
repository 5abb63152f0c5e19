"""Several processes for work on many images."""

import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from twobirds.errors import InputError
from twobirds.machine import num_cores

P = ParamSpec("P")
T = TypeVar("T")


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
def process_pool(workers: int, work: str) -> Iterator[Executor]:
    """Open processes that are gone afterwards; what has not begun by then is dropped.

    They are started afresh (spawn), never forked: forking a process that runs threads may
    deadlock. A script that uses them therefore needs the usual `if __name__ == "__main__":`.

    `concurrent.futures.ProcessPoolExecutor` waits forever if a process is killed while it sends a
    result: its processes share one pipe. Here each has a pipe of its own, which breaks when the
    process dies, at whatever moment.

    Args:
        workers: How many.
        work: What they do, for the report, such as `decoding`.

    Yields:
        The pool. The result of a task raises `InputError` if its process died.
    """
    pool = _ProcessPool(workers, work)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class _ProcessPool(Executor):
    """Threads, each of which hands a task to a process that is idle, and waits for the result."""

    def __init__(self, workers: int, work: str) -> None:
        self._work = work
        self._processes = [_Process() for _ in range(workers)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function of a module in one of the processes."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, once they have done what they were given."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for process in self._processes:
            process.end()

    def _call(self, function: Callable[..., T], args: Any, kwargs: Any) -> T:
        process = self._idle.get()
        try:
            is_done, result = process.call(function, args, kwargs)
        except (EOFError, OSError) as error:
            raise InputError(
                f"a {self._work} process died, perhaps of too little memory: try --workers 1"
            ) from error
        finally:
            self._idle.put(process)
        if not is_done:
            raise result
        value: T = result
        return value


class _Process:
    """One process, and this end of a pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end,), daemon=True)
        self._process.start()
        its_end.close()  # so that the process alone holds it, and the pipe breaks with it

    def call(self, *task: Any) -> Any:
        """Whether a function returned, and what it returned or raised.

        Raises:
            EOFError, OSError: If the process died.
        """
        self._pipe.send(task)
        return self._pipe.recv()

    def end(self) -> None:
        """Let the process end."""
        self._pipe.close()
        self._process.join()
        self._process.close()


def _serve(pipe: Connection) -> None:
    """Carry out the tasks that come through a pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipe
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            function, args, kwargs = pipe.recv()
            try:
                answer = (True, function(*args, **kwargs))
            except Exception as error:
                answer = (False, error)
            pipe.send(answer)

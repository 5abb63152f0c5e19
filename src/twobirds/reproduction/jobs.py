"""Several trainings at a time, each in a process of its own with its share of the cores."""

import multiprocessing
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType

import torch

from twobirds.errors import DivergenceError, InputError
from twobirds.machine import num_cores
from twobirds.training.loop import stop_on_signals

Train = Callable[[str], bool]
"""Trains the model of a name; returns whether it is complete, not if a signal stopped it."""

_COMPLETE, _STOPPED = "complete", "stopped"  # how a training may end, but for errors
_POLL_SECONDS = 0.5  # how soon a signal is passed on


@dataclass
class Jobs:
    """Trains models in processes of their own.

    Args:
        train: Trains one; picklable, for the processes are started afresh (spawn).
        num_jobs: Maximum number at a time.
        announce: Called with a line that says which training begins.
    """

    train: Train
    num_jobs: int
    announce: Callable[[str], None]
    _running: dict[str, tuple[BaseProcess, Connection]] = field(default_factory=dict)
    _complete: set[str] = field(default_factory=set)
    _failures: list[Exception] = field(default_factory=list)
    _is_stopping: bool = False

    def run(self, names: Sequence[str], needs: Mapping[str, Collection[str]]) -> bool:
        """Train each model as soon as a process is free and what it needs is complete.

        A signal has all save and stop, and so has the first training that fails or is stopped.

        Args:
            names: The models, in the order to begin them.
            needs: By model, those of `names` that must be complete first.

        Returns:
            Whether all are complete.

        Raises:
            InputError: If a training raised it, or its process died.
            DivergenceError: If a training raised it.
        """
        waiting = list(names)
        with stop_on_signals() as stopping:
            while self._running or (waiting and not self._is_stopping):
                ready = [n for n in waiting if self._complete.issuperset(needs.get(n, ()))]
                for name in ready[: 0 if self._is_stopping else self.num_jobs - len(self._running)]:
                    waiting.remove(name)
                    self.announce(f"model {len(names) - len(waiting)} of {len(names)}: {name}")
                    self._begin(name)
                self._gather(stopping)
                if stopping() or self._failures:
                    self._stop()
        if self._failures:
            raise self._failures[0]
        return not waiting and self._complete.issuperset(names)

    def _begin(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        answer, end = context.Pipe(duplex=False)
        threads = max(1, num_cores() // self.num_jobs)
        process = context.Process(
            target=_train_here, args=(self.train, name, threads, end), daemon=True
        )
        process.start()
        end.close()  # the child's alone: its death ends the pipe
        self._running[name] = (process, answer)

    def _gather(self, stopping: Callable[[], bool]) -> None:
        """Wait a moment for trainings to end, and note how they did."""
        ended = wait([answer for _, answer in self._running.values()], _POLL_SECONDS)
        if stopping():  # before an answer is judged: Ctrl-C ends a process that has not begun yet
            self._stop()
        for name in [n for n, (_, answer) in self._running.items() if answer in ended]:
            process, answer = self._running.pop(name)
            outcome: str | Exception
            try:
                outcome = answer.recv()
            except EOFError:
                outcome = _STOPPED if self._is_stopping else _death(name)
            process.join()
            if isinstance(outcome, Exception):
                self._failures.append(outcome)
            elif outcome == _COMPLETE:
                self._complete.add(name)
            else:
                self._stop()

    def _stop(self) -> None:
        """Have every training save and stop; once, for a second signal would not let it save."""
        if not self._is_stopping:
            self._is_stopping = True
            for process, _ in self._running.values():
                process.terminate()


def _death(name: str) -> InputError:
    return InputError(
        f"the process that trained {name} died, perhaps of too little memory: try fewer --jobs"
    )


def _train_here(train: Train, name: str, threads: int, answer: Connection) -> None:
    """What a process does: train, and answer how it ended."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit  # outside the training loop, which has handlers of its own

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    torch.set_num_threads(threads)
    try:
        answer.send(_COMPLETE if train(name) else _STOPPED)
    except SystemExit:
        answer.send(_STOPPED)
    except (InputError, DivergenceError) as error:
        answer.send(error)

"""Cases by the thousand, in a child process that is replaced when it hangs or dies."""

import json
import os
import random
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from campaign.observe import (
    MAX_BYTES,
    MAX_SECONDS,
    Action,
    Outcome,
    WriteWatch,
    file_states,
    first_difference,
    observe,
    open_files_below,
    peak_memory_bytes,
    reset_peak_memory,
)

Kind = Callable[[random.Random, Path], Action]
"""Writes an input into a folder, and returns what to do with it."""
Case = tuple[str, int]
"""Name of a kind, and number of the case: with the seed, all that an input is made of."""


def run_cases(
    kinds: dict[str, Kind], cases: Sequence[Case], folder: Path, seed: int
) -> Iterator[Outcome]:
    """Carry out cases one after the other.

    Args:
        kinds: What there is.
        cases: What to do.
        folder: Scratch; what a case leaves is removed before the next.
        seed: Of all cases.

    Yields:
        An outcome for each.
    """
    done = 0
    while done < len(cases):
        for outcome in _run_until_lost(kinds, cases[done:], folder, seed):
            done += 1
            yield outcome


def _run_until_lost(
    kinds: dict[str, Kind], cases: Sequence[Case], folder: Path, seed: int
) -> Iterator[Outcome]:
    """Carry out cases in one child; the last outcome is that of the case that it was lost in."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        try:
            _work(kinds, cases, folder, seed, sending)
        finally:
            os._exit(0)
    os.close(sending)
    finished = 0
    try:
        with os.fdopen(receiving, "rb", buffering=0) as lines:  # select sees no buffer
            for _ in cases:
                is_ready, _, _ = select.select([lines], [], [], 2 * MAX_SECONDS)
                line = lines.readline() if is_ready else b""
                if not line:
                    break
                yield Outcome(**json.loads(line))
                finished += 1
        if finished < len(cases):
            kind, number = cases[finished]
            yield Outcome(kind, number, "crash" if is_ready else "hang")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _work(
    kinds: dict[str, Kind], cases: Sequence[Case], folder: Path, seed: int, pipe: int
) -> None:
    """What the child does."""
    watch = WriteWatch()
    with os.fdopen(pipe, "wb", buffering=0) as out:
        for kind, number in cases:
            try:
                outcome = _run_case(kinds[kind], kind, number, folder, seed, watch)
            except BaseException:
                traceback.print_exc()  # of the campaign itself; its case counts as a crash
                raise
            out.write(json.dumps(outcome.content()).encode() + b"\n")


def _run_case(
    make: Kind, kind: str, number: int, folder: Path, seed: int, watch: WriteWatch
) -> Outcome:
    """One case in a folder of its own, of which the inputs may not change."""
    place = folder / "case"
    shutil.rmtree(place, ignore_errors=True)
    (place / "in").mkdir(parents=True)
    (place / "out").mkdir()
    (place / "tmp").mkdir()
    tempfile.tempdir = str(place / "tmp")
    action = make(random.Random(f"{seed} {kind} {number}"), place / "in")
    before = file_states(folder, without=(place / "out", place / "tmp"))
    os.chdir(place / "out")
    reset_peak_memory()
    watch.start(place / "out", place / "tmp")
    started = time.monotonic()
    end, what = observe(action)
    seconds = time.monotonic() - started
    escapes = watch.stop()
    megabytes = peak_memory_bytes() >> 20
    after = file_states(folder, without=(place / "out", place / "tmp"))
    changed = first_difference(before, after)
    if changed is not None:
        escapes.append(changed)
    if escapes:
        end, what = "escape", escapes[0]
    elif end in ("done", "refused"):
        end, what = _judge(end, place, seconds, megabytes)
    return Outcome(kind, number, end, what, seconds, megabytes)


def _judge(end: str, place: Path, seconds: float, megabytes: int) -> tuple[str, str]:
    """How a case ended that gave a result or a sentence: what it took, and what it left."""
    if seconds > MAX_SECONDS:
        return "hang", f"{seconds:.0f} s"
    if megabytes << 20 > MAX_BYTES:
        return "memory", f"{megabytes} MiB"
    if left := sorted(os.listdir(place / "tmp")):  # noqa: PTH208
        return "wrong", f"left the temporary {left[0]}"
    if end == "refused" and (left := sorted(os.listdir(place / "out"))):  # noqa: PTH208
        return "wrong", f"refused, but left {left[0]}"
    if held := open_files_below(place):
        return "leak", held[0]
    return end, ""

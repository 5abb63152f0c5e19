"""Kills at random moments: SIGKILL, SIGTERM and power cuts."""

import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from campaign.jobs import Job
from campaign.observe import MAX_SECONDS, WrongResultError
from campaign.power import Journal, cut_power, durable_files
from twobirds.apps.cli import TERMINATED, main
from twobirds.apps.train_command import UNFINISHED
from twobirds.errors import InputError

WAYS = ("SIGKILL", "SIGTERM", "power cut")
_ORDERLY = (0, UNFINISHED, TERMINATED, -signal.SIGTERM)  # the last before it has begun
_OTHER = "made something else than a command that was never killed"


@dataclass(frozen=True)
class Kill:
    """One kill."""

    job: str
    way: str
    seconds: float
    """After the start of the command."""
    hit: bool
    """Whether the command was still at work."""
    fault: str = ""

    def content(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def kill_job(name: str, job: Job, count: int, seed: str) -> Iterator[Kill]:
    """Kill a job, look at what is left and repeat it, until it was killed often enough.

    Each completed one, and the one at the end, must have made what one made that was never killed.

    Args:
        name: Of the job.
        job: What to kill.
        count: How many kills must hit.
        seed: Of the moments.

    Yields:
        Each kill.
    """
    rng = random.Random(f"{seed} {name}")
    job.prepare()
    job.begin()
    started = time.monotonic()
    _finish(job)
    longest = time.monotonic() - started
    expected = job.result()
    job.begin()
    hits = attempts = 0
    while hits < count and attempts < 4 * count:
        way = WAYS[hits % len(WAYS)]
        kill = _kill_once(name, job, way, rng.uniform(0, longest), rng)
        attempts += 1
        hits += kill.hit
        if not kill.hit and not kill.fault and job.result() != expected:
            kill = replace(kill, fault=_OTHER)
        if not kill.hit or kill.fault:
            job.begin()
        if kill.hit or kill.fault:
            yield kill
    _finish(job)
    if job.result() != expected:
        yield Kill(name, "none", 0.0, hit=False, fault=_OTHER)


def _kill_once(name: str, job: Job, way: str, seconds: float, rng: random.Random) -> Kill:
    """Start the command, kill it, and look."""
    journal = job.folder.with_name(f"{job.folder.name}-journal")
    shutil.rmtree(journal, ignore_errors=True)
    before, hidden = durable_files(job.folder), set(job.folder.rglob(".*"))
    child = _start(job.words(), journal if way == "power cut" else None)
    time.sleep(seconds)
    done, status = os.waitpid(child, os.WNOHANG)
    hit, code = done == 0, os.waitstatus_to_exitcode(status)
    if not hit:
        return Kill(name, way, seconds, hit, f"it ended with {code}" if code else "")
    fault = ""
    if way == "SIGTERM":
        fault = _terminate(child)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        if way == "power cut":
            cut_power(job.folder, journal, before, rng)
        job.look()
        if way == "SIGTERM" and (left := set(job.folder.rglob(".*")) - hidden):
            raise WrongResultError(f"SIGTERM left {min(left).name}")
    except (InputError, WrongResultError, ValueError) as error:
        fault = fault or f"{type(error).__name__}: {error}"
    return Kill(name, way, seconds, hit, fault)


def _terminate(child: int) -> str:
    """Send SIGTERM, and wait; returns what was wrong with the end."""
    os.kill(child, signal.SIGTERM)
    end = time.monotonic() + MAX_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return "" if code in _ORDERLY else f"SIGTERM ended it with {code}"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"still there {MAX_SECONDS} s after SIGTERM"


def _finish(job: Job) -> None:
    """Let the command come to its end.

    Raises:
        RuntimeError: If it fails.
    """
    child = _start(job.words(), None)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        raise RuntimeError(f"{' '.join(job.words())} ended with {code}")


def _start(words: list[str], journal: Path | None) -> int:
    """Carry out a command in a child process; returns its number."""
    notes = None if journal is None else Journal(journal)
    child = os.fork()
    if child:
        if notes is not None:
            os.close(notes.file)
        return child
    code = 1
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if notes is not None:
            notes.install()
        code = main(words)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)

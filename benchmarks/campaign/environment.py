"""Commands where the environment fails: full disk, no permission, no files left, company."""

import functools
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.jobs import Job
from campaign.observe import MAX_SECONDS
from twobirds.apps.cli import main

_NOBODY = 65_534


@dataclass(frozen=True)
class Trial:
    """One command in one environment."""

    environment: str
    job: str
    code: int | None
    """Exit code; None if it hung."""
    message: str
    fault: str = ""


def try_environments(jobs: dict[str, Job]) -> Iterator[Trial]:
    """Try every command in every environment."""
    for name, job in jobs.items():
        job.begin()
        for label, prepare in _environments(job):
            yield _try(label, name, job, prepare)
    for name in ("pack", "train paper"):
        yield _two_at_once(name, jobs[name])


def _environments(job: Job) -> Iterator[tuple[str, Callable[[], None]]]:
    for kilobytes in (0, 1, 20, 100, 300):
        yield f"files end at {kilobytes} kB", functools.partial(_limit_files, kilobytes * 1000)
    for more in (0, 1, 2, 4, 8):
        yield f"{more} more open files", functools.partial(_limit_open_files, more)
    if os.getuid() == 0:
        yield "a folder of another user", lambda: os.setresuid(_NOBODY, _NOBODY, 0)


def _limit_files(num_bytes: int) -> None:
    """Let no file grow further, as on a full disk; with an error in place of a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


def _limit_open_files(more: int) -> None:
    used = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + more, used + more))


def _try(label: str, name: str, job: Job, prepare: Callable[[], None]) -> Trial:
    """Carry out a command; it may succeed, or end with one sentence and code 2."""
    job.begin()
    before = _files(job.folder)
    code, text = _carry_out(job.words(), prepare)
    message = _last_line(text)
    fault = ""
    if code is None:
        fault = f"hung for {MAX_SECONDS} s"
    elif "Traceback" in text or code not in (0, 2):
        fault = f"code {code}: {message}"
    elif code == 2 and "twobirds: error: " not in text:
        fault = "no sentence"
    elif code == 2:
        fault = _left_behind(name, _files(job.folder) - before)
    return Trial(label, name, code, message, fault)


def _left_behind(name: str, new: set[str]) -> str:
    """What a refused command left: a run or a judge may stay, whole; nothing half-written may."""
    may_stay = name.startswith(("train", "evaluate"))
    left = [path for path in sorted(new) if not may_stay or Path(path).name.startswith(".")]
    return f"left {left[0]}" if left else ""


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _carry_out(words: list[str], prepare: Callable[[], None]) -> tuple[int | None, str]:
    """Carry out a command in a child process; returns its code and what it said."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(words, prepare, sending)
    os.close(sending)
    os.set_blocking(receiving, False)
    text, end = b"", time.monotonic() + 2 * MAX_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        text += _drain(receiving)
        if done:
            os.close(receiving)
            return os.waitstatus_to_exitcode(status), text.decode(errors="replace")
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(receiving)
    return None, text.decode(errors="replace")


def _drain(pipe: int) -> bytes:
    text = b""
    while True:
        try:
            part = os.read(pipe, 65_536)
        except BlockingIOError:
            return text
        if not part:
            return text
        text += part


def _be_child(words: list[str], prepare: Callable[[], None], pipe: int) -> None:
    """Prepare the environment, carry out the command, and end."""
    code = 1
    try:
        os.dup2(pipe, 1)
        os.dup2(pipe, 2)
        os.close(pipe)
        prepare()
        code = main(words)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:
        os.write(2, f"Traceback: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _two_at_once(name: str, job: Job) -> Trial:
    """Give a command twice at the same time: one may do its work, the other is refused."""
    job.begin()
    command = [sys.executable, "-m", "twobirds", *job.words()]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    texts = [process.communicate(timeout=4 * MAX_SECONDS)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    is_right = codes == [0, 2] or (codes == [0, 0] and name.startswith("train"))  # one by one
    fault = "" if is_right and "Traceback" not in "".join(texts) else f"codes {codes}"
    job.result()
    return Trial("two processes on one folder", name, codes[-1], _last_line(texts[0]), fault)


def content_of(trial: Trial) -> dict[str, Any]:
    """Plain data."""
    return vars(trial)

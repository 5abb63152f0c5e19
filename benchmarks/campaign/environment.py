"""Commands where the environment fails: full disk, no permission, no files left, company."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from campaign.failing import (
    Prepare,
    can_mount,
    give_away,
    jump_clock,
    limit_files,
    limit_memory,
    limit_open_files,
    make_read_only,
    put_on_small_disk,
)
from campaign.jobs import Job
from campaign.observe import MAX_SECONDS
from twobirds.apps.cli import main
from twobirds.data import decoding

_DONE = b"\0done\n"


@dataclass(frozen=True)
class Trial:
    """One command in one environment."""

    environment: str
    job: str
    code: int | None
    """Exit code; None if it hung."""
    message: str
    fault: str = ""


def try_environments(name: str, job: Job) -> Iterator[Trial]:
    """Try a command in every environment that fails."""
    job.prepare()
    for label, prepare in _environments(job, mounts=can_mount()):
        yield _try(label, name, job, prepare)
    if name in ("pack", "train paper", "evaluate"):
        yield _two_at_once(name, job)
    if name == "pack":
        yield _lose_a_worker(job)


def _environments(job: Job, *, mounts: bool) -> Iterator[tuple[str, Prepare]]:
    """Names of environments, and what makes them; some need an administrator."""
    for kilobytes in (0, 1, 20, 100, 300):
        yield f"files end at {kilobytes} kB", partial(limit_files, kilobytes * 1000)
    for more in (0, 1, 2, 4, 8):
        yield f"{more} more open files", partial(limit_open_files, more)
    for megabytes in (1, 16, 256):
        yield f"{megabytes} MB more memory", partial(limit_memory, megabytes << 20)
    yield "clock that jumps", jump_clock
    if os.getuid() == 0:
        yield "a folder of another user", partial(give_away, job.folder)
    if mounts:
        yield "read-only disk", partial(make_read_only, job.folder)
        for kilobytes in (4, 100, 500):
            disk = partial(put_on_small_disk, job.folder, kilobytes << 10)
            yield f"disk with {kilobytes} kB free", disk


def _try(label: str, name: str, job: Job, prepare: Prepare) -> Trial:
    """Carry out a command; it may succeed, or end with one sentence and code 2."""
    job.begin()
    before = _files(job.folder)
    child = Child(job.words(), prepare, job.folder)
    code = child.wait()
    message = last_line(child.said)
    fault = ""
    if code is None:
        fault = f"hung for {2 * MAX_SECONDS} s"
    elif "Traceback" in child.said or code not in (0, 2):
        fault = f"code {code}: {message}"
    elif code == 2 and "twobirds: error: " not in child.said:
        fault = "no sentence"
    elif code == 2:
        fault = _left_behind(name, child.left - before)
    elif label == "clock that jumps":
        fault = _difference(job)
    return Trial(label, name, code, message, fault)


def _difference(job: Job) -> str:
    """Whether a command has made something else than it does elsewhere; carries it out again."""
    result = job.result()
    job.begin()
    if Child(job.words(), lambda: None, job.folder).wait() != 0:
        return "it fails elsewhere"
    return "" if job.result() == result else "made something else"


def _left_behind(name: str, new: set[str]) -> str:
    """What a refused command left: a run or a judge may stay, whole; nothing half-written may."""
    may_stay = name.startswith(("train", "evaluate", "reproduce"))
    left = [path for path in sorted(new) if not may_stay or Path(path).name.startswith(".")]
    return f"left {left[0]}" if left else ""


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def last_line(text: str) -> str:
    """The last thing that a command said."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


class Child:
    """A command in a process of its own.

    Args:
        words: The command.
        prepare: Makes its environment fail.
        folder: Of which it tells what it leaves there: nobody else may see what it mounts.
    """

    def __init__(self, words: list[str], prepare: Prepare, folder: Path) -> None:
        self.said, self.left = "", set[str]()
        self.folder = folder
        self._receiving, sending = os.pipe()
        listing, self._listing = os.pipe()
        self.number = os.fork()
        if self.number == 0:
            os.close(self._receiving)
            os.close(self._listing)
            _be_child(words, prepare, sending, listing)
        os.close(sending)
        os.close(listing)
        os.set_blocking(self._receiving, False)

    def wait(self) -> int | None:
        """The exit code; None if it hung. What it said and left is known then."""
        text, end, code = b"", time.monotonic() + 2 * MAX_SECONDS, None
        is_seen = False
        while code is None and time.monotonic() < end:
            text += _drain(self._receiving)
            if text.endswith(_DONE) and not is_seen:  # it waits for this
                root = Path(f"/proc/{self.number}/root")
                self.left = _files(root / self.folder.relative_to("/"))
                os.write(self._listing, b"!")
                is_seen = True
            done, status = os.waitpid(self.number, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if done else None
            time.sleep(0.01)
        if code is None:
            os.kill(self.number, signal.SIGKILL)
            os.waitpid(self.number, 0)
        self.said = (text + _drain(self._receiving)).removesuffix(_DONE).decode(errors="replace")
        os.close(self._receiving)
        os.close(self._listing)
        return code


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


def _be_child(words: list[str], prepare: Prepare, pipe: int, looked: int) -> None:
    """Prepare the environment, carry out the command, wait until its files are seen, and end."""
    code = 1
    try:
        os.dup2(pipe, 1)
        os.dup2(pipe, 2)
        os.close(pipe)
        # The streams there were may have been files, in which there are places to go back to.
        sys.stdout, sys.stderr = (os.fdopen(n, "w", closefd=False) for n in (1, 2))
        prepare()
        code = main(words)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:
        os.write(2, f"Traceback: {type(error).__name__}: {error}\n".encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(2, _DONE)
        os.read(looked, 1)
        os._exit(code)


def _two_at_once(name: str, job: Job) -> Trial:
    """Give a command twice at the same time: one does its work, and the other is refused.

    Of training and evaluation the second may also take up what the first has completed; what is
    there in the end must be what one alone makes.
    """
    job.begin()
    command = [sys.executable, "-m", "twobirds", *job.words()]
    nobody, us = subprocess.DEVNULL, subprocess.PIPE
    both = [subprocess.Popen(command, text=True, stdout=nobody, stderr=us) for _ in range(2)]
    texts = [process.communicate(timeout=4 * MAX_SECONDS)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    is_right = codes == [0, 2] or (codes == [0, 0] and name.startswith(("train", "evaluate")))
    is_right = is_right and "Traceback" not in "".join(texts)
    fault = _difference(job) if is_right else f"codes {codes}"
    return Trial("two processes on one folder", name, codes[-1], last_line(texts[0]), fault)


def _lose_a_worker(job: Job) -> Trial:
    """Kill one of several processes that decode, as a system without memory does."""
    job.begin()
    words = [word for word in job.words() if not word.startswith("--workers")]
    child = Child([*words, "--workers=2"], _decode_in_processes, job.folder)
    end = time.monotonic() + MAX_SECONDS
    while len(workers := _workers_of(child.number)) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    if workers:
        os.kill(workers[0], signal.SIGKILL)
    code = child.wait()
    message = last_line(child.said)
    is_right = len(workers) == 2 and code == 2 and "process died" in message and not child.left
    fault = "" if is_right else f"code {code} after {workers[:1]} was killed: {message}"
    return Trial("a worker is killed", "pack", code, message, fault)


def _decode_in_processes() -> None:
    """Let even a small source be decoded in other processes."""
    decoding._FEW = 0


def _workers_of(process: int) -> list[int]:
    """Processes that a process has started for work."""
    found = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found

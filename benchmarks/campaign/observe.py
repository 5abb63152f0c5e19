"""One action under observation: what it raised, wrote, started, and took in memory."""

import gc
import os
import re
import stat
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twobirds.errors import InputError

Action = Callable[[], str]
"""Does what is to be tried; returns "done" or "refused"."""

MAX_SECONDS = 30
MAX_BYTES = 2 << 30
MAX_SENTENCE = 20_000
"""Characters of an error: twenty entries of each of nine kinds, and some."""
_MIN_WORDS = 2
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
}
"""Events of the interpreter that change a folder: the arguments with a place, and with the folder
that it is relative to."""
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
_NOWHERE = ("/dev/null/", "/dev/tty/", "/proc/")


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    kind: str
    number: int
    end: str
    """done, refused, traceback, wrong, escape, leak, memory, hang or crash."""
    what: str = ""
    """Of a fault: the error, or the file."""
    seconds: float = 0.0
    megabytes: int = 0
    """Peak of resident memory."""

    @property
    def is_fault(self) -> bool:
        """Whether the product did wrong."""
        return self.end not in ("done", "refused")

    def content(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class WrongResultError(AssertionError):
    """The product gave a result that a plain reference contradicts."""


class WriteWatch:
    """Notes what this process changes outside some folders, runs, and connects to."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] | None = None
        self.escapes: list[str] = []
        sys.addaudithook(self._note)

    def start(self, *allowed: Path) -> None:
        """Watch from now on; only below `allowed` may anything be written."""
        self.escapes = []
        self.allowed = (*(f"{path.resolve()}/" for path in allowed), *_NOWHERE)

    def stop(self) -> list[str]:
        """Stop watching; returns the places, programs and addresses."""
        self.allowed = None
        return self.escapes

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        if event in _PROGRAMS:
            self.escapes.append(f"runs {arguments[0]}")
        elif event == "socket.connect":
            self.escapes.append(f"connects to {arguments[1]}")
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            self._note_place(arguments[0], None, is_followed=True)
        elif event in _CHANGES:
            for place, folder in _CHANGES[event]:
                self._note_place(arguments[place], folder and arguments[folder])

    def _note_place(self, place: Any, folder: int | None, *, is_followed: bool = False) -> None:
        """Note a place if it is outside; links on the way count as the places they lead to."""
        if self.allowed is None or not isinstance(place, str | bytes | os.PathLike):
            return  # such as the number of an open file
        path = os.fsdecode(place)
        if folder is not None and folder >= 0:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)  # noqa: PTH115, PTH118
        parent, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
        path = os.path.realpath(path) if is_followed else f"{os.path.realpath(parent)}/{name}"
        if not f"{path}/".startswith(self.allowed):
            self.escapes.append(path)


FileStates = dict[str, tuple[int, int, int, int]]
"""Mode, size, time of change and inode by path."""


def file_states(root: Path, *, without: Sequence[Path]) -> FileStates:
    """What lies in a folder: what libraries write there in C, no event of the interpreter tells.

    Args:
        root: The folder.
        without: Folders in it that are left out, with all that they hold.
    """
    states = {}
    left_out = set(map(str, without))
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if f"{folder}/{name}" not in left_out]
        for name in (*subfolders, *names):
            state = os.lstat(f"{folder}/{name}")
            # A folder's own time changes with what is left out in it.
            changed = 0 if stat.S_ISDIR(state.st_mode) else state.st_mtime_ns
            states[f"{folder}/{name}"] = (state.st_mode, state.st_size, changed, state.st_ino)
    return states


def first_difference(before: FileStates, after: FileStates) -> str | None:
    """A path that was changed, made or removed."""
    return min((p for p in before | after if before.get(p) != after.get(p)), default=None)


def open_files_below(folder: Path) -> list[str]:
    """Files in a folder that this process holds open, and that no collected garbage held."""
    if _links_below(folder):
        gc.collect()  # such as the frames of an error
    return _links_below(folder)


def _links_below(folder: Path) -> list[str]:
    held = []
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            place = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        except FileNotFoundError:  # the one of this listing
            continue
        if place.startswith(f"{folder}/"):
            held.append(place)
    return held


def observe(action: Action) -> tuple[str, str]:
    """Carry out an action; returns how it ended, and of a fault what it was."""
    try:
        return action(), ""
    except InputError as error:
        what = fault_of_sentence(str(error))
        return ("wrong", what) if what else ("refused", "")
    except WrongResultError as error:
        return "wrong", str(error)
    except BaseException as error:  # whatever it is, the user would have seen a traceback
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "twobirds" in frame.filename] or frames
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        return "traceback", f"{type(error).__name__} at {place}: {str(error)[:200]}"


def fault_of_sentence(text: str) -> str:
    """Why an error is none that a user can act upon; empty if it is one."""
    if len(text.split()) < _MIN_WORDS:
        return f"an error without a sentence: {text!r}"
    if len(text) > MAX_SENTENCE:
        return f"an error of {len(text):,} characters"
    if "Traceback" in text or " object at 0x" in text:
        return f"an error of the interpreter: {text[:200]!r}"
    return ""


def reset_peak_memory() -> None:
    """Let the peak of resident memory count from now on (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """Peak of this process's resident memory."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0

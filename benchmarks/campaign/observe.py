"""One action under observation: what it raised, wrote, and took in memory."""

import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twobirds.errors import InputError

Action = Callable[[], str]
"""Does what is to be tried; returns "done" or "refused"."""

MAX_SECONDS = 30
MAX_BYTES = 2 << 30
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_TARGETS = {"os.mkdir": 0, "os.remove": 0, "os.rmdir": 0, "os.rename": 1, "os.symlink": 1}
"""Events of the interpreter that change a folder, and which argument names the place."""
_NOWHERE = ("/dev/null/", "/dev/tty/", "/proc/")


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    kind: str
    number: int
    end: str
    """done, refused, traceback, wrong, escape, memory, hang or crash."""
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
    """Notes every place outside some folders at which this process opens a file to write."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] | None = None
        self.escapes: list[str] = []
        sys.addaudithook(self._note)

    def start(self, *allowed: Path) -> None:
        """Watch from now on; only below `allowed` may anything be written."""
        self.escapes = []
        self.allowed = (*(f"{path.resolve()}/" for path in allowed), *_NOWHERE)

    def stop(self) -> list[str]:
        """Stop watching; returns the places."""
        self.allowed = None
        return self.escapes

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        place: Any = None
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            place = arguments[0]
        elif event in _TARGETS:
            place = arguments[_TARGETS[event]]
        if isinstance(place, str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(place))  # noqa: PTH100 -- links are no matter here
            if not f"{path}/".startswith(self.allowed):
                self.escapes.append(path)


def observe(action: Action) -> tuple[str, str]:
    """Carry out an action; returns how it ended, and of a fault what it was."""
    try:
        return action(), ""
    except InputError as error:
        return ("refused", "") if str(error).strip() else ("wrong", "an error without a sentence")
    except WrongResultError as error:
        return "wrong", str(error)
    except BaseException as error:  # whatever it is, the user would have seen a traceback
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "twobirds" in frame.filename] or frames
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        return "traceback", f"{type(error).__name__} at {place}: {str(error)[:200]}"


def reset_peak_memory() -> None:
    """Let the peak of resident memory count from now on (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """Peak of this process's resident memory."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0

"""The page's server, which upon SIGUSR1 notes how much memory it holds without what is free in it.

Usage: `python -m campaign.settling NOTES app --model=…`, with NOTES the file that gets a line of
bytes for each signal. Resident memory as it is would show the highest peak so far: what a request
took and gave back stays with the allocator. After a full garbage collection and `malloc_trim` it
is what is really held, by Python and by the libraries in C.
"""

import ctypes
import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from twobirds.apps.cli import main


def resident_bytes(process: int | str = "self") -> int:
    """Resident memory of a process."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def settled_bytes() -> int:
    """Resident memory of this process, once what is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident_bytes()


def note_when_asked(path: Path) -> None:
    """Add a line to a file upon each SIGUSR1."""

    def note(_signal: int, _frame: FrameType | None) -> None:
        with path.open("a") as file:
            file.write(f"{settled_bytes()}\n")

    signal.signal(signal.SIGUSR1, note)


if __name__ == "__main__":
    note_when_asked(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))

"""Files that the page hands out: in a folder of their own, and gone soon after."""

import contextlib
import shutil
import time
import uuid
from pathlib import Path

KEPT_SECONDS = 300
"""How long uploads and downloads lie there."""


class Files:
    """A temporary folder.

    Args:
        folder: Where; must exist, and be removed by whoever made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: bytes) -> Path:
        """Put a file there under its name, in a folder that cannot be guessed."""
        place = self.folder / uuid.uuid4().hex
        place.mkdir()
        path = place / Path(name).name  # whatever the name claims, it stays in there
        path.write_bytes(content)
        return path


def sweep(folder: Path, seconds: float, *, keep: frozenset[Path] = frozenset()) -> None:
    """Remove what lies in a folder and is older than so many seconds.

    Args:
        folder: Each entry in it goes or stays as a whole.
        seconds: Since its last change; a change in the future, by a clock that was put back, is
            old, too.
        keep: Entries that stay.
    """
    newest = time.time() + seconds
    oldest = newest - 2 * seconds
    for place in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another thread was faster
            if place in keep or oldest <= place.stat().st_mtime <= newest:
                continue
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink()

"""Files that the page hands out: in a folder of their own, and gone soon after."""

import shutil
import time
import uuid
from pathlib import Path

_KEPT_SECONDS = 300


class Files:
    """A temporary folder.

    Args:
        folder: Where; must exist, and be removed by whoever made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: bytes) -> Path:
        """Put a file there under its name, in a folder that cannot be guessed; old ones go."""
        self.sweep(_KEPT_SECONDS)
        place = self.folder / uuid.uuid4().hex
        place.mkdir()
        path = place / Path(name).name  # whatever the name claims, it stays in there
        path.write_bytes(content)
        return path

    def sweep(self, seconds: float) -> None:
        """Remove what is older than so many seconds."""
        oldest = time.time() - seconds
        for place in self.folder.iterdir():
            if place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)

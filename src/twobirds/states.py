"""Training states as archives of torch: written whole, read back, and kept twice."""

import errno
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch

from twobirds.atomic import write_atomically
from twobirds.errors import InputError

_IS_FOLDER = 0x10  # attribute of an entry in a zip archive


def save_state(path: Path, state: Mapping[str, Any], *, previous: Path | None = None) -> None:
    """Save a training state of tensors, numbers, strings, lists and dicts, atomically.

    It is read back from the disk before it takes the place of what is there.

    Args:
        path: The file to create or replace.
        state: What to save.
        previous: Where the file that was there is kept; None lets it go.

    Raises:
        OSError: If it cannot be written, or reads back damaged; what was there stays.
    """

    def finish(written: Path) -> None:
        _read_back(written)
        if previous is not None and path.exists():
            _keep_as(path, previous)

    write_atomically(path, lambda file: _dump(state, file), before_replacing=finish)


def load_state(path: Path) -> dict[str, Any]:
    """Load what `save_state` wrote, onto the CPU; nothing in the file is ever executed.

    Raises:
        InputError: If the file is absent, damaged, or holds more than plain data.
    """
    try:
        damaged = _damaged_part(path)
        if damaged is not None:
            raise InputError(f"{path}: is damaged: wrong checksum or entry of its part {damaged}")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError:
        raise
    except Exception as error:  # zipfile and torch raise many kinds on damaged files
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: is not a usable checkpoint: {reason}") from error
    if not isinstance(state, dict):
        raise InputError(f"{path}: is not a training checkpoint")
    return state


def _damaged_part(path: Path) -> str | None:
    """The first part of an archive that does not match its checksum; torch verifies none."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        # A flipped bit can turn a part into a folder, which torch takes for empty.
        folders = (p.filename for p in archive.infolist() if p.external_attr & _IS_FOLDER)
        return damaged or next(folders, None)


class _Sink:
    """A file for torch to write to, which keeps the error that torch replaces by its own."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Torch asks for it at the end; `write_atomically` does it."""


def _dump(state: Mapping[str, Any], file: IO[bytes]) -> None:
    """Write a state; a full disk is an OSError, as it is everywhere else."""
    sink = _Sink(file)
    try:
        torch.save(dict(state), cast(IO[bytes], sink))
    except RuntimeError as error:
        if sink.error is None:
            raise
        raise sink.error from error


def _read_back(written: Path) -> None:
    """Verify the checksums of an archive that was just written."""
    try:
        damaged = _damaged_part(written)
    except OSError:
        raise
    except Exception as error:  # zipfile raises many kinds on damaged files
        damaged = str(error) or type(error).__name__
    if damaged is not None:
        what = f"it was written, but reads back damaged ({damaged}): check the disk"
        raise OSError(errno.EIO, what)


def _keep_as(path: Path, other: Path) -> None:
    """Give a file a second name, in place of what has that; the first name is never absent."""
    temporary = other.with_name(f".{other.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        try:
            temporary.hardlink_to(path)
        except OSError:  # a file system without links
            shutil.copyfile(path, temporary)
        temporary.replace(other)
    finally:
        temporary.unlink(missing_ok=True)  # still there if both names were one file already

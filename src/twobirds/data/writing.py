"""Writing folders all or nothing, and arrays row by row."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from twobirds.errors import InputError


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes this name once it is complete and on disk.

    Whatever goes wrong meanwhile, Ctrl-C included, the temporary folder is removed.

    Raises:
        InputError: If `path` exists, or cannot be written.
    """
    if os.path.lexists(path):
        raise InputError(f"{path} exists already; choose another name, or delete it first")
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        for file in temporary.iterdir():
            _flush(file)
        _flush(temporary)
        temporary.rename(path)
        _flush(path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(path: Path) -> None:
    """Make sure that a file or folder is on disk, not in memory only."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RowWriter:
    """Writes a uint8 `.npy` file row by row, so that the array is never in memory as a whole."""

    def __init__(self, path: Path, row_shape: tuple[int, ...], max_rows: int) -> None:
        """Begin a file that may become `[max_rows, *row_shape]`."""
        self.num_rows = 0
        self._row_shape = row_shape
        self._file = path.open("wb")
        self._write_header(max_rows)
        self._start = self._file.tell()

    def append(self, row: np.ndarray) -> None:
        """Write a row, uint8 of `row_shape`."""
        assert row.shape == self._row_shape
        assert row.dtype == np.uint8
        self._file.write(np.ascontiguousarray(row).data)
        self.num_rows += 1

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the number of rows that there are into the header."""
        with self._file:
            if kind is None:
                self._file.seek(0)
                self._write_header(self.num_rows)
                assert self._file.tell() == self._start  # numpy pads headers for such growth

    def _write_header(self, num_rows: int) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {"descr": "|u1", "fortran_order": False, "shape": (num_rows, *self._row_shape)},
        )

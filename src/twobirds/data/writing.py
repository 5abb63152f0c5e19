"""Writing arrays row by row."""

from pathlib import Path
from types import TracebackType

import numpy as np


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

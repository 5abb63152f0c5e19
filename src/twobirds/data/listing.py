"""Lists of images and attributes as text: rows, values, and everything that can be wrong there."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from twobirds.data.files import Files
from twobirds.data.problems import Problem, shorten
from twobirds.errors import InputError

Row = tuple[int, list[str]]
"""Line number, from 1, and cells."""

VALUES: dict[str, int] = {
    **dict.fromkeys(("1", "+1", "1.0", "true", "True", "TRUE"), 1),
    **dict.fromkeys(("0", "0.0", "false", "False", "FALSE"), 0),
    **dict.fromkeys(("-1", "-1.0"), -1),
}
"""How lists write attribute values."""
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Columns:
    """Where a row has its parts."""

    name: int
    """Column of the image's name."""
    attributes: tuple[int, ...]
    """Columns of the attribute values."""
    width: int
    """Number of columns."""
    extras: tuple[int, ...] = ()
    """Further columns to keep as text."""


@dataclass
class Rows:
    """The good rows of a list; `attributes` is `[N, K]` uint8 0/1."""

    names: list[str] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    extras: list[tuple[str, ...]] = field(default_factory=list)
    attributes: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))


def load_lines(files: Files, name: str) -> list[str]:
    """Load a UTF-8 text file as lines, with LF, CRLF or CR ends and with or without a BOM.

    Bytes that are no UTF-8 become U+FFFD, so that the row they are in can be reported.

    Raises:
        InputError: If the file cannot be read or is empty.
    """
    try:
        text = files.read(name).decode("utf-8-sig", errors="replace")
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    if not text.strip():
        raise InputError(f"{name} is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def split_words(lines: Iterable[str]) -> Iterator[Row]:
    """Cut lines at white space, leaving out blank ones."""
    for line, text in enumerate(lines, 1):
        if cells := text.split():
            yield line, cells


def split_csv(lines: Sequence[str], name: str) -> Iterator[Row]:
    """Cut lines at commas, or at the semicolons or tabs that some programs write instead.

    Raises:
        InputError: If the text is no CSV.
    """
    header = next(line for line in lines if line.strip())
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in rows:
            if any(cells):
                yield rows.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise InputError(f"{name}:{rows.line_num}: not CSV text: {error}") from error


def split_rows(lines: Sequence[str], name: str) -> Iterator[Row]:
    """Cut the lines of a .csv file as CSV, those of any other at white space."""
    return split_csv(lines, name) if name.lower().endswith(".csv") else split_words(lines)


def check_attribute_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Check a header.

    Raises:
        InputError: If there is no name, an empty or unreadable one, or one twice.
    """
    if not names:
        raise InputError(f"{where} names no attributes")
    for name in names:
        if not is_readable(name) or len(name) > 100:
            raise InputError(f"{where} has an unreadable attribute name: {shorten(name)}")
        if name in VALUES:
            raise InputError(f"{where} has values where the attribute names should be")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise InputError(f"{where} names attribute {shorten(twice)} twice")
    return tuple(names)


def is_readable(name: str) -> bool:
    """Whether a name is there, was UTF-8, and has no control characters."""
    return bool(name) and _REPLACEMENT not in name and name.isprintable()


def is_count(text: str, largest: int = 2**62) -> bool:
    """Whether `text` is a plain number from 0 to `largest`."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= largest


def collect_rows(rows: Iterable[Row], columns: Columns, file: str, problems: list[Problem]) -> Rows:
    """Check every row, and turn the values of the good ones into 0/1.

    Args:
        rows: From `split_words` or `split_csv`, without the header.
        columns: Where a row has its parts.
        file: Name of the list, for reports.
        problems: Grows by one for each bad row.

    Returns:
        The good rows, in order. Of two rows with the same name the first is good.
    """
    kept = Rows()
    where_of_name: dict[str, str] = {}
    values: list[bytes] = []  # of each row K int8
    for line, cells in rows:
        where = f"{file}:{line}"
        problem = _fault(cells, columns, where, where_of_name)
        if problem is not None:
            problems.append(problem)
            continue
        name = cells[columns.name]
        where_of_name[name] = where
        kept.names.append(name)
        kept.wheres.append(where)
        kept.extras.append(tuple(cells[column] for column in columns.extras))
        values.append(bytes(VALUES[cells[column]] & 0xFF for column in columns.attributes))
    signed = np.frombuffer(b"".join(values), np.int8).reshape(len(values), len(columns.attributes))
    return to_binary(kept, signed, problems)


def _fault(
    cells: list[str], columns: Columns, where: str, where_of_name: dict[str, str]
) -> Problem | None:
    """What is wrong with one row, if anything; `where_of_name` has the names seen before."""
    if len(cells) != columns.width:
        what = f"{len(cells)} columns instead of {columns.width}"
        return Problem("wrong number of columns", where, what)
    name = cells[columns.name]
    if not is_readable(name):
        return Problem("unknown value", where, f"unreadable name {shorten(name)}")
    for column in columns.attributes:
        if cells[column] not in VALUES:
            what = f"{shorten(cells[column])} for {shorten(name)} is none of -1, 0, 1"
            return Problem("unknown value", where, what)
    if name in where_of_name:
        what = f"{shorten(name)} is at {where_of_name[name]} already"
        return Problem("duplicate", where, what)
    return None


def to_binary(rows: Rows, signed: np.ndarray, problems: list[Problem]) -> Rows:
    """Map -1 and 0 to 0; where a list has both, the rarer of them is taken for a fault.

    Args:
        rows: N rows without attributes.
        signed: `[N, K]` int8, of -1, 0, 1.
        problems: Grows by one for each bad row.

    Returns:
        The good rows, with attributes.
    """
    num_zero, num_minus = int((signed == 0).sum()), int((signed == -1).sum())
    good = np.ones(len(signed), bool)
    if num_zero and num_minus:
        stranger, usual = (0, "-1/1") if num_zero <= num_minus else (-1, "0/1")
        good = ~(signed == stranger).any(axis=1)
        for i in np.flatnonzero(~good).tolist():
            what = f"{stranger} for {shorten(rows.names[i])} in a list of {usual}"
            problems.append(Problem("unknown value", rows.wheres[i], what))
    kept = np.flatnonzero(good).tolist()
    return Rows(
        names=[rows.names[i] for i in kept],
        wheres=[rows.wheres[i] for i in kept],
        extras=[rows.extras[i] for i in kept],
        attributes=(signed[kept] == 1).astype(np.uint8),
    )

"""Lists of images and attributes as text: their lines, rows and headers."""

import codecs
import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from twobirds.data.files import Files
from twobirds.data.names import compose
from twobirds.data.problems import shorten
from twobirds.errors import InputError

Row = tuple[int, list[str]]
"""Line number, from 1, and cells."""

_REPLACEMENT = "\ufffd"
_QUOTED = re.compile('"[^"]*"?')
"""Cells of CSV in which separators mean nothing."""
_FEW_ROWS = 20
MAX_NAME = 100
"""Characters of an attribute's name."""


def load_lines(files: Files, name: str) -> list[str]:
    """Load a UTF-8 text file as lines, with LF, CRLF or CR ends and with or without a BOM.

    Bytes that are no UTF-8 become U+FFFD, so that the row they are in can be reported. Letters with
    accents are composed (Unicode NFC): a person whose name is written both ways is one.

    Raises:
        InputError: If the file cannot be read, is empty, or is in UTF-16.
    """
    try:
        data = files.read(name)
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name} is text in UTF-16: save it as UTF-8")
    text = data.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise InputError(f"{name} is empty")
    return compose(text).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def split_words(lines: Iterable[str]) -> Iterator[Row]:
    """Cut lines at white space, leaving out blank ones."""
    for line, text in enumerate(lines, 1):
        if cells := text.split():
            yield line, cells


def _delimiter(lines: Sequence[str]) -> str:
    """What separates cells: it is in the header, and in most rows as often as there."""
    filled = (_QUOTED.sub("", line) for line in lines if line.strip())
    header, *rows = itertools.islice(filled, _FEW_ROWS + 1)

    def fitness(delimiter: str) -> tuple[bool, int, int]:
        count = header.count(delimiter)
        return count > 0, sum(row.count(delimiter) == count for row in rows), count

    return max(",;\t", key=fitness)


def split_csv(lines: Sequence[str], name: str) -> Iterator[Row]:
    """Cut lines at commas, or at the semicolons or tabs that some programs write instead.

    Raises:
        InputError: If the text is no CSV.
    """
    rows = csv.reader(lines, delimiter=_delimiter(lines), skipinitialspace=True)
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
    """Check the names of attributes.

    Raises:
        InputError: If there is no name, an unreadable one, one that `--set` could not take, one
            twice, or two that differ in upper and lower case, spaces or hyphens alone.
    """
    if not names:
        raise InputError(f"{where} names no attributes")
    for name in names:
        if not is_readable(name) or len(name) > MAX_NAME:
            raise InputError(f"{where} has an unreadable attribute name: {shorten(name)}")
        if "=" in name:
            raise InputError(
                f"{where}: rename attribute {shorten(name)}, for --set takes NAME=VALUE and a name "
                "with = could not be set"
            )
        if _is_number(name):
            raise InputError(f"{where} has values where the attribute names should be")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise InputError(f"{where} names attribute {shorten(twice)} twice")
    plain: dict[str, str] = {}
    for name in names:
        other = plain.setdefault(re.sub(r"[\s_-]+", "_", name.casefold()), name)
        if other != name:
            raise InputError(
                f"{where} names attributes {shorten(other)} and {shorten(name)}, which could be "
                "the same: leave one out with --drop-column, or rename it"
            )
    return tuple(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_readable(name: str) -> bool:
    """Whether a name is there, was UTF-8, and has no control characters."""
    return bool(name) and _REPLACEMENT not in name and name.isprintable()


def is_count(text: str, largest: int = 2**62) -> bool:
    """Whether `text` is a plain number from 0 to `largest`."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= largest

"""Columns of text in which few values repeat often, and what their cells can mean."""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MISSING = frozenset(
    (
        "|?|-|--|---|\\n|nan|na|n.a.|n/a|#n/a|nat|nil|null|none|unk|unknown|undefined|unspecified|"
        "not known|not available|<na>|<null>|<none>|<unknown>|(null)|#null!"
    ).split("|")
)
"""How lists write that a value is not known, in lower case; one is empty."""
_NOBODY = frozenset("anon|anonymous|missing|no name|noname|unidentified|unnamed".split("|"))
"""What else lists write in place of a person."""


def is_missing(text: str) -> bool:
    """Whether a cell says that its value is not known."""
    return text.strip().lower() in MISSING


def plain_number(text: str) -> str:
    """A whole number without sign `+` and decimals ("3.0" becomes "3"); other text as it is.

    Programs write whole numbers as `3.0` in columns where some cells are empty.
    """
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number) or number != int(number) or abs(number) >= 2**53:
        return text
    return text if text.isascii() and text.isdigit() else str(int(number))


@dataclass(frozen=True)
class Column:
    """N cells of text, as codes of the values that occur."""

    values: tuple[str, ...]
    """The V different texts."""
    codes: np.ndarray
    """`[N]` int64 places in `values`."""

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> list[str]:
        """The N cells."""
        return [self.values[code] for code in self.codes.tolist()]

    def take(self, rows: Sequence[int] | np.ndarray) -> "Column":
        """The cells of some rows."""
        return Column(self.values, self.codes[np.asarray(rows, np.int64)])

    def counts(self) -> np.ndarray:
        """How often each value occurs, `[V]` int64."""
        return np.bincount(self.codes, minlength=len(self.values))

    def mapped(self, change: Callable[[str], Any], dtype: type) -> np.ndarray:
        """`[N]` of `dtype`: what `change` makes of each cell."""
        changed: np.ndarray = np.array([change(value) for value in self.values], dtype)
        return np.asarray(changed[self.codes])


class ColumnWriter:
    """Collects the cells of a column one by one."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._codes = array("q")

    def append(self, cell: str) -> None:
        """Add a cell."""
        self._codes.append(self._places.setdefault(cell, len(self._places)))

    def column(self) -> Column:
        """The cells so far."""
        return Column(tuple(self._places), np.array(self._codes, np.int64))


def column_of(cells: Iterable[str]) -> Column:
    """Make a column."""
    writer = ColumnWriter()
    for cell in cells:
        writer.append(cell)
    return writer.column()


def number_people(people: Column) -> np.ndarray:
    """Turn labels of people into numbers: their own where all are numbers, else by appearance.

    A missing label (see `MISSING`), a negative number and words such as "anonymous" mean that the
    person is not known.

    Returns:
        `[N]` int64, -1 where unknown.
    """
    labels = [plain_number(value.strip()) for value in people.values]
    labels = ["" if _is_nobody(label) else label for label in labels]
    used = np.flatnonzero(people.counts()).tolist()
    known = list(dict.fromkeys(labels[place] for place in used if labels[place]))
    if all(label.isascii() and label.isdigit() and len(label) < 19 for label in known):
        number_of_label = {label: int(label) for label in known}
    else:
        number_of_label = {label: number for number, label in enumerate(known)}
    numbers = np.array([number_of_label.get(label, -1) for label in labels], np.int64)
    return np.asarray(numbers[people.codes])


def _is_nobody(label: str) -> bool:
    is_negative = label.startswith("-") and label[1:].isascii() and label[1:].isdigit()
    return is_negative or is_missing(label) or label.lower() in _NOBODY

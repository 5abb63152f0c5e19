"""Leaving images out of a source: those on a list, and those that fail a condition."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twobirds.data.names import AmbiguousNameError, NameIndex, compose
from twobirds.data.problems import shorten
from twobirds.data.roles import DROPPED_BY_OPTION, ColumnChoice
from twobirds.data.source import Source
from twobirds.data.sources import open_sources
from twobirds.errors import InputError


@dataclass(frozen=True)
class Choice:
    """What of the sources is packed, and how their columns are understood, by the user's word."""

    columns: ColumnChoice = field(default_factory=ColumnChoice)
    """Columns of a CSV or of Parquet files, where their names leave a choice."""
    leave_out: Path | None = None
    """Text file that names images to leave out, one in a line."""
    only: tuple[str, ...] = ()
    """Conditions on columns, such as `px>=128`; images that fail one are left out."""


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_PATTERN = re.compile(r"([^<>=!]+?)\s*(>=|<=|!=|>|<|=)\s*([^<>=!].*)")


@dataclass(frozen=True)
class Condition:
    """What a column must say of an image that is packed, such as `px>=128`."""

    text: str
    """As it was written."""
    column: str
    operator: str
    """A key of `_OPERATORS`."""
    value: str

    def holds(self, cell: str, where: str) -> bool:
        """Whether a cell meets the condition: compared as numbers where both are, else as text.

        Raises:
            InputError: If the order of a text is asked for.
        """
        compare = _OPERATORS[self.operator]
        try:
            return compare(float(cell), float(self.value))
        except ValueError:
            if self.operator in ("=", "!="):
                return compare(cell.strip(), self.value)
        raise InputError(
            f"{where}: {shorten(cell)} in column {self.column} is no number, which --only "
            f"{self.text} needs"
        )


def parse_condition(text: str) -> Condition:
    """Parse a column, one of >=, <=, !=, >, <, = and a value.

    Raises:
        InputError: If the text is another.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise InputError(f"--only takes a condition such as px>=128 or source=hq, not {text!r}")
    column, sign, value = match.groups()
    return Condition(text, column, sign, value)


@dataclass(frozen=True)
class Selection:
    """Sources without what was left out."""

    sources: list[Source]
    left_out: list[dict[str, int]]
    """For each source how many images were left out by each option, such as `--only px>=128`."""


def open_selected(paths: Sequence[Path | str], choice: Choice) -> Selection:
    """Open sources, leave out what a list names, and then what fails a condition.

    A source without a condition's column keeps its images: it says nothing against them.

    Args:
        paths: As for `open_sources`.
        choice: What to leave out.

    Raises:
        InputError: If a source cannot be opened, an entry of the list names no image or several, no
            source has the column of a condition, or its cells are no numbers where their order is
            asked for.
    """
    conditions = [parse_condition(text) for text in choice.only]
    listed = [] if choice.leave_out is None else load_names(choice.leave_out)
    sources = open_sources(paths, choice.columns)
    _check_dropped(sources, choice.columns.drop)
    selection = Selection(sources, [{} for _ in sources])
    if listed:
        found = _find_listed(sources, listed)
        selection = _take(selection, "--leave-out", [~mask for mask in found])
    for condition in conditions:
        selection = _take(selection, f"--only {condition.text}", _meet(selection, condition))
    return selection


def _check_dropped(sources: Sequence[Source], drop: Sequence[str]) -> None:
    """Check that each column to leave out would have been an attribute of some source.

    Raises:
        InputError: If not, or if the faces are drawn: the truth about edits needs all attributes.
    """
    for name in drop:
        reasons = [source.decisions.dropped.get(compose(name)) for source in sources]
        if DROPPED_BY_OPTION not in reasons:
            listed = ", ".join(shorten(n) for s in sources for n in s.attribute_names[:20])
            raise InputError(
                f"--drop-column {shorten(name)}: no such attribute; there are {listed}"
            )
        if any(source.drawn is not None for source in sources):
            raise InputError("--drop-column: drawn faces are packed with all their attributes")


def _take(selection: Selection, option: str, masks: Sequence[np.ndarray | None]) -> Selection:
    """Keep the rows that each source's mask `[N]` bool says, all where it is None."""
    sources, left_out = list(selection.sources), [dict(counts) for counts in selection.left_out]
    for place, mask in enumerate(masks):
        if mask is not None:
            sources[place] = sources[place].take(np.flatnonzero(mask).tolist())
            left_out[place][option] = int((~mask).sum())
    return Selection(sources, left_out)


def _meet(selection: Selection, condition: Condition) -> list[np.ndarray | None]:
    """Which rows of each source meet a condition; None for those without its column."""
    columns = [source.column(condition.column) for source in selection.sources]
    if all(column is None for column in columns):
        labels = ", ".join(source.label for source in selection.sources)
        raise InputError(f"--only {condition.text}: no column {condition.column} in {labels}")
    return [
        None
        if cells is None
        else np.array(
            [condition.holds(*pair) for pair in zip(cells, source.wheres, strict=True)], bool
        )
        for source, cells in zip(selection.sources, columns, strict=True)
    ]


def load_names(path: Path) -> list[tuple[str, str]]:
    """Load a list of images, one in a line; blank lines and those that begin with # are passed.

    Returns:
        For each entry file and line, and the name.

    Raises:
        InputError: If the file cannot be loaded, or names nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
    names = [
        (f"{path.name}:{number}", line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not names:
        raise InputError(f"{path} names no image: write one name in a line")
    return names


def _find_listed(sources: Sequence[Source], listed: Sequence[tuple[str, str]]) -> list[np.ndarray]:
    """Which rows of each source a list names, as `NAME` or `SOURCE/NAME`.

    An entry must name exactly one image: otherwise one would be packed that should not be.
    """
    row_of_path = {
        f"{source.label}/{name}": (place, row)
        for place, source in enumerate(sources)
        for row, name in enumerate(source.names)
    }
    index = NameIndex(row_of_path)
    found = [np.zeros(len(source), bool) for source in sources]
    for where, name in listed:
        try:
            path = index.find(name)
        except AmbiguousNameError as error:
            raise InputError(f"{where}: {name} may be {error}: write it with its folder") from error
        if path is None:
            raise InputError(f"{where}: no image {shorten(name)} among those to pack")
        place, row = row_of_path[path]
        found[place][row] = True
    return found

"""A list of images as a sheet of text columns, whatever file it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from twobirds.data.coding import Coded, Coding, encode_column
from twobirds.data.columns import Column, ColumnWriter, number_people
from twobirds.data.listing import Row, check_attribute_names, is_readable
from twobirds.data.names import AmbiguousNameError, NameIndex, compose, is_absolute
from twobirds.data.problems import Problem, shorten
from twobirds.data.roles import DROPPED_BY_OPTION
from twobirds.data.source import Decisions, Loader, Source
from twobirds.data.splits import SPLIT_WORDS


@dataclass(frozen=True)
class Sheet:
    """N rows: names of images, and the cells beside them."""

    file: str
    """For messages."""
    names: list[str]
    """The N names of images."""
    wheres: list[str]
    """File and line of each row."""
    columns: dict[str, Column]
    """The other columns, by their names."""

    def take(self, rows: Sequence[int]) -> "Sheet":
        """Some rows."""
        return Sheet(
            self.file,
            [self.names[row] for row in rows],
            [self.wheres[row] for row in rows],
            {name: column.take(rows) for name, column in self.columns.items()},
        )


@dataclass(frozen=True)
class Attributes:
    """Which columns are attributes."""

    names: tuple[str, ...]
    """The K names."""
    values: np.ndarray
    """`[N, K]` int8: 0, 1, or -1 where the cell has no meaning."""
    codings: dict[str, Coding]
    """What the values of each attribute's column mean."""
    dropped: dict[str, str]
    """Why the other columns are no attributes."""


def collect_rows(
    rows: Iterable[Row], header: Sequence[str], name_column: int, file: str, problems: list[Problem]
) -> Sheet:
    """Check the form of every row: as many cells as the header, a readable name, no name twice.

    Args:
        rows: Without the header.
        header: Names of all columns.
        name_column: Place of the column with the images' names.
        file: Name of the list, for reports.
        problems: Grows by one for each bad row.

    Returns:
        The sound rows, in order. Of two rows with the same name the first is sound.
    """
    others = [place for place in range(len(header)) if place != name_column]
    writers = [ColumnWriter() for _ in others]
    where_of_name: dict[str, str] = {}
    for line, cells in rows:
        where = f"{file}:{line}"
        if len(cells) != len(header):
            what = f"{len(cells)} columns instead of {len(header)}"
            problems.append(Problem("wrong number of columns", where, what))
        elif not is_readable(name := cells[name_column]):
            what = f"unreadable name {shorten(name)}"
            problems.append(Problem("unknown value", where, what))
        elif name in where_of_name:
            what = f"{shorten(name)} is at {where_of_name[name]} already"
            problems.append(Problem("duplicate", where, what))
        else:
            where_of_name[name] = where
            for place, writer in zip(others, writers, strict=True):
                writer.append(cells[place])
    columns = {header[i]: w.column() for i, w in zip(others, writers, strict=True)}
    return Sheet(file, list(where_of_name), list(where_of_name.values()), columns)


def find_attributes(
    sheet: Sheet, candidates: Sequence[str], *, required: bool, drop: Sequence[str] = ()
) -> Attributes:
    """Tell which of the columns `candidates` are attributes.

    Args:
        sheet: Of N rows.
        candidates: Names of columns.
        required: All of them are, by the layout of the list.
        drop: Those of them that the user left out, and perhaps other names.

    Raises:
        InputError: If none is, a name cannot serve, or a column can be understood in two ways.
    """
    coded: dict[str, Coded] = {}
    dropped: dict[str, str] = {}
    unwanted = {compose(name) for name in drop}
    for name in candidates:
        if name in unwanted:
            dropped[name] = DROPPED_BY_OPTION
            continue
        if not name:
            dropped["(unnamed)"] = "it has no name"
            continue
        column = sheet.columns[name]
        found = encode_column(name, column, where=sheet.file, required=required)
        if isinstance(found, str):
            dropped[name] = found
        else:
            coded[name] = found
    names = check_attribute_names(list(coded), sheet.file + _reasons(dropped))
    values = [attribute.values for attribute in coded.values()]
    codings = {name: attribute.coding for name, attribute in coded.items()}
    return Attributes(names, np.stack(values, axis=1), codings, dropped)


def _reasons(dropped: dict[str, str]) -> str:
    """Why columns are no attributes, in parentheses, for an error about them."""
    return f" ({'; '.join(f'{n}: {why}' for n, why in dropped.items())})" if dropped else ""


def rows_with_labels(sheet: Sheet, attributes: Attributes, problems: list[Problem]) -> list[int]:
    """Rows all of whose attributes have a meaning; each other one is a problem."""
    is_unknown = attributes.values < 0  # [N, K]
    bad = is_unknown.any(axis=1)
    for row in np.flatnonzero(bad).tolist():
        name = attributes.names[int(is_unknown[row].argmax())]
        column, coding = sheet.columns[name], attributes.codings[name]
        cell = shorten(column.values[column.codes[row]])
        what = (
            f"{cell} for {shorten(sheet.names[row])} in column {name} is neither {coding.no} nor "
            f"{coding.yes}"
        )
        problems.append(Problem("unknown value", sheet.wheres[row], what))
    return np.flatnonzero(~bad).tolist()


def split_codes(sheet: Sheet, column: str | None, problems: list[Problem]) -> np.ndarray | None:
    """The split of each row as `[N]` int64, -1 where unknown (a problem).

    Returns:
        None without such a column, or where it is empty everywhere.
    """
    if column is None or not any(sheet.columns[column].values):
        return None
    words = sheet.columns[column]
    codes = words.mapped(lambda word: SPLIT_WORDS.get(word.strip().lower(), -1), np.int64)
    for row in np.flatnonzero(codes < 0).tolist():
        what = f"split {shorten(words.values[words.codes[row]])} is none of train, valid, test"
        problems.append(Problem("unknown value", sheet.wheres[row], what))
    return codes


def locate_images(sheet: Sheet, index: NameIndex, problems: list[Problem]) -> list[str | None]:
    """Find the file of each row; a missing or ambiguous one, or one found twice, is a problem.

    Returns:
        For each row the path of its image, or None.
    """
    paths: list[str | None] = []
    where_of_path: dict[str, str] = {}
    for name, where in zip(sheet.names, sheet.wheres, strict=True):
        try:
            path = index.find(name)
        except AmbiguousNameError as error:
            one, other = error.paths
            what = f"{shorten(name)} may be {shorten(one)} or {shorten(other)}: add its folder"
            problems.append(Problem("ambiguous", where, what))
            paths.append(None)
            continue
        if path is None:
            hint = ", and absolute paths count in the source's folder only"
            what = f"no image {shorten(name)}{hint if is_absolute(name) else ''}"
            problems.append(Problem("missing", where, what))
        elif path in where_of_path:
            what = f"{shorten(name)} is the image of {where_of_path[path]} already"
            problems.append(Problem("duplicate", where, what))
            path = None
        else:
            where_of_path[path] = where
        paths.append(path)
    return paths


def source_of_sheet(
    sheet: Sheet,
    attributes: Attributes,
    kept: Sequence[int],
    *,
    kind: str,
    label: str,
    person: str | None,
    partition: np.ndarray | None,
    decisions: Decisions,
    load: Loader,
    problems: list[Problem],
) -> Source:
    """The sound rows of a sheet as a source.

    Args:
        sheet: Of N rows.
        attributes: Its attributes.
        kept: Rows that are sound.
        kind: As `Source` has it.
        label: As `Source` has it.
        person: Column that says who is shown.
        partition: `[N]` codes of splits, or None.
        decisions: As `Source` has them.
        load: Yields contents, by rows of the sheet.
        problems: Of the other rows.
    """
    taken = sheet.take(kept)
    unknown = np.full(len(kept), -1, np.int64)
    return Source(
        kind=kind,
        label=label,
        attribute_names=attributes.names,
        names=taken.names,
        wheres=taken.wheres,
        attributes=attributes.values[kept].astype(np.uint8),
        identity=unknown if person is None else number_people(taken.columns[person]),
        partition=None if partition is None else partition[kept].astype(np.uint8),
        load=lambda rows: load([kept[row] for row in rows]),
        decisions=decisions,
        problems=problems,
        column=lambda name: taken.columns[name].texts() if name in taken.columns else None,
    )

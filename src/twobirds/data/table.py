"""One's own images, with a CSV of their attributes."""

import posixpath

import numpy as np

from twobirds.data.drawn_description import load_drawn
from twobirds.data.files import Files, ImageIndex
from twobirds.data.listing import (
    Columns,
    Rows,
    check_attribute_names,
    collect_rows,
    load_lines,
    split_csv,
)
from twobirds.data.problems import Problem, shorten
from twobirds.data.source import (
    Source,
    load_contents,
    locate_images,
    number_people,
)
from twobirds.data.splits import SPLIT_WORDS
from twobirds.errors import InputError

NAME_COLUMNS = ("image", "image_id", "file_name", "filename", "file", "path")
"""What the column with the images' names may be called."""
IDENTITY_COLUMN, SPLIT_COLUMN = "identity", "split"
"""Optional columns; every further one is an attribute."""


def load_table(files: Files, file: str) -> Source:
    """Load a CSV `image,AttrA,AttrB,…`, and check each row and file of it.

    Images are named relative to the CSV, or lie in a folder below it.

    Args:
        files: The folder or zip file.
        file: Path of the CSV in it.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If the CSV as a whole is damaged.
    """
    problems: list[Problem] = []
    table = split_csv(load_lines(files, file), file)
    line, header = next(table, (1, []))
    columns, attribute_names, extras = _parse_header(header, f"{file}:{line}")
    rows = collect_rows(table, columns, file, problems)
    paths = locate_images(rows, ImageIndex(files.names, file), problems)
    partition = _parse_splits(rows, extras, problems)
    kept = [
        i
        for i, path in enumerate(paths)
        if path is not None and (partition is None or partition[i] >= 0)
    ]
    people = extras.get(IDENTITY_COLUMN)
    identity = [rows.extras[i][people] if people is not None else "" for i in kept]
    kept_paths = [path for i in kept if (path := paths[i]) is not None]
    kept_wheres = [rows.wheres[i] for i in kept]
    return Source(
        kind="table",
        label=posixpath.basename(file),
        attribute_names=attribute_names,
        names=[rows.names[i] for i in kept],
        wheres=kept_wheres,
        attributes=rows.attributes[kept],
        identity=number_people(identity),
        partition=None if partition is None else partition[kept].astype(np.uint8),
        contents=lambda: load_contents(files, kept_paths, kept_wheres),
        problems=problems,
        drawn=load_drawn(files),
    )


def _parse_header(header: list[str], where: str) -> tuple[Columns, tuple[str, ...], dict[str, int]]:
    """Find the columns; the last result says which of the kept extras is which."""
    if not header:
        raise InputError(
            f"{where} has no names in its header: call the columns image, AttrA, AttrB"
        )
    lower = [name.lower() for name in header]
    name_column = next((lower.index(name) for name in NAME_COLUMNS if name in lower), None)
    if name_column is None:
        raise InputError(
            f"{where} has no column for the images' names: call it image, not {shorten(header[0])}"
        )
    optional = [name for name in (IDENTITY_COLUMN, SPLIT_COLUMN) if name in lower]
    extras = tuple(lower.index(name) for name in optional)
    attributes = tuple(i for i in range(len(header)) if i != name_column and i not in extras)
    names = check_attribute_names([header[i] for i in attributes], where)
    columns = Columns(name_column, attributes, len(header), extras)
    return columns, names, {name: place for place, name in enumerate(optional)}


def _parse_splits(rows: Rows, extras: dict[str, int], problems: list[Problem]) -> np.ndarray | None:
    """The split column as `[N]` int64, -1 where it is unknown (a problem); None without one."""
    if SPLIT_COLUMN not in extras:
        return None
    words = [cells[extras[SPLIT_COLUMN]] for cells in rows.extras]
    codes = np.array([SPLIT_WORDS.get(word.lower(), -1) for word in words], np.int64)
    for i in np.flatnonzero(codes < 0).tolist():
        what = f"split {shorten(words[i])} is none of train, valid, test"
        problems.append(Problem("unknown value", rows.wheres[i], what))
    return codes

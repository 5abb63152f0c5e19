"""Tables beside a list of images that say more about each, such as where it is from."""

import posixpath
from collections.abc import Sequence

from twobirds.data.files import Files
from twobirds.data.listing import load_lines, split_csv
from twobirds.data.names import NameIndex
from twobirds.data.problems import shorten
from twobirds.data.roles import IMAGE_COLUMNS, is_usual
from twobirds.errors import InputError

_ENDINGS = (".csv", ".tsv")


def find_side_column(files: Files, names: Sequence[str], column: str) -> list[str] | None:
    """Find a column in the CSV and TSV files of a source whose first column names the images.

    Args:
        files: The folder or zip file.
        names: The N images.
        column: Name of the column.

    Returns:
        The cell of each image; None if no file has the column.

    Raises:
        InputError: If several files have it, or the one that has it lacks an image or contradicts
            itself.
    """
    found: dict[str, dict[str, str]] = {}
    for file in (name for name in files.names if name.lower().endswith(_ENDINGS)):
        cells = _load_column(files, file, column)
        if cells is not None:
            found[file] = cells
    if len(found) > 1:
        raise InputError(f"{files.label}: column {column} is in several files: {', '.join(found)}")
    for file, cells in found.items():
        index = NameIndex(cells)
        return [_cell(cells, index.find(name), name, f"{files.label}/{file}") for name in names]
    return None


def _load_column(files: Files, file: str, column: str) -> dict[str, str] | None:
    """The cells of a column by the image they are about; None if the file has no such column.

    Raises:
        InputError: If two lines say different things about an image.
    """
    rows = split_csv(load_lines(files, file), file)
    _, header = next(rows, (0, [""]))
    if column not in header[1:] or not is_usual(header[0], IMAGE_COLUMNS):
        return None
    place = header.index(column)
    found: dict[str, tuple[int, str]] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            continue
        name, value = cells[0], cells[place]
        first, known = found.setdefault(name, (line, value))
        if value != known:
            raise InputError(
                f"{files.label}/{file}: {column} of {shorten(name)} is {shorten(known)} in line "
                f"{first} and {shorten(value)} in line {line}: leave one"
            )
    return {name: value for name, (_, value) in found.items()}


def _cell(cells: dict[str, str], listed: str | None, name: str, file: str) -> str:
    if listed is None:
        raise InputError(f"{file} says nothing about {shorten(posixpath.basename(name))}")
    return cells[listed]

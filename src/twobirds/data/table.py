"""A CSV of image names and attributes, with the images beside it or in folders below."""

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from twobirds.data.drawn_description import load_drawn
from twobirds.data.files import Files
from twobirds.data.listing import Row, load_lines, split_csv
from twobirds.data.names import NameIndex, is_image_name
from twobirds.data.problems import Problem, shorten
from twobirds.data.roles import (
    IMAGE_COLUMNS,
    PERSON_COLUMNS,
    SPLIT_COLUMNS,
    ColumnChoice,
    ambiguous_columns,
    is_usual,
    pick_column,
)
from twobirds.data.sheet import (
    collect_rows,
    find_attributes,
    locate_images,
    rows_with_labels,
    source_of_sheet,
    split_codes,
)
from twobirds.data.source import Decisions, Source, file_loader
from twobirds.errors import InputError


def load_table(files: Files, file: str, chosen: ColumnChoice) -> Source:
    """Load a CSV `image,AttrA,AttrB,…`, and check each row and file of it.

    Images are named relative to the CSV, or lie in a folder below it.

    Args:
        files: The folder or zip file.
        file: Path of the CSV in it.
        chosen: Columns that the user named.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If the CSV as a whole is damaged, or can be understood in two ways.
    """
    problems: list[Problem] = []
    table = list(split_csv(load_lines(files, file), file))
    where, header = _check_header(table, file)
    image = _find_name_column(header, table[1:], chosen, where)
    others = [name for name in header if name != image]
    person = pick_column(
        others, PERSON_COLUMNS, chosen.person, option="--person-column", where=where
    )
    split = pick_column(others, SPLIT_COLUMNS, None, option=None, where=where)

    sheet = collect_rows(table[1:], header, header.index(image), file, problems)
    candidates = [name for name in others if name not in (person, split)]
    found = find_attributes(sheet, candidates, required=False, drop=chosen.drop)
    paths = locate_images(sheet, _image_index(files, file), problems)
    partition = split_codes(sheet, split, problems)
    kept = [
        row
        for row in rows_with_labels(sheet, found, problems)
        if paths[row] is not None and (partition is None or partition[row] >= 0)
    ]
    source = source_of_sheet(
        sheet,
        found,
        kept,
        kind="table",
        label=posixpath.basename(file),
        person=person,
        partition=partition,
        decisions=Decisions(
            image=f"column {image}",
            person=person and f"column {person}",
            split=f"column {split}" if partition is not None else None,
            codings=found.codings,
            dropped=found.dropped,
        ),
        load=file_loader(files, paths, sheet.wheres),
        problems=problems,
    )
    return replace(source, drawn=load_drawn(files))


def _check_header(table: Sequence[Row], file: str) -> tuple[str, list[str]]:
    """File and line of the header, and its names; refused without any, or with one twice."""
    line, header = table[0] if table else (1, [])
    where = f"{file}:{line}"
    if not any(header):
        raise InputError(
            f"{where} has no names in its header: call the columns image, AttrA, AttrB"
        )
    named = [name for name in header if name]
    if len(set(named)) < len(named):
        twice = next(name for i, name in enumerate(named) if name in named[:i])
        raise InputError(f"{where} names column {shorten(twice)} twice")
    return where, header


def _find_name_column(
    header: Sequence[str], rows: Sequence[Row], chosen: ColumnChoice, where: str
) -> str:
    """The column of the images' names: of several usual ones, that which holds names of files."""
    if chosen.image is None:
        usual = [name for name in header if is_usual(name, IMAGE_COLUMNS)]
        if len(usual) > 1:
            places = {name: header.index(name) for name in usual}
            cells = [cells for _, cells in rows if len(cells) == len(header)]
            files = [n for n in usual if any(is_image_name(row[places[n]]) for row in cells)]
            if len(files) != 1:
                raise ambiguous_columns(files or usual, option="--image-column", where=where)
            return files[0]
    found = pick_column(header, IMAGE_COLUMNS, chosen.image, option="--image-column", where=where)
    if found is None:
        raise InputError(
            f"{where} has no column for the images' names: call it image, not "
            f"{shorten(header[0])}, or name it with --image-column"
        )
    return found


def _image_index(files: Files, file: str) -> NameIndex:
    """The images there are, seen from the list."""
    images = [name for name in files.names if is_image_name(name)]
    return NameIndex(images, beside=posixpath.dirname(file), roots=files.roots)

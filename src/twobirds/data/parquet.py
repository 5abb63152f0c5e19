"""Parquet files with embedded images, as the Hugging Face Hub serves CelebA."""

import importlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from twobirds.data.columns import ColumnWriter, column_of
from twobirds.data.files import Folder
from twobirds.data.listing import is_readable
from twobirds.data.names import compose
from twobirds.data.parquet_layout import Layout, find_layout
from twobirds.data.problems import Problem, shorten
from twobirds.data.roles import (
    ColumnChoice,
)
from twobirds.data.sheet import (
    Sheet,
    find_attributes,
    rows_with_labels,
    source_of_sheet,
    split_codes,
)
from twobirds.data.source import Content, Decisions, Source
from twobirds.data.splits import SPLIT_WORDS
from twobirds.errors import InputError, missing_extra

_FILE_SPLIT = "(file name)"
"""Name of the column of splits that the names of the files or of their folders say."""
_BATCH = 64
"""Images loaded at a time."""


def load_parquet(folder: Folder, shards: Sequence[str], label: str, chosen: ColumnChoice) -> Source:
    """Load the columns beside the images, and check each row of them.

    The images are a struct with `bytes`, or binary.

    Args:
        folder: Where the shards are.
        shards: Their paths in it.
        label: What to call the source.
        chosen: Columns that the user named.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If pyarrow is absent, a shard is damaged, the shards do not fit together, or
            their columns can be understood in two ways.
    """
    parquet, problems = _import_parquet(), list[Problem]()
    layout = _common_layout(parquet, folder, shards, chosen)
    sheet = _with_names(_load_sheet(parquet, folder, shards, layout))
    roles = (layout.person, layout.split)
    candidates = [name for name in layout.cells if name not in roles]
    found = find_attributes(sheet, candidates, required=False, drop=chosen.drop)
    split = _FILE_SPLIT if layout.split is None else layout.split
    partition = split_codes(sheet, split, problems)
    named_once = set(_rows_named_once(sheet, problems))
    kept = [
        row
        for row in rows_with_labels(sheet, found, problems)
        if row in named_once and (partition is None or partition[row] >= 0)
    ]
    return source_of_sheet(
        sheet,
        found,
        kept,
        kind="parquet",
        label=label,
        person=layout.person,
        partition=partition,
        decisions=Decisions(
            image=f"column {layout.image}",
            person=layout.person and f"column {layout.person}",
            split=None if partition is None else _split_words(layout.split),
            codings=found.codings,
            dropped={**layout.dropped, **found.dropped},
        ),
        load=lambda rows: _load_images(
            parquet,
            folder,
            shards,
            layout.spelled[layout.image],
            frozenset(sheet.wheres[row] for row in rows),
        ),
        problems=problems,
    )


def _common_layout(
    parquet: ModuleType, folder: Folder, shards: Sequence[str], chosen: ColumnChoice
) -> Layout:
    """The layout of the first shard, which all others must have."""
    layouts = [find_layout(_open(parquet, folder, shard), shard, chosen) for shard in shards]
    for shard, other in zip(shards, layouts, strict=True):
        if other != layouts[0]:
            raise InputError(f"{shard} has other columns than {shards[0]}: give one of them")
    return layouts[0]


def _split_words(column: str | None) -> str:
    return "names of the files or folders" if column is None else f"column {column}"


def _import_parquet() -> ModuleType:
    """Import pyarrow, which is an extra."""
    try:
        return importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise missing_extra("Parquet files need", "parquet", error) from error


def _open(parquet: ModuleType, folder: Folder, shard: str) -> Any:
    """Open a shard as a `pyarrow.parquet.ParquetFile`."""
    try:
        return parquet.ParquetFile(folder.path / shard)
    except Exception as error:  # pyarrow has a dozen classes for damaged files
        raise InputError(f"{shard} is not a readable Parquet file: {error}") from error


def _load_sheet(
    parquet: ModuleType, folder: Folder, shards: Sequence[str], layout: Layout
) -> Sheet:
    """Load all columns but the images' bytes; names are empty where no path is given."""
    writers = {name: ColumnWriter() for name in layout.cells}
    names: list[str] = []
    wheres: list[str] = []
    splits: list[str] = []
    for shard in shards:
        file = _open(parquet, folder, shard)
        count = file.metadata.num_rows
        wanted = [layout.spelled[name] for name in layout.cells]
        wanted += [layout.path] if layout.path else []
        try:
            content = file.read(columns=wanted)
            for name in layout.cells:
                _append(writers[name], content[layout.spelled[name]].to_pylist())
            paths = (
                content[layout.spelled[layout.image]].to_pylist() if layout.path else [None] * count
            )
        except Exception as error:  # as in _open
            raise InputError(f"{shard} is damaged: {error}") from error
        names += [str((cell or {}).get("path") or "") for cell in paths]
        wheres += [f"{shard}:{row}" for row in range(1, count + 1)]
        splits += [_split_of(shard)] * count
    columns = {name: writer.column() for name, writer in writers.items()}
    if layout.split is None:
        columns[_FILE_SPLIT] = column_of(splits)
    return Sheet(posixpath.basename(shards[0]), names, wheres, columns)


def _append(writer: ColumnWriter, cells: Iterable[Any]) -> None:
    """Add cells as text, empty where they are null."""
    for cell in cells:
        writer.append("" if cell is None else compose(str(cell)))


def _split_of(shard: str) -> str:
    """The split that the name of a shard or of its folder begins with, else an empty text."""
    for part in (posixpath.basename(shard), posixpath.basename(posixpath.dirname(shard))):
        word = re.split(r"[^a-z]", part.lower())[0]
        if word in SPLIT_WORDS:
            return word
    return ""


def _with_names(sheet: Sheet) -> Sheet:
    """Rows without a name, or with the same placeholder as all, are called by their place."""
    names = [name if is_readable(name) else "" for name in sheet.names]
    if len(set(names)) <= 1:
        names = [""] * len(names)
    named = [name or where for name, where in zip(names, sheet.wheres, strict=True)]
    return replace(sheet, names=named)


def _rows_named_once(sheet: Sheet, problems: list[Problem]) -> list[int]:
    """Rows whose name no row before them has; each other one is a problem."""
    where_of_name: dict[str, str] = {}
    rows = []
    for row, (name, where) in enumerate(zip(sheet.names, sheet.wheres, strict=True)):
        if name in where_of_name:
            what = f"{shorten(name)} is at {where_of_name[name]} already"
            problems.append(Problem("duplicate", where, what))
        else:
            where_of_name[name] = where
            rows.append(row)
    return rows


def _load_images(
    parquet: ModuleType, folder: Folder, shards: Sequence[str], image: str, wanted: frozenset[str]
) -> Iterator[Content]:
    """Yield the bytes of the rows `wanted`, a few rows in memory at a time."""
    wanted_shards = {where.rpartition(":")[0] for where in wanted}
    for shard in (shard for shard in shards if shard in wanted_shards):
        file = _open(parquet, folder, shard)
        end = 0
        for group in range(file.num_row_groups):
            row, end = end, end + file.metadata.row_group(group).num_rows
            if not any(f"{shard}:{number}" in wanted for number in range(row + 1, end + 1)):
                continue
            batches = file.iter_batches(_BATCH, row_groups=[group], columns=[image])
            try:
                for cell in (cell for batch in batches for cell in batch.column(0).to_pylist()):
                    row += 1
                    if f"{shard}:{row}" in wanted:
                        yield _content(cell, f"{shard}:{row}")
            except Exception as error:  # as in _open; the rest of the row group is lost
                lost = (f"{shard}:{number}" for number in range(row + 1, end + 1))
                for where in (where for where in lost if where in wanted):
                    yield Problem("undecodable image", where, f"the file is damaged: {error}")


def _content(cell: Any, where: str) -> Content:
    """The bytes in a cell of the image column."""
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if data is None:
        return Problem("missing", where, "no image is embedded")
    return data or Problem("empty file", where, "the image has zero bytes")

"""Parquet files with embedded images, as the Hugging Face Hub serves CelebA."""

import importlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from twobirds.data.files import Folder
from twobirds.data.listing import Rows, check_attribute_names, is_readable, to_binary
from twobirds.data.problems import Problem, shorten
from twobirds.data.source import Content, Source, number_people
from twobirds.data.splits import SPLIT_WORDS
from twobirds.errors import InputError, missing_extra

IDENTITY_COLUMNS = ("identity", "celeb_id")
"""What the column of people may be called."""
SPLIT_COLUMN = "split"
"""The optional column of splits; without it, the names of the files or their folders say them."""

_IMAGE_TYPE = re.compile(r"(large_)?binary|struct<.*\bbytes: ")
_NUMBER_TYPE = re.compile(r"bool|u?int|double|float|halffloat")
_BATCH = 64
"""Images loaded at a time."""


@dataclass(frozen=True)
class _Layout:
    """Which columns of a shard are what; numbers come with whether they are boolean."""

    image: str
    path: str | None
    numbers: tuple[tuple[str, bool], ...]
    identity: str | None
    split: str | None


@dataclass
class _Table:
    """All shards' columns but the images' bytes, one after the other."""

    wheres: list[str] = field(default_factory=list)
    paths: list[str | None] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)  # of each shard [n, number of columns]


def load_parquet(folder: Folder, shards: Sequence[str], label: str) -> Source:
    """Load the columns beside the images, and check each row of them.

    The images are a struct with `bytes`, or binary. Attributes are the columns that are boolean or
    mostly -1, 0 and 1; other columns are passed over.

    Args:
        folder: Where the shards are.
        shards: Their paths in it.
        label: What to call the source.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If pyarrow is absent, a shard is damaged, or the shards do not fit together.
    """
    parquet = _import_parquet()
    layouts = [_find_layout(_open(parquet, folder, shard), shard) for shard in shards]
    for shard, other in zip(shards, layouts, strict=True):
        if other != layouts[0]:
            raise InputError(f"{shard} has other columns than {shards[0]}: give one of them")
    table = _load_table(parquet, folder, shards, layouts[0])
    attribute_names, values = _pick_attributes(table, layouts[0], shards[0])
    problems: list[Problem] = []
    rows = _check_rows(table, attribute_names, values, problems)
    partition = _parse_partition(table, rows, problems)
    kept = [i for i in range(len(rows.names)) if partition is None or partition[i] >= 0]
    wheres = [rows.wheres[i] for i in kept]
    image = layouts[0].image
    return Source(
        kind="parquet",
        label=label,
        attribute_names=attribute_names,
        names=[rows.names[i] for i in kept],
        wheres=wheres,
        attributes=rows.attributes[kept],
        identity=number_people([rows.extras[i][0] for i in kept]),
        partition=None if partition is None else partition[kept].astype(np.uint8),
        contents=lambda: _load_images(parquet, folder, shards, image, frozenset(wheres)),
        problems=problems,
    )


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


def _find_layout(file: Any, shard: str) -> _Layout:
    """Tell the columns of a shard by their names and types."""
    types = {column.name: str(column.type) for column in file.schema_arrow}
    images = [name for name, kind in types.items() if _IMAGE_TYPE.match(kind)]
    if not images:
        raise InputError(f"{shard} has no column of images, which would be a struct with bytes")
    image = "image" if "image" in images else images[0]
    identity = next((name for name in IDENTITY_COLUMNS if name in types), None)
    split = SPLIT_COLUMN if SPLIT_COLUMN in types else None
    return _Layout(
        image=image,
        path=f"{image}.path" if re.search(r"\bpath: (large_)?string", types[image]) else None,
        numbers=tuple(
            (name, kind == "bool")
            for name, kind in types.items()
            if _NUMBER_TYPE.match(kind) and name not in (identity, split)
        ),
        identity=identity,
        split=split,
    )


def _load_table(
    parquet: ModuleType, folder: Folder, shards: Sequence[str], layout: _Layout
) -> _Table:
    """Load all columns but the images' bytes."""
    table = _Table()
    numbers = [name for name, _ in layout.numbers]
    for shard in shards:
        file = _open(parquet, folder, shard)
        count = file.metadata.num_rows
        wanted = [*numbers, layout.path, layout.identity, layout.split]
        try:
            content = file.read(columns=[name for name in wanted if name is not None])
            columns = {name: content[name].to_pylist() for name in content.column_names}
        except Exception as error:  # as in _open
            raise InputError(f"{shard} is damaged: {error}") from error
        paths = columns.get(layout.image) if layout.path else None
        unknown = [None] * count
        table.wheres += [f"{shard}:{row}" for row in range(1, count + 1)]
        table.paths += [cell and cell["path"] for cell in paths or unknown]
        table.identity += [_text(cell) for cell in columns.get(layout.identity, unknown)]
        table.splits += [
            _text(cell) for cell in columns.get(layout.split, [_split_of(shard)] * count)
        ]
        stack = [np.array(columns[name], np.float64) for name in numbers]  # None becomes NaN
        table.numbers.append(np.stack(stack, axis=1) if stack else np.empty((count, 0)))
    return table


def _text(cell: Any) -> str:
    """A cell as text, empty where it is null."""
    return "" if cell is None else str(cell)


def _split_of(shard: str) -> str:
    """The split that the name of a shard or of its folder begins with, else an empty text."""
    for part in (posixpath.basename(shard), posixpath.basename(posixpath.dirname(shard))):
        word = re.split(r"[^a-z]", part.lower())[0]
        if word in SPLIT_WORDS:
            return word
    return ""


def _pick_attributes(
    table: _Table, layout: _Layout, shard: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Choose the columns that are attributes.

    Returns:
        K names, and `[N, K]` float64 values: -1, 0, 1, or others where they are bad.
    """
    values = np.concatenate(table.numbers)  # [N, number of columns]
    is_bool = np.array([is_bool for _, is_bool in layout.numbers], bool)
    is_attribute = is_bool | (np.isin(values, (-1, 0, 1)).mean(axis=0) > 0.5)
    names = [name for (name, _), chosen in zip(layout.numbers, is_attribute, strict=True) if chosen]
    if (values[:, ~is_bool & is_attribute] == -1).any():
        values[:, is_bool] = np.where(values[:, is_bool] == 0, -1, values[:, is_bool])
    return check_attribute_names(names, shard), values[:, is_attribute]


def _check_rows(
    table: _Table, attribute_names: tuple[str, ...], values: np.ndarray, problems: list[Problem]
) -> Rows:
    """Check names and values; the extras of the rows are identity and split."""
    names = [path if is_readable(path or "") else None for path in table.paths]
    if len(set(names)) <= 1:  # no paths, or one placeholder for all
        names = [None] * len(names)
    rows, kept, where_of_name = Rows(), [], dict[str, str]()
    is_bad = ~np.isin(values, (-1, 0, 1))
    for i, where in enumerate(table.wheres):
        name = names[i] or where
        if is_bad[i].any():
            column = int(is_bad[i].argmax())
            what = f"{values[i, column]:g} for {attribute_names[column]} is none of -1, 0, 1"
            problems.append(Problem("unknown value", where, what))
        elif name in where_of_name:
            what = f"{shorten(name)} is at {where_of_name[name]} already"
            problems.append(Problem("duplicate", where, what))
        else:
            where_of_name[name] = where
            kept.append(i)
            rows.names.append(name)
            rows.wheres.append(where)
            rows.extras.append((table.identity[i], table.splits[i]))
    return to_binary(rows, values[kept].astype(np.int8), problems)


def _parse_partition(table: _Table, rows: Rows, problems: list[Problem]) -> np.ndarray | None:
    """The splits as `[N]` int64, -1 where unknown (a problem); None where no row has one."""
    if not any(table.splits):
        return None
    codes = np.array([SPLIT_WORDS.get(split.lower(), -1) for _, split in rows.extras], np.int64)
    for i in np.flatnonzero(codes < 0).tolist():
        what = f"split {shorten(rows.extras[i][1])} is none of train, valid, test"
        problems.append(Problem("unknown value", rows.wheres[i], what))
    return codes


def _load_images(
    parquet: ModuleType, folder: Folder, shards: Sequence[str], image: str, wanted: frozenset[str]
) -> Iterator[Content]:
    """Yield the bytes of the rows `wanted`, a few rows in memory at a time."""
    for shard in shards:
        file = _open(parquet, folder, shard)
        end = 0
        for group in range(file.num_row_groups):
            row, end = end, end + file.metadata.row_group(group).num_rows
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

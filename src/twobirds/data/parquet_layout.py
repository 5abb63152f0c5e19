"""Which column of a Parquet file is what, by names and types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twobirds.data.images import is_image_data
from twobirds.data.names import compose
from twobirds.data.problems import shorten
from twobirds.data.roles import (
    PERSON_COLUMNS,
    SPLIT_COLUMNS,
    ColumnChoice,
    ambiguous_columns,
    pick_column,
)
from twobirds.errors import InputError

_IMAGE_TYPE = re.compile(r"(large_)?binary|struct<.*\bbytes: (large_)?binary")
_CELL_TYPE = re.compile(
    r"bool|u?int|double|float|halffloat|decimal|(large_)?string|dictionary<values=(large_)?string"
    r"|dictionary<values=(u?int|bool|double|float)"
)
_BATCH = 64
"""Images loaded at a time."""


@dataclass(frozen=True)
class Layout:
    """Which columns of a shard are what."""

    image: str
    path: str | None
    """Where a cell of the image column has its file name, as a column of Parquet."""
    cells: tuple[str, ...]
    """Columns of texts, numbers or booleans."""
    spelled: Mapping[str, str]
    """How the file spells the names of the columns, which are composed and stripped here."""
    person: str | None
    split: str | None
    dropped: Mapping[str, str]
    """Other columns, and why they are no attributes."""


def find_layout(file: Any, shard: str, chosen: ColumnChoice) -> Layout:
    """Tell the columns of a shard by their names and types."""
    spelled: dict[str, str] = {}
    for column in file.schema_arrow.names:
        name = compose(column.strip())
        if name in spelled:
            raise InputError(f"{shard} names column {shorten(name)} twice")
        spelled[name] = column
    types = {name: str(file.schema_arrow.field(column).type) for name, column in spelled.items()}
    image = _find_image_column(file, types, spelled, shard, chosen)
    cells = tuple(name for name, kind in types.items() if _CELL_TYPE.match(kind) and name != image)
    person = pick_column(
        cells, PERSON_COLUMNS, chosen.person, option="--person-column", where=shard
    )
    split = pick_column(cells, SPLIT_COLUMNS, None, option=None, where=shard)
    others = [name for name in types if name not in cells and name != image]
    return Layout(
        image=image,
        path=f"{spelled[image]}.path"
        if re.search(r"\bpath: (large_)?string", types[image])
        else None,
        cells=cells,
        spelled=spelled,
        person=person,
        split=split,
        dropped={name: f"its type is {shorten(types[name])}" for name in others},
    )


def _find_image_column(
    file: Any,
    types: Mapping[str, str],
    spelled: Mapping[str, str],
    shard: str,
    chosen: ColumnChoice,
) -> str:
    """The column of the images: the one chosen, the only one, or the one called image."""
    candidates = [name for name, kind in types.items() if _IMAGE_TYPE.match(kind)]
    if chosen.image is not None:
        wanted = compose(chosen.image)
        if wanted not in candidates:
            listed = ", ".join(candidates) or "none"
            raise InputError(
                f"{shard} has no column of images {shorten(chosen.image)} (--image-column): its "
                f"columns of images are {listed}"
            )
        return wanted
    if len(candidates) > 1:
        holding = [name for name in candidates if _holds_images(file, spelled[name])]
        candidates = holding or candidates
    if not candidates:
        raise InputError(f"{shard} has no column of images, which would be a struct with bytes")
    if len(candidates) > 1 and "image" not in candidates:
        raise ambiguous_columns(candidates, option="--image-column", where=shard)
    return "image" if "image" in candidates else candidates[0]


def _holds_images(file: Any, column: str) -> bool:
    """Whether the first cell with content begins as an image file does."""
    try:
        for batch in file.iter_batches(_BATCH, columns=[column]):
            for cell in batch.column(0).to_pylist():
                data = cell.get("bytes") if isinstance(cell, dict) else cell
                if data:
                    return is_image_data(data)
    except Exception:  # as in _open; the damage is reported where the images are loaded
        return True
    return False

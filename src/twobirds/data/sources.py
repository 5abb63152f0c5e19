"""Recognizing what kind of source a path is."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from twobirds.data.celeba import ATTRIBUTE_LIST, find_list, load_celeba
from twobirds.data.files import Archive, Files, Folder
from twobirds.data.parquet import load_parquet
from twobirds.data.roles import ColumnChoice
from twobirds.data.source import Source
from twobirds.data.table import load_table
from twobirds.errors import InputError

_KNOWN = (
    f"a folder or zip file with {ATTRIBUTE_LIST}.txt or .csv (CelebA), a CSV with a column image, "
    "a folder or zip file with one such CSV, or Parquet files"
)


def open_source(path: Path | str, chosen: ColumnChoice | None = None) -> Source:
    """Recognize a source, load its lists and check them.

    Args:
        path: A folder, zip file, list, CSV or Parquet file.
        chosen: Columns of a CSV or of Parquet files that the user named.

    Returns:
        Its sound rows, and the problems of the others.

    Raises:
        InputError: If it is absent, cannot be read, is of no known kind, or as a whole damaged.
    """
    try:
        return _open_path(Path(path), chosen or ColumnChoice())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def open_sources(paths: Sequence[Path | str], chosen: ColumnChoice | None) -> list[Source]:
    """Open sources and give those with the same label others: faces, faces (2).

    Args:
        paths: Folders, zip files, lists, CSV or Parquet files, as for `open_source`.
        chosen: Columns that the user named, for all of them.

    Raises:
        InputError: If there is none, one is given twice, or one cannot be opened.
    """
    if not paths:
        raise InputError("no source was named: give one or more folders or files")
    places = Counter(os.path.realpath(path) for path in paths)
    for path in paths:
        if places[os.path.realpath(path)] > 1:
            raise InputError(f"{path} is given twice")
    seen: Counter[str] = Counter()
    sources = []
    for path in paths:
        source = open_source(path, chosen)
        seen[source.label] += 1
        if seen[source.label] > 1:
            source = replace(source, label=f"{source.label} ({seen[source.label]})")
        sources.append(source)
    return sources


def _open_path(path: Path, chosen: ColumnChoice) -> Source:
    """Tell the kind of a source by its name, or by what a folder or zip file holds."""
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.is_dir():
        return _open_files(Folder(path), path, chosen)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return load_parquet(Folder(path.parent), [path.name], path.name, chosen)
    if suffix in (".csv", ".txt") and path.stem == ATTRIBUTE_LIST:
        return _load_celeba(Folder(path.parent), chosen)
    if suffix == ".csv":
        return load_table(Folder(path.parent), path.name, chosen)
    if suffix == ".zip":
        return _open_files(Archive(path), path, chosen)
    raise InputError(f"{path} is not a known source: give {_KNOWN}")


def _open_files(files: Files, path: Path, chosen: ColumnChoice) -> Source:
    """Recognize a source by the lists in a folder or zip file."""
    if find_list(files.names, ATTRIBUTE_LIST) is not None:
        return _load_celeba(files, chosen)
    shards = [name for name in files.names if name.lower().endswith(".parquet")]
    if shards and isinstance(files, Folder):
        return load_parquet(files, shards, files.label, chosen)
    tables = _find_tables(files)
    if len(tables) == 1:
        return load_table(files, tables[0], chosen)
    if tables:
        raise InputError(f"{path} has several CSV files, give one: {', '.join(tables[:5])}")
    raise InputError(f"{path} has no list of images in it: give {_KNOWN}")


def _load_celeba(files: Files, chosen: ColumnChoice) -> Source:
    """Load CelebA's lists, in which no column can be chosen."""
    if chosen.image is not None or chosen.person is not None:
        raise InputError(
            f"{files.label} has CelebA's lists: --image-column and --person-column are for CSV and "
            "Parquet files"
        )
    return load_celeba(files, chosen.drop)


def _find_tables(files: Files) -> list[str]:
    """The CSV files nearest to the root."""
    tables = [name for name in files.names if name.lower().endswith(".csv")]
    nearest = min((name.count("/") for name in tables), default=0)
    return [name for name in tables if name.count("/") == nearest]

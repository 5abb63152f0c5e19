"""What every kind of source comes down to: named rows, and the bytes of their images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twobirds.data.files import Files, ImageIndex
from twobirds.data.listing import Rows, is_count
from twobirds.data.problems import Problem, shorten
from twobirds.errors import InputError

Content = bytes | Problem
"""A whole image file, or why it cannot be had."""


@dataclass(frozen=True)
class Source:
    """Checked rows of a source; what was wrong with others is in `problems`."""

    kind: str
    """`celeba`, `table` or `parquet`."""
    label: str
    """Base name of the file or folder."""
    attribute_names: tuple[str, ...]
    """The K names."""
    names: list[str]
    """The N file names."""
    wheres: list[str]
    """File and line of each row."""
    attributes: np.ndarray
    """`[N, K]` uint8 0/1."""
    identity: np.ndarray
    """`[N]` int64 labels of people, -1 where unknown."""
    partition: np.ndarray | None
    """`[N]` uint8 0 train, 1 valid, 2 test; None where the source has no such list."""
    contents: Callable[[], Iterator[Content]]
    """Yields N contents, in the order of the rows."""
    problems: list[Problem] = field(default_factory=list)
    """Everything found wrong so far."""
    drawn: dict[str, Any] | None = None
    """The content of `drawn.json`, if the faces are drawn."""


def locate_images(rows: Rows, index: ImageIndex, problems: list[Problem]) -> list[str | None]:
    """Find the file of each row; a missing one, or one found twice, is a problem.

    Args:
        rows: What the list says.
        index: What files there are.
        problems: Grows.

    Returns:
        For each row the path of its image, or None.
    """
    paths: list[str | None] = []
    where_of_path: dict[str, str] = {}
    for name, where in zip(rows.names, rows.wheres, strict=True):
        path = index.find(name)
        if path is None:
            problems.append(Problem("missing", where, f"no image {shorten(name)}"))
        elif path in where_of_path:
            what = f"{shorten(name)} is the image of {where_of_path[path]} already"
            problems.append(Problem("duplicate", where, what))
            path = None
        else:
            where_of_path[path] = where
        paths.append(path)
    return paths


def number_people(labels: Sequence[str]) -> np.ndarray:
    """Turn labels of people into numbers: their own where all are numbers, else by appearance.

    Args:
        labels: N texts, empty where unknown.

    Returns:
        `[N]` int64, -1 where unknown.
    """
    known = [label for label in labels if label]
    if all(is_count(label) for label in known):
        number_of_label = {label: int(label) for label in known}
    else:
        number_of_label = {label: number for number, label in enumerate(dict.fromkeys(known))}
    return np.array([number_of_label.get(label, -1) for label in labels], np.int64)


def load_contents(files: Files, paths: list[str], wheres: list[str]) -> Iterator[Content]:
    """Load image files one by one; what cannot be loaded becomes a problem."""
    for path, where in zip(paths, wheres, strict=True):
        try:
            data = files.read(path)
        except InputError as error:
            yield Problem("undecodable image", where, f"{shorten(path)}: {error}")
            continue
        yield data or Problem("empty file", where, f"{shorten(path)} has zero bytes")

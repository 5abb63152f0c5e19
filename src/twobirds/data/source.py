"""What every kind of source comes down to: named rows, and the bytes of their images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twobirds.data.coding import Coding
from twobirds.data.files import Files
from twobirds.data.problems import Problem, shorten
from twobirds.errors import InputError

Content = bytes | Problem
"""A whole image file, or why it cannot be had."""


@dataclass(frozen=True)
class Decisions:
    """How the columns and lists of a source were understood."""

    image: str
    """Where the images are named or embedded, such as `column image of faces.csv`."""
    person: str | None
    """What says who is shown; None if nothing does."""
    split: str | None
    """What says which split an image belongs to; None if nothing does."""
    codings: dict[str, Coding] = field(default_factory=dict)
    """Attributes, and which of their values means yes."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Other columns, and why they are no attributes."""


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
    load: Callable[[Sequence[int]], Iterator[Content]]
    """Yields the contents of some rows, given in increasing order."""
    decisions: Decisions
    problems: list[Problem] = field(default_factory=list)
    """Everything found wrong so far."""
    drawn: dict[str, Any] | None = None
    """The content of `drawn.json`, if these are drawn faces."""
    column: Callable[[str], list[str] | None] = lambda _name: None
    """The N cells of a column beside the images, by its name; None where there is none."""
    has_celeba_people: bool = False
    """Whether file names and people are numbered as in CelebA, so that they can be compared."""

    def __len__(self) -> int:
        return len(self.names)

    def contents(self) -> Iterator[Content]:
        """The contents of all rows, in order."""
        return self.load(range(len(self)))

    def take(self, rows: Sequence[int]) -> "Source":
        """The source with some of its rows only, in increasing order."""
        load, column = self.load, self.column

        def take_column(name: str) -> list[str] | None:
            cells = column(name)
            return None if cells is None else [cells[row] for row in rows]

        picked = np.asarray(rows, np.int64)
        return replace(
            self,
            names=[self.names[row] for row in rows],
            wheres=[self.wheres[row] for row in rows],
            attributes=self.attributes[picked],
            identity=self.identity[picked],
            partition=None if self.partition is None else self.partition[picked],
            load=lambda places: load([rows[place] for place in places]),
            column=take_column,
        )


Loader = Callable[[Sequence[int]], Iterator[Content]]
"""Yields the contents of some rows, given in increasing order."""


def file_loader(files: Files, paths: Sequence[str | None], wheres: Sequence[str]) -> Loader:
    """Loads the image files of rows that have a path; what cannot be loaded becomes a problem."""
    return lambda rows: _load_files(files, [(paths[row] or "", wheres[row]) for row in rows])


def _load_files(files: Files, rows: Sequence[tuple[str, str]]) -> Iterator[Content]:
    """Load (path, where) rows one by one."""
    for path, where in rows:
        try:
            data = files.read(path)
        except InputError as error:
            yield Problem("undecodable image", where, f"{shorten(path)}: {error}")
            continue
        yield data or Problem("empty file", where, f"{shorten(path)} has zero bytes")

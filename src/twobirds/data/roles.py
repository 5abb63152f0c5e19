"""Which column of a list is the image, the person and the split."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twobirds.data.names import compose
from twobirds.data.problems import shorten
from twobirds.errors import InputError

IMAGE_COLUMNS = ("image", "image_id", "image_name", "file_name", "filename", "file", "path")
"""What the column of the images, or of their names, may be called."""
PERSON_COLUMNS = tuple(
    f"{noun}{end}"
    for noun in ("celeb", "identity", "person", "subject")
    for end in ("", "_id", "_name")
)
"""What the column that says who is shown may be called."""
SPLIT_COLUMNS = ("split", "partition")
"""What the column of the splits may be called."""


@dataclass(frozen=True)
class ColumnChoice:
    """Columns named by the user; None leaves the choice to their names."""

    image: str | None = None
    person: str | None = None
    drop: tuple[str, ...] = ()
    """Columns that shall be no attributes."""


DROPPED_BY_OPTION = "left out by --drop-column"
"""Why such a column is no attribute."""


def is_usual(name: str, usual: Sequence[str]) -> bool:
    """Whether a column has one of some names: `Subject ID` and `subject-id` are `subject_id`."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower()) in usual


def pick_column(
    header: Sequence[str],
    usual: Sequence[str],
    chosen: str | None,
    *,
    option: str | None,
    where: str,
) -> str | None:
    """The column that was chosen, else the one with a usual name.

    Args:
        header: Names of the columns.
        usual: Usual names, as `is_usual` takes them.
        chosen: What the user named.
        option: The option that names it, for messages; None if there is none.
        where: File of the columns, for messages.

    Returns:
        The column; None if no name is usual.

    Raises:
        InputError: If the chosen one is absent, or several have usual names.
    """
    if chosen is not None:
        chosen = compose(chosen)
        if chosen not in header:
            listed = ", ".join(shorten(name) for name in header[:20])
            raise InputError(f"{where} has no column {shorten(chosen)} ({option}): it has {listed}")
        return chosen
    found = [name for name in header if is_usual(name, usual)]
    if len(found) > 1:
        raise ambiguous_columns(found, option=option, where=where)
    return found[0] if found else None


def ambiguous_columns(names: Sequence[str], *, option: str | None, where: str) -> InputError:
    """The error for several columns that could be the same thing."""
    listed = " or ".join(shorten(name) for name in names)
    fix = f"say which with {option}" if option else "leave one of them"
    return InputError(f"{where}: the columns {listed} could be meant: {fix}")

"""What the commands show: results on stdout, progress and notes on stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from twobirds.data.problems import printable
from twobirds.errors import InputError

ShowProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done, and of how many."""

_MIN_COLUMNS, _DEFAULT_COLUMNS = 40, 80  # of a terminal: in less, a table shows nothing


def say(text: str) -> None:
    """Print a line on stdout: on a terminal what it can show, for programs as it is."""
    sys.stdout.write((_shown(text) if sys.stdout.isatty() else text) + "\n")


def note(text: str) -> None:
    """Print one line on stderr; what would control a terminal, or begin another, is escaped."""
    sys.stderr.write(printable(text) + "\n")


def _shown(text: str) -> str:
    """Lines as a terminal can show them; names of files may hold anything."""
    return "\n".join(printable(line) for line in text.split("\n"))


def note_all(lines: Iterable[str]) -> None:
    """Print lines on stderr."""
    for line in lines:
        note(line)


def require_columns() -> None:
    """Replace a width of the terminal in `COLUMNS` in which neither help nor a table has room."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) < _MIN_COLUMNS:
        os.environ["COLUMNS"] = str(_DEFAULT_COLUMNS)


def say_json(content: Any) -> None:
    """Print JSON on stdout.

    Raises:
        InputError: If a number in it is not finite, which JSON does not know.
    """
    try:
        say(json.dumps(content, indent=2, allow_nan=False))
    except ValueError as error:
        raise InputError(
            "a result is not a finite number: verify the model with twobirds check"
        ) from error

"""What is wrong with a source, gathered so that one report names all of it."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from twobirds.errors import InputError

Kind = Literal[
    "wrong count",
    "wrong number of columns",
    "unknown value",
    "duplicate",
    "missing",
    "ambiguous",
    "empty file",
    "undecodable image",
    "too small",
]

MAX_LISTED = 20
"""Problems of one kind that a report spells out; the rest are counted."""


_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufffe\uffff]"
)
"""What controls a terminal, ends a line, turns the direction of text, or is no character."""


@dataclass(frozen=True)
class Problem:
    """One bad row or file."""

    kind: Kind
    """What sort of fault."""
    where: str
    """File and line, such as `list_attr_celeba.txt:17`."""
    what: str
    """The fault in words, naming the image or the value."""

    def line(self) -> str:
        """Where and what, in one line."""
        return printable(f"{self.where}: {self.what}")


def report(problems: Iterable[Problem], source: str, num_good: int) -> InputError:
    """Make one error out of all problems, grouped by kind.

    Args:
        problems: At least one.
        source: What to call the source.
        num_good: Rows of the source without a fault.

    Returns:
        The error to raise: a line for each problem, and at last how to fix them.
    """
    groups: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        groups[problem.kind].append(problem)
    total = sum(len(group) for group in groups.values())
    lines = [f"{printable(source)} has {total} bad {'entry' if total == 1 else 'entries'}."]
    for kind in (kind for kind in get_args(Kind) if kind in groups):
        group = groups[kind]
        lines.append(f"{kind} ({len(group)}):")
        lines += [f"  {problem.line()}" for problem in group[:MAX_LISTED]]
        if len(group) > MAX_LISTED:
            lines.append(f"  and {len(group) - MAX_LISTED} more")
    if total > num_good:  # a whole column or folder is misunderstood, not a few rows
        lines.append("Fix these first: there are more of them than of sound rows.")
    else:
        lines.append("Fix these, or leave them out with --skip-bad.")
    return InputError(*lines)


def shorten(text: str, limit: int = 60) -> str:
    """Quote a piece of a file for a report: printable, and of bounded length."""
    quoted = repr(text[: limit + 1])
    return quoted if len(text) <= limit else f"{repr(text[:limit])[:-1]}…'"


def printable(text: str) -> str:
    """Text as one line that a terminal shows as it is; anything else is escaped, as in Python.

    Names of files and what files hold may be anything, such as commands for a terminal.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)

"""What was wrong with the words of a command, in one line."""

import re
from itertools import groupby

_ANSI_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PLAIN_WORDS = (
    (re.compile(r"^error parsing "), ""),
    (re.compile(r"no type matching .*- <class '\w+'>: "), ""),  # None, or a number, or neither
    (
        re.compile(
            r"invalid literal for int\(\) with base 10: ('.*?') - typing\.Literal\['(\w+)'\]: .*"
        ),
        r"\1 is neither a whole number nor \2",
    ),
    (re.compile(r"invalid literal for int\(\) with base 10: (.*)"), r"\1 is not a whole number"),
    (re.compile(r"could not convert string to float: (.*)"), r"\1 is not a number"),
    (re.compile(r"(?<!\.)\.$"), ""),
)
"""What tyro and Python say, and what is plainer."""


def one_line(box: str) -> str:
    """Cut tyro's report down to a line; all further help is left to `--help`.

    Args:
        box: A frame with a title, and rules between its parts. A line is indented by 4 if it names
            an option, and by 8 if it explains one.

    Returns:
        The parts that say what is wrong, and what was meant perhaps.
    """
    rows = [_ANSI_COLOUR.sub("", row) for row in box.splitlines()[1:]]
    rows = [row[2:].rstrip(" │") for row in rows if not row.startswith("╰")]
    parts = [list(part) for is_rule, part in groupby(rows, _is_rule) if not is_rule]
    lines = [" ".join(row.strip() for row in part if not row.startswith(" " * 8)) for part in parts]
    told = [line for line in lines if line and "helptext" not in line]
    return "; ".join(_plainly(line[0].lower() + line[1:]) for line in told)


def _is_rule(row: str) -> bool:
    return bool(row) and set(row) <= {"─", "-"}


def _plainly(line: str) -> str:
    line = " ".join(line.split())
    for pattern, words in _PLAIN_WORDS:
        line = pattern.sub(words, line)
    return line

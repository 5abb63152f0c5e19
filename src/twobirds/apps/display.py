"""What the commands show: results on stdout, progress and notes on stderr."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

ShowProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done, and of how many."""

_BAR_WIDTH = 20  # characters of a probability of 1
_INNER_SECTIONS = ("realism", "second_judge", "prototype")  # of a report's section
_COUNTS = ("num_beaten", "num_attributes")  # whole numbers that are results
_MAX_FLOOR = 0.6  # of realism, above which the splits differ by more than chance
_MIN_COLUMNS, _DEFAULT_COLUMNS = 40, 80  # of a terminal: in less, a table shows nothing


def say(text: str) -> None:
    """Print a line on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print a line on stderr."""
    sys.stderr.write(text + "\n")


def require_columns() -> None:
    """Replace a width of the terminal in `COLUMNS` in which neither help nor a table has room."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) < _MIN_COLUMNS:
        os.environ["COLUMNS"] = str(_DEFAULT_COLUMNS)


def say_json(content: Any) -> None:
    """Print JSON on stdout."""
    say(json.dumps(content, indent=2))


class _Rate(ProgressColumn):
    """Items a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self.unit}/s")


@contextlib.contextmanager
def progress_bars(unit: str) -> Iterator[ShowProgress]:
    """A bar with rate and time left for each thing done; plain lines where no terminal is.

    Args:
        unit: What is counted, such as `faces`.

    Yields:
        The function to report progress to.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
                if bars.disable:
                    note(f"{what}: {total:,} {unit} ...")
            bars.update(tasks[what], completed=done, total=total)

        yield show


def say_attributes(title: str, attributes: Mapping[str, float]) -> None:
    """Print a table of probabilities, the most probable first."""
    table = Table("attribute", "probability", "", title=Text(title), title_justify="left")
    for name, value in sorted(attributes.items(), key=lambda item: -item[1]):
        table.add_row(Text(name), f"{value:.3f}", "█" * round(value * _BAR_WIDTH))
    Console().print(table)


def say_figures(report: Mapping[str, Any]) -> None:
    """Print a table of the figures of a report's sections, without those of each attribute."""
    table = Table("section", "figure", "value")
    for section, content in report.items():
        if section in ("model", "data", "config", "versions") or not isinstance(content, dict):
            continue
        for name, value in _flatten(content):
            table.add_row(section, name, f"{value:.4g}")
    Console().print(table)
    for name, reason in report.get("absent", {}).items():
        say(f"{name} is absent: {reason}")
    floor = report.get("editing", {}).get("realism", {}).get("real_floor", 0.5)
    if floor > _MAX_FLOOR:
        say(
            f"realism is of limited use: unedited faces are told from training faces, too (floor "
            f"{floor:.2f}); evaluate with a pack whose splits are of one source"
        )
    if faults := report.get("editing", {}).get("above_ceiling"):
        say(
            "fault: the judge recognizes these attributes on edited faces far more often than on "
            f"real faces that have them, which no better edit can explain: {', '.join(faults)}"
        )


def _flatten(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Figures of a section and the sections in it, those of an inner one after a dot."""
    for name, value in section.items():
        if isinstance(value, float) or name in _COUNTS:
            yield prefix + name, value
        elif isinstance(value, Mapping) and name in _INNER_SECTIONS:
            yield from _flatten(value, f"{name}.")

"""Bars that show how far a command is."""

import contextlib
import time
from collections.abc import Iterator

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
from rich.text import Text

from twobirds.apps.display import ShowProgress, note

_LINE_SECONDS = 30.0  # between two lines where no bar is


class _Rate(ProgressColumn):
    """Items a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        return Text(f"{speed:,.{0 if speed >= 10 else 1}f} {self.unit}/s")


@contextlib.contextmanager
def progress_bars(unit: str) -> Iterator[ShowProgress]:
    """A bar with rate and time left for each thing done; where no terminal is, a line now and then.

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
    last_shown: dict[str, float] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
                last_shown[what] = time.monotonic()
                if bars.disable:
                    note(f"{what}: {total:,} {unit} ...")
            bars.update(tasks[what], completed=done, total=total)
            if bars.disable and time.monotonic() - last_shown[what] >= _LINE_SECONDS:
                last_shown[what] = time.monotonic()
                note(f"{what}: {done:,} of {total:,} {unit}")

        yield show

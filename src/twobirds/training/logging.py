"""What a run tells: metrics as JSON lines, TensorBoard if installed, a progress bar."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from twobirds.atomic import write_atomically

METRICS_FILE = "metrics.jsonl"
TENSORBOARD_FOLDER = "tensorboard"
_ESTIMATE_AFTER_SECONDS = 10.0  # the first iteration, which warms up, apart


class MetricsLog:
    """One JSON object a line in `metrics.jsonl`, and TensorBoard's files where it is installed.

    Args:
        run: The run's folder.
        images_seen: Where the run stands; later lines of a stopped leg are dropped.
    """

    def __init__(self, run: Path, images_seen: int) -> None:
        self.path = run / METRICS_FILE
        _drop_lines_after(self.path, images_seen)
        self.board = _open_tensorboard(run / TENSORBOARD_FOLDER, images_seen)

    def write(self, values: Mapping[str, float]) -> None:
        """Append one line, which is on disk before a checkpoint; `images` is TensorBoard's step.

        Raises:
            OSError: If it cannot be written; names the file.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({k: _rounded(v) for k, v in values.items()}) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, int(values["images"]))

    def close(self) -> None:
        """Flush TensorBoard's files."""
        if self.board is not None:
            self.board.close()


class ProgressDisplay:
    """A bar with stage, images a second, losses and time left; plain lines where no terminal is.

    Args:
        total_images: Of the whole run.
        seen_images: Of them, in earlier legs.
        enabled: Whether to print.
        max_seconds: After which this leg stops.
    """

    def __init__(
        self,
        total_images: int,
        seen_images: int,
        *,
        enabled: bool,
        max_seconds: float = math.inf,
    ) -> None:
        self.console = Console(stderr=True)
        self.enabled, self.max_seconds = enabled, max_seconds
        self._started: tuple[float, int] | None = None  # seconds and images after an iteration
        self._has_estimated = False
        self.bar: Progress | None = None
        self.total_images = total_images
        if enabled and self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=self.console)
            self.task: TaskID = self.bar.add_task("training", total=total_images)
            self.bar.update(self.task, completed=seen_images)
            self.bar.start()

    def advance(self, seen_images: int) -> None:
        """Move the bar; once the speed is known, say how long all of it takes."""
        if self.bar is not None:
            self.bar.update(self.task, completed=seen_images)
        if self.enabled and not self._has_estimated:
            self._estimate(seen_images)

    def _estimate(self, seen_images: int) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = now, seen_images
        seconds = now - self._started[0]
        if seconds < _ESTIMATE_AFTER_SECONDS:
            return
        self._has_estimated = True
        rate = (seen_images - self._started[1]) / seconds
        left = (self.total_images - seen_images) / rate
        text = (
            f"{rate:,.3g} images/s: all {self.total_images:,} images take "
            f"{duration(self.total_images / rate)}, {duration(left)} are left"
        )
        if self.max_seconds < left:
            shown = round(self.max_seconds * rate, -2)
            text += f"; this leg of {duration(self.max_seconds)} shows about {shown:,.0f} of them"
        self.console.print(text, soft_wrap=True, highlight=False)

    def describe(self, values: Mapping[str, float]) -> None:
        """Show the latest means."""
        if not self.enabled:
            return
        losses = " ".join(
            f"{name}={values[name]:.3f}"
            for name in ("d_adversarial", "g_adversarial", "label_real", "pixel")
            if name in values
        )
        rate = f"{values['images_per_second']:.0f} images/s"
        text = f"stage {values['stage']:.0f} {values['images']:,.0f} images {rate} {losses}"
        if self.bar is not None:
            self.bar.update(self.task, description=text)
        else:
            left = (self.total_images - values["images"]) / max(values["images_per_second"], 1e-9)
            self.console.print(
                f"{text}, {max(0, left) / 60:.1f} min left", soft_wrap=True, highlight=False
            )

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.bar is not None:
            self.bar.stop()


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it: "40 s", "12 min", "3.4 h", "2.6 days"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:,.1f} days"


def _rounded(value: float) -> float:
    """Six digits of a measurement; counts stay whole."""
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _drop_lines_after(path: Path, images_seen: int) -> None:
    """Forget what a leg logged beyond the checkpoint from which the run goes on."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["images"] <= images_seen:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # a line cut off by a kill, or that a power cut filled with anything
    write_atomically(path, lambda file: file.write("".join(kept).encode()))


def _open_tensorboard(folder: Path, images_seen: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=images_seen + 1)

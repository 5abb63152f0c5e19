"""The only training loop: every objective, from the first image to the last, over many legs."""

import contextlib
import math
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from twobirds.atomic import write_json
from twobirds.checkpoint import CHECKPOINT_FILE, CONFIG_FILE, PREVIOUS_CHECKPOINT_FILE
from twobirds.config import RunConfig, to_dict
from twobirds.data.faces import from_pixels
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.runtime import Runtime, average_values, keep_freed_memory
from twobirds.training.failures import explained_failures, require_finite
from twobirds.training.logging import METRICS_FILE, MetricsLog, ProgressDisplay
from twobirds.training.objective import Objective
from twobirds.training.sample_grid import LATEST_SAMPLES, SAMPLES_FOLDER, write_sample_grid
from twobirds.training.state import Progress, restore, save_checkpoint

NUM_SAMPLES = 8
_ITERATIONS_TO_AGREE = 16


@dataclass(frozen=True)
class Leg:
    """How this leg of a run is carried out; nothing in it changes what is learned."""

    run: Path
    """Folder of the run."""
    max_seconds: float = math.inf
    """Wall-clock seconds after which the leg saves and stops."""
    shows_progress: bool = False
    """Whether to print."""
    extra: Mapping[str, Any] | None = None
    """What else the checkpoint shall carry."""


def train(
    config: RunConfig,
    objective: Objective,
    pack: Pack,
    runtime: Runtime,
    leg: Leg,
    *,
    resumed: Mapping[str, Any] | None = None,
) -> bool:
    """Train until the images are used up or the leg ends, with atomic checkpoints.

    Args:
        config: The resolved run.
        objective: What to train.
        pack: The faces.
        runtime: Device and processes.
        leg: Folder, time limit, progress display.
        resumed: Content of the checkpoint to go on from.

    Returns:
        Whether the run is complete.

    Raises:
        DivergenceError: If a loss or weight is no longer finite; the last checkpoint stays.
        DeviceError: If the device fails; the last checkpoint stays.
        InputError: If the checkpoint does not fit the configuration, or a file cannot be written.
    """
    keep_freed_memory()
    settings = config.train
    checkpoint = leg.run / CHECKPOINT_FILE
    progress = Progress() if resumed is None else restore(checkpoint, resumed, objective)
    loader = Loader.of_run(settings, pack, runtime)
    num_iterations = -(-settings.images // settings.batch_size)  # rounded up, exactly
    window_iterations = max(1, settings.log_every_images // settings.batch_size)
    with contextlib.ExitStack() as stack:
        stack.enter_context(explained_failures(checkpoint))
        recorder = _Recorder(config, objective, pack, runtime, leg, progress)
        stack.enter_context(contextlib.closing(recorder))
        stopping = stack.enter_context(stop_on_signals())
        while progress.iteration < num_iterations:
            iteration = progress.iteration
            stage = objective.stage(iteration * settings.batch_size)
            metrics = objective.update(loader.batch(iteration), loader, iteration)
            progress.add(metrics)
            progress.iteration += 1
            next_stage = objective.stage(progress.iteration * settings.batch_size)
            if progress.window_iterations == window_iterations or next_stage != stage:
                objective.adapt(recorder.log_window(stage))
                progress.clear_window()
            elif progress.iteration == num_iterations:
                recorder.log_window(stage)  # what is left, which a longer run would go on filling
            recorder.keep_up()
            wants_to_stop = stopping() or recorder.leg_seconds > leg.max_seconds
            if _is_over(runtime, wants_to_stop, progress.iteration):
                break
        is_complete = progress.iteration >= num_iterations
        recorder.finish(is_complete=is_complete)
    return is_complete


class _Recorder:
    """Keeps the clock, the log, the samples and the checkpoints of a leg."""

    def __init__(
        self,
        config: RunConfig,
        objective: Objective,
        pack: Pack,
        runtime: Runtime,
        leg: Leg,
        progress: Progress,
    ) -> None:
        self.config, self.objective, self.runtime = config, objective, runtime
        self.leg, self.progress = leg, progress
        self.fixed = _fixed_faces(pack, runtime)
        self.started = self.saved = self.window_started = time.monotonic()
        self.window_start_images = self.images_seen
        self.saved_iteration = progress.iteration
        self.earlier_seconds = progress.training_seconds
        self.log = None
        self.display = ProgressDisplay(
            config.train.images,
            self.images_seen,
            enabled=leg.shows_progress and runtime.is_main,
            max_seconds=leg.max_seconds,
        )
        if runtime.is_main:
            leg.run.mkdir(parents=True, exist_ok=True)
            write_json(leg.run / CONFIG_FILE, to_dict(config))
            _remove_stale_files(leg.run)
            self.log = MetricsLog(leg.run, self.images_seen)

    @property
    def images_seen(self) -> int:
        return self.progress.iteration * self.config.train.batch_size

    @property
    def leg_seconds(self) -> float:
        return time.monotonic() - self.started

    def log_window(self, stage: int) -> dict[str, float]:
        """Average the gathered losses over iterations and processes, check and write them."""
        progress = self.progress
        sums = torch.stack([s / progress.window_counts[n] for n, s in progress.window.items()])
        means = dict(zip(progress.window, average_values(sums).tolist(), strict=True))
        now = time.monotonic()
        # A window may have begun in an earlier leg: only what this one showed counts.
        rate = (self.images_seen - self.window_start_images) / (now - self.window_started)
        self.window_started, self.window_start_images = now, self.images_seen
        values = {
            "iteration": progress.iteration,
            "images": self.images_seen,
            "stage": stage,
            "images_per_second": rate,
            **means,
            **self.objective.schedule_state(),
        }
        require_finite(means, self.images_seen)
        if self.log is not None:
            self.log.write(values)
        self.display.describe(values)
        return means

    def keep_up(self) -> None:
        """Move the bar; write samples and save when they are due."""
        self.display.advance(self.images_seen)
        if self._has_due_samples:
            self.write_samples()
        if time.monotonic() - self.saved > self.config.train.checkpoint_every_seconds:
            self.save()

    def finish(self, *, is_complete: bool) -> None:
        """Save, and write the samples of the end.

        Of a leg that was stopped they lie beside the folder of samples, in which a run has the same
        files however many legs it takes.
        """
        self.save()
        self._write_grid(self.leg.run / LATEST_SAMPLES)
        if is_complete and not self._has_due_samples:
            self.write_samples()

    @property
    def _has_due_samples(self) -> bool:
        every, batch = self.config.train.sample_every_images, self.config.train.batch_size
        return self.images_seen // every != (self.images_seen - batch) // every

    def write_samples(self) -> None:
        """Write the sample grid that is due now."""
        self._write_grid(self.leg.run / SAMPLES_FOLDER / f"{self.images_seen:09d}.png")

    def _write_grid(self, path: Path) -> None:
        """Write samples, in the first process alone: batch norm needs no other here."""
        if self.runtime.is_main:
            write_sample_grid(path, self.objective.sample(*self.fixed))

    def save(self) -> None:
        """Write the checkpoint; the one before it stays that of an earlier iteration."""
        self.progress.training_seconds = self.earlier_seconds + self.leg_seconds
        if self.runtime.is_main:
            save_checkpoint(
                self.leg.run / CHECKPOINT_FILE,
                self.config,
                self.objective,
                self.progress,
                dict(self.leg.extra or {}),
                keeps_previous=self.progress.iteration != self.saved_iteration,
            )
        self.saved, self.saved_iteration = time.monotonic(), self.progress.iteration

    def close(self) -> None:
        """Close what is open."""
        self.display.close()
        if self.log is not None:
            self.log.close()


def _remove_stale_files(run: Path) -> None:
    """Remove what a leg was writing when it was killed; other programs' files stay."""
    names = (CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE, CONFIG_FILE, METRICS_FILE, LATEST_SAMPLES)
    for pattern in (*(f".{name}.*.tmp" for name in names), f"{SAMPLES_FOLDER}/.*.tmp"):
        for stale in run.glob(pattern):
            stale.unlink(missing_ok=True)


def _is_over(runtime: Runtime, wants_to_stop: bool, iteration: int) -> bool:
    """Whether the leg ends: any process that wants to stop stops all, when they next agree."""
    if runtime.world_size == 1:
        return wants_to_stop
    if iteration % _ITERATIONS_TO_AGREE:  # each agreement makes the processes wait for each other
        return False
    wish = torch.tensor(float(wants_to_stop), device=runtime.device)
    return bool(average_values(wish).item() > 0)


def _fixed_faces(pack: Pack, runtime: Runtime) -> tuple[torch.Tensor, torch.Tensor]:
    """Faces spread over the valid split (or test, or train), which every grid shows."""
    rows = next(r for r in map(pack.rows, ("valid", "test", "train")) if len(r))
    # Neighbours may be one person: CelebA's official order and drawn faces go person by person.
    rows = rows[:: max(1, len(rows) // NUM_SAMPLES)][:NUM_SAMPLES]
    pixels = torch.from_numpy(pack.images[rows]).to(runtime.device)
    attributes = torch.from_numpy(pack.attributes[rows]).to(runtime.device)
    return from_pixels(pixels), attributes.float()


class stop_on_signals:  # noqa: N801 -- a context manager, used like a function
    """Turns the first Ctrl-C or SIGTERM into an orderly stop: entered, it tells whether one came.

    Outside the main thread signals are the caller's, and none is told.
    """

    def __enter__(self) -> Callable[[], bool]:
        self.stopped = False
        self.previous: dict[int, Any] = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self.previous[number] = signal.signal(number, self._note)
            except ValueError:  # not in the main thread
                break
        return lambda: self.stopped

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.stopped = True
        signal.signal(number, self.previous[number])  # a second one interrupts at once

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

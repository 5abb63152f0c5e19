"""How fast drawn faces are made: rendered only, and as PNG files, by one process and by all.

Usage: `python benchmarks/rendering.py --out benchmarks/results/NAME.json`.
"""

import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import tyro

from hardware import seconds_of, write_results
from twobirds.data.drawn.folder import render_folder
from twobirds.data.drawn.people import sample_faces
from twobirds.data.drawn.render import render
from twobirds.machine import describe_machine, num_cores

CPU = torch.device("cpu")  # where faces are rendered, whatever else is there


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    size: int = 64
    """Height and width of the images in pixels."""
    count: int = 2_048
    """Faces that each process renders in a run; files are handed out 256 at a time."""
    workers: int | None = None
    """Processes beside the measurement of one. Default: one on each core."""
    repeats: int = 3
    """Runs after the first, which is not counted."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    results: dict[str, Any] = {
        "benchmark": "rendering",
        "hardware": describe_machine(CPU),
        **{name: getattr(settings, name) for name in ("size", "count", "repeats")},
        "runs": [],
    }
    for num_processes in sorted({1, settings.workers or num_cores()}):
        for task, time_task in (("render", time_rendering), ("png", time_files)):
            seconds = time_task(settings, num_processes)
            count = settings.count * num_processes
            run = {
                "task": task,
                "processes": num_processes,
                "faces": count,
                "median_seconds": statistics.median(seconds),
                "faces_per_second": count / statistics.median(seconds),
            }
            results["runs"].append(run)
            print(summary(run, settings.size))
    write_results(settings.out, results)
    return 0


def time_rendering(settings: Settings, num_processes: int) -> list[float]:
    """Seconds of rendering into memory; processes are started before the clock."""
    render_all = partial(render_faces, settings.size, settings.count)
    if num_processes == 1:
        return seconds_of(lambda: render_all(0), CPU, repeats=settings.repeats)
    context = multiprocessing.get_context("spawn")  # as `twobirds draw` starts its own
    with ProcessPoolExecutor(num_processes, mp_context=context) as pool:
        starts = [settings.count * number for number in range(num_processes)]
        return seconds_of(lambda: list(pool.map(render_all, starts)), CPU, repeats=settings.repeats)


def render_faces(size: int, count: int, start: int) -> int:
    """Render faces of a collection into memory; returns how many."""
    return len(render(sample_faces(0, range(start, start + count)), size))


def time_files(settings: Settings, num_processes: int) -> list[float]:
    """Seconds of `twobirds draw`, the start of its processes and CelebA's lists among them."""
    with tempfile.TemporaryDirectory() as folder:
        names = map(str, range(settings.repeats + 1))

        def write() -> None:
            render_folder(
                Path(folder) / next(names),
                count=settings.count * num_processes,
                size=settings.size,
                workers=num_processes,
            )

        return seconds_of(write, CPU, repeats=settings.repeats)


def summary(run: dict[str, Any], size: int) -> str:
    """The figures of a run in a line."""
    task = {"render": "rendered", "png": "written as PNG"}[run["task"]]
    return (
        f"{run['faces']:,} faces of {size} px {task} by {run['processes']} "
        f"process{'es' if run['processes'] > 1 else ''}: {run['faces_per_second']:.0f} faces/s"
    )


if __name__ == "__main__":
    sys.exit(main())

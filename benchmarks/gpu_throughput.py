"""How fast every recipe trains on a GPU, beside what its convolutions could do at best.

Usage: `python benchmarks/gpu_throughput.py --out FILE.json`; `benchmarks/gpu.sh` runs it after the
tests. Each preset is timed where all of its networks learn, on noise, which costs what faces cost.
The results are written after every measurement, so that a stopped call leaves what it has.
"""

import dataclasses
import itertools
import sys
import tempfile
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from hardware import convolution_peak, matrix_peak, synchronize, write_results
from operations import count_flops
from train_throughput import noise_pack
from twobirds.apps.options import Device
from twobirds.config import RunConfig
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.machine import describe_machine
from twobirds.recipes.registry import PRESETS, recipe_of
from twobirds.runtime import Precision, Runtime, keep_freed_memory, prepare_device
from twobirds.training.run import fit_to_pack

GOAL = {("paper", 128): 13_000.0}
"""Images a second to reach, by preset and size: the paper's 600,030 seconds in 12 minutes."""
_BLOCK = 10  # iterations between looks at the clock, for each of which the host waits


@dataclass(frozen=True)
class Settings:
    """What to measure: each combination of presets, sizes, batch sizes and precisions."""

    presets: tuple[str, ...] = ("paper", "modern")
    """Recipes."""
    sizes: tuple[int, ...] = (128, 64)
    """Heights and widths of the images in pixels."""
    batch_sizes: tuple[int, ...] = (256,)
    """Images per iteration."""
    precisions: tuple[Literal["bfloat16", "float32"], ...] = ("bfloat16", "float32")
    """Number formats of forward and backward passes. On a GPU float32 convolutions are rounded to
    TF32, as torch does by default."""
    width: float | None = None
    """Factor on the numbers of channels. Default: the preset's."""
    device: Device = "auto"
    """Where to compute."""
    seconds: float = 4.0
    """Time to measure each for, after the first iterations."""
    max_seconds: float = 150.0
    """After so long the combinations that are left are skipped, and the results say so."""
    faces: int = 2048
    """Faces in the pack of noise."""
    matrix_size: int = 8192
    """Side of the matrices for the peak."""
    channels: int = 256
    """Channels of the convolutions for the peak."""
    tests: Path | None = None
    """JUnit file of the tests that ran before, whose outcome goes into the results."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code, 1 where something failed."""
    settings, started = tyro.cli(Settings, args=arguments), time.monotonic()
    keep_freed_memory()  # as training does
    device = prepare_device(settings.device)
    results: dict[str, Any] = {
        "benchmark": "gpu",
        "hardware": describe_machine(device),
        "tests": outcome(settings.tests) if settings.tests else None,
        "peaks": peaks(device, settings),
        "runs": [],
        "skipped": [],
    }
    for config, precision in chosen(settings):
        name = f"{config.preset} {config.data.size} px batch {config.train.batch_size} {precision}"
        if time.monotonic() - started > settings.max_seconds:
            results["skipped"].append(name)
            continue
        runtime = Runtime(device, precision=precision)
        try:
            run = measure(config, runtime, settings, results["peaks"][precision])
        except (RuntimeError, ValueError) as error:  # such as too little memory: the others go on
            run = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        results["runs"].append({"name": name, **run})
        print(summary(results["runs"][-1]), flush=True)
        write_results(settings.out, results)
    write_results(settings.out, results)
    has_failed = any("error" in run for run in results["runs"])
    return int(has_failed or bool((results["tests"] or {}).get("failed")))


def chosen(settings: Settings) -> list[tuple[RunConfig, Precision]]:
    """Each combination of what was asked for; the most wanted first."""
    combinations = itertools.product(
        settings.sizes, settings.precisions, settings.batch_sizes, settings.presets
    )
    found: list[tuple[RunConfig, Precision]] = []
    for size, precision, batch_size, name in combinations:
        preset = PRESETS[name]
        recipe: Any = preset.recipe
        if settings.width is not None:
            recipe = dataclasses.replace(recipe, width=settings.width)
        config = dataclasses.replace(
            preset,
            recipe=recipe,
            data=dataclasses.replace(preset.data, size=size),
            train=dataclasses.replace(preset.train, batch_size=batch_size),
        )
        found.append((config, precision))
    return found


def peaks(device: torch.device, settings: Settings) -> dict[str, dict[str, float]]:
    """The best rates of matrix products and convolutions by precision."""
    return {
        precision: {
            "matrix_gflop_per_second": matrix_peak(
                device, size=settings.matrix_size, dtype=getattr(torch, precision)
            )
            / 1e9,
            "convolution_gflop_per_second": convolution_peak(
                device, channels=settings.channels, dtype=getattr(torch, precision)
            )
            / 1e9,
        }
        for precision in settings.precisions
    }


def measure(
    config: RunConfig, runtime: Runtime, settings: Settings, peak: dict[str, float]
) -> dict[str, Any]:
    """Time iterations of the stage in which all networks learn."""
    with tempfile.TemporaryDirectory() as folder:
        pack = noise_pack(config, Path(folder), settings.faces)
        config = fit_to_pack(config, pack)
        iterate = iterations(config, pack, runtime)
        batch_size, device = config.train.batch_size, runtime.device
        flops = count_flops(iterate)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        iterate()
        num_waits = count_waits(iterate, device)
        seconds, host_seconds = time_blocks(iterate, device, settings.seconds)
        memory, queued = peak_memory(device), None
        if device.type == "cuda":
            del iterate
            plain = iterations(config, pack, dataclasses.replace(runtime, replays=False))
            queued = batch_size / time_blocks(plain, device, settings.seconds / 2)[0]
    rate, gflop = batch_size / seconds, flops / batch_size / 1e9
    goal = GOAL.get((config.preset, config.data.size))
    return {
        "preset": config.preset,
        "size": config.data.size,
        "batch_size": batch_size,
        "precision": runtime.precision,
        "memory_format": "channels_last",
        "images_per_second": rate,
        "images_per_second_without_replays": queued,
        "gflop_per_image": gflop,
        "share_of_convolution_peak": rate * gflop / peak["convolution_gflop_per_second"],
        "host_share": host_seconds / seconds,
        "host_waits_per_iteration": num_waits,
        "peak_memory_gib": memory,
        "share_of_goal": rate / goal if goal and runtime.precision == "bfloat16" else None,
    }


def iterations(config: RunConfig, pack: Pack, runtime: Runtime) -> Callable[[], None]:
    """A new run's iterations, one a call, from the first in which all networks learn."""
    objective = recipe_of(config).build_objective(config, runtime, None)
    loader = Loader.of_run(config.train, pack, runtime)
    first = next(i for i in itertools.count() if objective.stage(i * loader.batch_size) == 2)
    numbers = itertools.count(first)

    def iterate() -> None:
        number = next(numbers)
        objective.update(loader.batch(number), loader, number)

    return iterate


def count_waits(iterate: Callable[[], None], device: torch.device) -> int | None:
    """How often the host waits for the GPU in an iteration, as far as torch notices."""
    if device.type != "cuda":
        return None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            iterate()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing" in str(w.message) for w in caught if "prototype" not in str(w))


def time_blocks(
    iterate: Callable[[], None], device: torch.device, max_seconds: float
) -> tuple[float, float]:
    """Seconds of an iteration, and those the host takes to queue one.

    Iterations overlap as in training: the host waits for the device once a block.
    """
    for _ in range(_BLOCK if device.type == "cuda" else 1):
        iterate()
    synchronize(device)
    total, queueing, count = 0.0, 0.0, 0
    while total < max_seconds:
        started = time.perf_counter()
        for _ in range(_BLOCK if device.type == "cuda" else 1):
            iterate()
            count += 1
        queued = time.perf_counter()
        synchronize(device)
        queueing += queued - started
        total += time.perf_counter() - started
    return total / count, queueing / count


def peak_memory(device: torch.device) -> float | None:
    """GiB of the GPU's memory that tensors took at most."""
    if device.type != "cuda":
        return None
    return round(torch.cuda.max_memory_allocated(device) / 2**30, 2)


def outcome(path: Path) -> dict[str, Any]:
    """Numbers of tests, and the names of those that failed, from a JUnit file."""
    if not path.exists():
        return {"failed": ["the tests did not run to the end"]}
    cases = list(ET.parse(path).iter("testcase"))  # noqa: S314 -- written by our own tests
    bad = [case for case in cases if {"failure", "error"} & {part.tag for part in case}]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return {
        "passed": len(cases) - len(bad) - len(skipped),
        "skipped": [case.get("name") for case in skipped],
        "failed": [case.get("name") for case in bad],
    }


def summary(run: dict[str, Any]) -> str:
    """The figures of a run in a line."""
    if "error" in run:
        return f"{run['name']}: {run['error']}"
    line = (
        f"{run['name']}: {run['images_per_second']:,.0f} images/s, {run['gflop_per_image']:.2f} "
        f"GFLOP/image, {run['share_of_convolution_peak']:.0%} of the convolution peak; "
        f"host {run['host_share']:.0%}"
    )
    if run["images_per_second_without_replays"] is not None:
        line += f"; {run['images_per_second_without_replays']:,.0f} images/s without replays"
    if run["peak_memory_gib"] is not None:
        line += f"; {run['peak_memory_gib']} GiB, {run['host_waits_per_iteration']} waits"
    return line


if __name__ == "__main__":
    sys.exit(main())

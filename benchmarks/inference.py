"""How long 64 faces take, beside their operations alone, and beside the paper (P21; Sec. 4.2).

Usage: `python benchmarks/inference.py --out benchmarks/results/NAME.json` times preset `paper` with
random weights, which do not change the time; `--model celeba128` a trained model. The convolutions
and matrix products of a task are also timed one by one: no task can take less than their sum.
"""

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from hardware import Work, peak_memory, seconds_of, write_results
from operations import OperationRecorder, time_operations
from twobirds.api import FaceModel
from twobirds.config import DataConfig, RunConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.machine import describe_machine
from twobirds.models.trained import Trained
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.networks import build_networks
from twobirds.runtime import pick_device

PAPER_SECONDS = {"generate": 2.1558, "reconstruct": 3.2256}
"""For 64 faces of 128 pixels on a GTX 1070 Ti (Table 2)."""


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    model: str | None = None
    """A trained model, or a folder of ONNX files, whose operations are not timed alone. Default:
    preset `paper` with random weights."""
    size: int = 128
    """Height and width in pixels of the images of random weights; the paper's is 128."""
    width: float = 1.0
    """Factor on their numbers of channels; the paper's is 1."""
    count: int = 64
    """Faces at a time; the paper's is 64."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    repeats: int = 10
    """Runs after the first, which is not counted."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    device = pick_device(settings.device)
    if settings.model:
        model = FaceModel.load(settings.model, device=device.type)
    else:
        model = random_model(settings).to(device)
    measured = {
        name: measure(task, device, settings) for name, task in tasks(model, settings.count).items()
    }
    for name, figures in measured.items():
        print(summary(name, figures, settings.count, model.size))
    results: dict[str, Any] = {
        "benchmark": "inference",
        "hardware": describe_machine(device),
        "model": model.name if settings.model else "preset paper, random weights",
        "size": model.size,
        "width": None if settings.model else settings.width,
        "count": settings.count,
        "repeats": settings.repeats,
        **measured,
        "peak_memory_mib": peak_memory(device) / 2**20,
    }
    if not settings.model:
        gpu = {"gpu": "GTX 1070 Ti", "size": 128, "count": 64}
        results["paper"] = {**gpu, "seconds": PAPER_SECONDS}
        print("the paper, 64 faces of 128 px on a GTX 1070 Ti, in seconds:", PAPER_SECONDS)
    write_results(settings.out, results)
    return 0


def tasks(model: FaceModel, count: int) -> dict[str, Work]:
    """What a model does with faces, from inputs on the CPU to results on the CPU, by name."""
    generator = torch.Generator().manual_seed(0)
    faces = torch.rand(count, 3, model.size, model.size, generator=generator) * 2 - 1
    encoded, changes = model.encode_faces(faces), {"Eyeglasses": 1.0}
    return {
        "recognize": lambda: model.recognize(faces),
        "edit": lambda: model.edit(faces, changes),
        "edit encoded faces": lambda: encoded.edit(changes),
        "generate": lambda: model.generate(count),
        "reconstruct": lambda: model.reconstruct(faces),
    }


def random_model(settings: Settings) -> FaceModel:
    """A model with its initial weights and CelebA's attributes."""
    data = DataConfig(size=settings.size, attributes=CELEBA_ATTRIBUTES)
    bank = torch.randint(2, (64, len(CELEBA_ATTRIBUTES)), dtype=torch.uint8)
    config = RunConfig("paper", PaperConfig(width=settings.width), data)
    return FaceModel(Trained(build_networks(config), config, bank, ""))


def measure(task: Work, device: torch.device, settings: Settings) -> dict[str, Any]:
    """Median and best time of a task, and that of its operations alone."""
    seconds = seconds_of(task, device, repeats=settings.repeats)
    with OperationRecorder() as recorder:
        task()
    figures = {"median_seconds": statistics.median(seconds), "best_seconds": min(seconds)}
    rows = time_operations(recorder.counts, device, repeats=max(3, settings.repeats // 2))
    if not any(row["gflop"] for row in rows):  # networks are run by onnxruntime
        return figures
    alone = sum(row["count"] * row["seconds"] for row in rows)
    return figures | {
        "gflop": sum(row["count"] * row["gflop"] for row in rows),
        "seconds_of_operations_alone": alone,
        "ratio_to_operations_alone": alone / figures["median_seconds"],
    }


def summary(name: str, figures: Mapping[str, float], count: int, size: int) -> str:
    """The figures of a task in a line."""
    line = (
        f"{name}: {count} faces of {size} px in {figures['median_seconds']:.3f} s (best "
        f"{figures['best_seconds']:.3f})"
    )
    if "gflop" not in figures:
        return line
    return (
        f"{line}, {figures['gflop']:.1f} GFLOP, whose operations alone take "
        f"{figures['seconds_of_operations_alone']:.3f} s: ratio "
        f"{figures['ratio_to_operations_alone']:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())

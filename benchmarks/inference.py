"""How long 64 faces take to generate and to reconstruct, beside the paper (P21; Sec. 4.2, Table 2).

Usage: `python benchmarks/inference.py --out benchmarks/results/NAME.json`. Weights are random: they
do not change the time.
"""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from hardware import Work, seconds_of, write_results
from twobirds.api import FaceModel
from twobirds.config import DataConfig, RunConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.machine import describe_machine
from twobirds.models.trained import Trained
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.networks import build_networks
from twobirds.runtime import pick_device

PAPER_SECONDS = {"generate": 2.1558, "reconstruct": 3.2256}
"""For 64 faces of 128 pixels on a GTX 1070 Ti."""


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    size: int = 128
    """Height and width of the images in pixels; the paper's is 128."""
    width: float = 1.0
    """Factor on the numbers of channels; the paper's is 1."""
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
    model = random_model(settings).to(device)
    faces = torch.rand(settings.count, 3, settings.size, settings.size) * 2 - 1
    results = {
        "benchmark": "inference",
        "hardware": describe_machine(device),
        **{name: getattr(settings, name) for name in ("size", "width", "count", "repeats")},
        "generate": time_task(lambda: model.generate(settings.count), device, settings.repeats),
        "reconstruct": time_task(lambda: model.reconstruct(faces), device, settings.repeats),
        "paper": {"gpu": "GTX 1070 Ti", "size": 128, "count": 64, "seconds": PAPER_SECONDS},
    }
    for task, seconds in PAPER_SECONDS.items():
        print(
            f"{task} {settings.count} faces of {settings.size} px: "
            f"{results[task]['median_seconds']:.4f} s (the paper, 64 faces of 128 px: {seconds} s)"
        )
    write_results(settings.out, results)
    return 0


def random_model(settings: Settings) -> FaceModel:
    """A model with its initial weights and CelebA's attributes."""
    data = DataConfig(size=settings.size, attributes=CELEBA_ATTRIBUTES)
    bank = torch.randint(2, (64, len(CELEBA_ATTRIBUTES)), dtype=torch.uint8)
    config = RunConfig("paper", PaperConfig(width=settings.width), data)
    return FaceModel(Trained(build_networks(config), config, bank, ""))


def time_task(task: Work, device: torch.device, repeats: int) -> dict[str, Any]:
    """Median and best time, from inputs on the CPU to results on the CPU."""
    seconds = seconds_of(task, device, repeats=repeats)
    return {"median_seconds": statistics.median(seconds), "best_seconds": min(seconds)}


if __name__ == "__main__":
    sys.exit(main())

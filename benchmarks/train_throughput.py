"""How fast training is, beside what the machine allows (P21; Sec. 4.2, Table 1).

Usage: `python benchmarks/train_throughput.py --presets paper --sizes 64 --widths 0.5
--out benchmarks/results/NAME.json`. Without `--data` it trains on noise, which costs the same. The
balance gives no extra updates here, whatever the losses: an iteration has one of each player.
"""

import dataclasses
import itertools
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from hardware import (
    convolution_peak,
    matrix_peak,
    peak_memory,
    seconds_between_steps,
    seconds_in_optimizers,
    seconds_of,
    write_results,
)
from operations import OperationRecorder, count_flops, time_operations
from twobirds.config import RunConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack, open_pack
from twobirds.machine import describe_machine
from twobirds.recipes.registry import PRESETS, recipe_of
from twobirds.runtime import Runtime, keep_freed_memory, pick_device
from twobirds.training.run import fit_to_pack

IMAGES_PER_EPOCH = 185_000
PAPER_SECONDS = {10: 106_230, 20: 239_460, 50: 600_030}
"""Table 1: seconds of training for so many epochs, on a GTX 1070 Ti."""


@dataclass(frozen=True)
class Settings:
    """What to measure; each combination of presets, sizes, widths and batch sizes."""

    presets: tuple[str, ...] = ("paper",)
    """Recipes."""
    sizes: tuple[int, ...] = ()
    """Heights and widths of the images in pixels. Default: the preset's."""
    widths: tuple[float, ...] = ()
    """Factors on the numbers of channels. Default: the preset's."""
    batch_sizes: tuple[int, ...] = ()
    """Images per iteration. Default: the preset's."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    iterations: int = 20
    """Iterations to time in each stage; the median counts."""
    repeats: int = 5
    """Times that each operation is run alone; the best counts."""
    matrix_size: int | None = None
    """Side of the matrices for the peak. Default: 2048 on a CPU, 8192 on a GPU."""
    channels: int = 256
    """Channels of the convolutions for the peak."""
    data: Path | None = None
    """A pack to load from; its size must be the models'."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    keep_freed_memory()  # as training does
    runtime = Runtime(pick_device(settings.device))
    device = runtime.device
    matrix_size = settings.matrix_size or (8192 if device.type == "cuda" else 2048)
    peaks = {
        "matrix_gflop_per_second": matrix_peak(device, size=matrix_size) / 1e9,
        "convolution_gflop_per_second": convolution_peak(device, channels=settings.channels) / 1e9,
    }
    results: dict[str, Any] = {
        "benchmark": "train_throughput",
        "hardware": describe_machine(device),
        "peaks": peaks,
        "paper": paper_figures(),
        "runs": [],
        "projections": [],
    }
    for config in chosen_configs(settings):
        with tempfile.TemporaryDirectory() as folder:
            pack = open_pack(settings.data) if settings.data else noise_pack(config, Path(folder))
            fitted = fit_to_pack(config, pack)
            runs = []
            for stage, of_stage in enumerate(stages(fitted), 1):
                run = measure_stage(of_stage, pack, runtime, settings) | {"stage": stage}
                runs.append(run | shares(run, peaks))
                print(summary(runs[-1]))
            results["runs"] += runs
            if hasattr(config.recipe, "stage1_share"):
                results["projections"].append(projection(config, runs))
                print(projection_summary(results["projections"][-1]))
    write_results(settings.out, results)
    return 0


def chosen_configs(settings: Settings) -> list[RunConfig]:
    """Each combination of what was asked for."""
    configs = []
    for name in settings.presets:
        preset = PRESETS[name]
        recipe: Any = preset.recipe
        for size, width, batch_size in itertools.product(
            settings.sizes or (preset.data.size,),
            settings.widths or (recipe.width,),
            settings.batch_sizes or (preset.train.batch_size,),
        ):
            changed = dataclasses.replace(
                preset,
                recipe=dataclasses.replace(recipe, width=width),
                data=dataclasses.replace(preset.data, size=size),
                train=dataclasses.replace(preset.train, batch_size=batch_size),
            )
            configs.append(changed)
    return configs


def noise_pack(config: RunConfig, folder: Path, count: int = 4096) -> Pack:
    """A pack of noise with CelebA's attributes, its images mapped from disk like a real one's."""
    size, num_attributes = config.data.size, len(CELEBA_ATTRIBUTES)
    random = np.random.default_rng(0)
    np.save(folder / "images.npy", random.integers(0, 256, (count, size, size, 3), np.uint8))
    return Pack(
        path=folder,
        images=np.load(folder / "images.npy", mmap_mode="r"),
        attributes=random.integers(0, 2, (count, num_attributes), np.uint8),
        split=np.zeros(count, np.uint8),
        identity=np.full(count, -1, np.int64),
        names=tuple(map(str, range(count))),
        attribute_names=CELEBA_ATTRIBUTES,
        size=size,
        landmarks=None,
        drawn=None,
        sha256="",
    )


def stages(config: RunConfig) -> list[RunConfig]:
    """The run as if each of its stages were all of it."""
    recipe: Any = config.recipe
    if hasattr(recipe, "stage1_share"):
        changes: list[dict[str, float]] = [{"stage1_share": 1.0}, {"stage1_share": 0.0}]
    else:  # recipe modern: D alone; all networks; the recognizer is done
        always, none = config.train.images, 1
        changes = [
            {"discriminator_lead_images": always, "recognizer_images": always},
            {"discriminator_lead_images": none, "recognizer_images": always},
            {"discriminator_lead_images": none, "recognizer_images": none},
        ]
    recipes = [dataclasses.replace(recipe, **change) for change in changes]
    return [dataclasses.replace(config, recipe=changed) for changed in recipes]


def measure_stage(
    config: RunConfig, pack: Pack, runtime: Runtime, settings: Settings
) -> dict[str, Any]:
    """Time iterations of one stage, its data loading, and its heavy operations alone."""
    recipe: Any = config.recipe
    objective = recipe_of(config).build_objective(config, runtime, None)
    batch_size = config.train.batch_size
    loader = Loader.of_run(config.train, pack, runtime)
    numbers = itertools.count()

    def load() -> Any:
        return loader.batch(next(numbers))

    def iterate() -> None:
        iteration = next(numbers)
        objective.update(loader.batch(iteration), loader, iteration)

    iterate()  # the first iteration of a stage may differ
    flops = count_flops(iterate)
    with OperationRecorder() as recorder:
        iterate()
    seconds = statistics.median(seconds_of(iterate, runtime.device, repeats=settings.iterations))
    optimizing = seconds_in_optimizers(objective.optimizers, iterate, runtime.device)
    between = seconds_between_steps(objective.optimizers, iterate, runtime.device)
    loading = statistics.median(seconds_of(load, runtime.device, repeats=settings.iterations))
    rows = time_operations(recorder.counts, runtime.device, repeats=settings.repeats)
    return {
        "preset": config.preset,
        "size": config.data.size,
        "width": recipe.width,
        "batch_size": batch_size,
        "images_per_second": batch_size / seconds,
        "gflop_per_image": flops / batch_size / 1e9,
        "loading_share": loading / seconds,
        "optimizer_share": {name: spent / seconds for name, spent in optimizing.items()},
        "share_up_to_step": {n: spent / sum(between.values()) for n, spent in between.items()},
        "peak_memory_mib": peak_memory(runtime.device) / 2**20,
        "images_per_second_of_operations_alone": batch_size
        / sum(row["count"] * row["seconds"] for row in rows),
        "operations": rows,
    }


def shares(run: dict[str, Any], peaks: dict[str, float]) -> dict[str, float]:
    """How near a stage comes to what the peaks, and its own operations alone, would allow."""
    rate, gflop = run["images_per_second"], run["gflop_per_image"]
    return {
        "gflop_per_second": rate * gflop,
        "images_per_second_at_convolution_peak": peaks["convolution_gflop_per_second"] / gflop,
        "share_of_matrix_peak": rate * gflop / peaks["matrix_gflop_per_second"],
        "share_of_convolution_peak": rate * gflop / peaks["convolution_gflop_per_second"],
        "share_of_operations_alone": rate / run["images_per_second_of_operations_alone"],
    }


def paper_figures() -> dict[str, Any]:
    """What the paper took, for the result file (Table 1)."""
    return {
        "gpu": "GTX 1070 Ti",
        "size": 128,
        "images_per_epoch": IMAGES_PER_EPOCH,
        "epochs": [
            {
                "epochs": epochs,
                "seconds": seconds,
                "images_per_second": IMAGES_PER_EPOCH * epochs / seconds,
            }
            for epochs, seconds in PAPER_SECONDS.items()
        ],
    }


def projection(config: RunConfig, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How long the paper's epochs would take at the rates measured, by the preset's stage shares.

    Args:
        config: The recipe.
        runs: Its measurements of stage 1 and of stage 2.
    """
    first, second = (run["images_per_second"] for run in runs)
    recipe: Any = config.recipe
    share = recipe.stage1_share
    seconds_per_image = share / first + (1 - share) / second
    return {
        **{name: runs[0][name] for name in ("preset", "size", "width", "batch_size")},
        "stage1_share": share,
        "images_per_second": 1 / seconds_per_image,
        "epochs": [
            {
                "epochs": epochs,
                "seconds": IMAGES_PER_EPOCH * epochs * seconds_per_image,
                "paper_seconds": paper_seconds,
            }
            for epochs, paper_seconds in PAPER_SECONDS.items()
        ],
    }


def projection_summary(projected: dict[str, Any]) -> str:
    """The projected hours in a line, beside the paper's."""
    times = [
        f"{row['epochs']} epochs {row['seconds'] / 3600:.1f} h ({row['paper_seconds'] / 3600:.1f})"
        for row in projected["epochs"]
    ]
    return (
        f"{projected['preset']} {projected['size']} px, both stages: "
        f"{projected['images_per_second']:.1f} images/s; projected, and the paper's at 128 px: "
        f"{', '.join(times)}"
    )


def summary(run: dict[str, Any]) -> str:
    """The figures of a stage in a line."""
    return (
        f"{run['preset']} {run['size']} px width {run['width']:g} batch {run['batch_size']} stage "
        f"{run['stage']}: {run['images_per_second']:.1f} images/s, {run['gflop_per_image']:.3f} "
        f"GFLOP/image; of the matrix peak {run['share_of_matrix_peak']:.0%}, of the convolution "
        f"peak {run['share_of_convolution_peak']:.0%}, of its operations alone "
        f"{run['share_of_operations_alone']:.0%}; loading {run['loading_share']:.1%}, optimizers "
        f"{sum(run['optimizer_share'].values()):.1%} of the time; up to the step of "
        f"{', '.join(f'{name} {share:.0%}' for name, share in run['share_up_to_step'].items())}; "
        f"{run['peak_memory_mib']:.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())

"""What the number of packed faces costs: opening, batches, training, sampling, packing (P21).

Usage: `python benchmarks/pack_size.py --out benchmarks/results/NAME.json`. The packs are sparse:
their images take no room on the disk, but are mapped, indexed and copied like others. Rates are by
processor time, so that other work on the machine counts little. `--counts` and `--pack-counts` set
how far it goes.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from hardware import write_results
from twobirds.config import RunConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES, exclusion_matrix
from twobirds.data.drawn import render_folder
from twobirds.data.engine import SHARD_FACES, Engine
from twobirds.data.loader import Loader
from twobirds.data.pack import HEADER_FILE, LABEL_ARRAYS, SHARDED_FORMAT, open_pack, seal_header
from twobirds.data.packing import pack_source
from twobirds.data.shards import shard_file
from twobirds.data.writing import RowWriter
from twobirds.machine import describe_machine
from twobirds.recipes.modern.sampling import EditSampler
from twobirds.recipes.registry import PRESETS, recipe_of
from twobirds.runtime import Runtime
from twobirds.training.run import fit_to_pack

CPU = Runtime(torch.device("cpu"))


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    counts: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    """Faces of the packs that are loaded from."""
    pack_counts: tuple[int, ...] = (500, 2_000, 8_000)
    """Faces of the sources that are packed."""
    size: int = 64
    """Height and width of the images in pixels."""
    batches: int = 200
    """Batches to time."""
    iterations: int = 6
    """Iterations of training to time."""
    out: Path | None = None
    """Where the results go, as JSON."""
    picture: Path | None = None
    """Where a chart of them goes, as PNG or SVG."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    results: dict[str, Any] = {
        "benchmark": "pack_size",
        "hardware": describe_machine(CPU.device),
        "size": settings.size,
        "loading": [],
        "packing": [],
    }
    for count in settings.counts:
        with tempfile.TemporaryDirectory() as folder:
            write_sparse_pack(Path(folder), count, settings.size)
            row = in_fresh_process(lambda: measure_loading(Path(folder), settings))
        results["loading"].append(row)
        print(row)
    with tempfile.TemporaryDirectory() as folder:
        for count in settings.pack_counts:
            results["packing"].append(measure_packing(Path(folder), count, settings.size))
            print(results["packing"][-1])
    write_results(settings.out, results)
    if settings.picture is not None:
        draw_chart(results, settings.picture)
    return 0


def draw_chart(results: dict[str, Any], path: Path) -> None:
    """Draw rates and memory over the number of faces."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    rates, memories = figure.subplots(1, 2)
    rows, packed = results["loading"], results["packing"]
    counts = [row["count"] for row in rows]
    for key, label in (
        ("cached", "loaded, from the system's cache"),
        ("loaded", "loaded, for the first time"),
        ("trained", "preset tiny trained"),
    ):
        rates.plot(counts, [row[f"{key}_images_per_second"] for row in rows], "o-", label=label)
    packed_rates = [row["packed_images_per_second"] for row in packed]
    rates.plot([row["count"] for row in packed], packed_rates, "s-", label="packed")
    rates.set(xscale="log", yscale="log", xlabel="faces", ylabel="images a second of a core")
    own = [
        row["memory_with_loader"]["anonymous_mib"] - row["memory_at_start"]["anonymous_mib"]
        for row in rows
    ]
    memories.plot(counts, own, "o-", label="pack and loader")
    kept = [row["edit_sampler"]["kept_mib"] for row in rows]
    memories.plot(counts, kept, "s-", label="edits of recipe modern")
    memories.set(xscale="log", xlabel="faces", ylabel="MiB of the process")
    for axes in (rates, memories):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize="small")
    figure.savefig(path, dpi=110)


def write_sparse_pack(folder: Path, count: int, size: int) -> None:
    """A pack of black faces in shards, with random labels, 2 % to 80 % of them 1."""
    random, num_attributes = np.random.default_rng(0), len(CELEBA_ATTRIBUTES)
    shares = np.linspace(0.02, 0.8, num_attributes)
    labels = random.random((count, num_attributes), np.float32) < shares
    np.save(folder / "attributes.npy", labels.astype(np.uint8))
    np.save(folder / "split.npy", np.zeros(count, np.uint8))
    np.save(folder / "identity.npy", np.full(count, -1, np.int64))
    shards = [min(SHARD_FACES, count - start) for start in range(0, count, SHARD_FACES)]
    for number, rows in enumerate(shards):
        path = folder / shard_file(number)
        with RowWriter(path, (size, size, 3), max_rows=rows) as writer:
            writer.num_rows = rows  # the header says so; the rows are a hole in the file
        os.truncate(path, path.stat().st_size + rows * size * size * 3)
    header: dict[str, Any] = {
        "format": SHARDED_FORMAT,
        "size": size,
        "count": count,
        "attributes": CELEBA_ATTRIBUTES,
        "landmarks": None,
        "drawn": None,
        "names": [f"{row:08d}.png" for row in range(count)],
        "shards": shards,
        "sha256": dict.fromkeys([*map(shard_file, range(len(shards))), *LABEL_ARRAYS], ""),
    }
    seal_header(header)
    (folder / HEADER_FILE).write_text(json.dumps(header))


def measure_loading(folder: Path, settings: Settings) -> dict[str, Any]:
    """Open a pack, load batches, train, and sample edits."""
    start = memory()
    opening, pack = timed(lambda: open_pack(folder))
    preset = fit_to_pack(PRESETS["tiny"], pack)
    batch_size = preset.train.batch_size
    building, loader = timed(lambda: Loader.of_run(preset.train, pack, CPU))
    loader.batch(0)
    loading = seconds_of_batches(loader.batch, settings.batches)
    again = seconds_of_batches(loader.batch, settings.batches)  # now from the system's cache
    with_loader = memory()
    return {
        "count": len(pack),
        "batch_size": batch_size,
        "open_seconds": opening,
        "loader_seconds": building,
        "loaded_images_per_second": settings.batches * batch_size / loading,
        "cached_images_per_second": settings.batches * batch_size / again,
        "memory_at_start": start,
        "memory_with_loader": with_loader,
        "edit_sampler": measure_sampler(loader, pack.attribute_names),
        "trained_images_per_second": training_rate(preset, loader, settings.iterations),
    }


def training_rate(config: RunConfig, loader: Loader, iterations: int) -> float:
    """Images of preset `tiny` that are trained on in a second."""
    objective = recipe_of(config).build_objective(config, CPU, None)

    def iterate(number: int) -> None:
        objective.update(loader.batch(number), loader, number)

    iterate(0)
    return iterations * config.train.batch_size / seconds_of_batches(iterate, iterations)


def measure_sampler(loader: Loader, names: Sequence[str]) -> dict[str, float]:
    """What recipe `modern` does with all labels: weigh the faces, and sample edits."""
    labels = loader.labels_on_cpu(loader.rows)
    exclusion = torch.from_numpy(exclusion_matrix(names)).float()
    before = memory()["anonymous_mib"]
    weighing, sampler = timed(lambda: EditSampler(labels, exclusion, torch.ones(len(names))))
    generator = torch.Generator().manual_seed(0)
    sampling = seconds_of_batches(lambda _: sampler.sample(32, 16, generator), 100)
    return {
        "seconds": weighing,
        "milliseconds_per_48_faces": 10 * sampling,
        "kept_mib": memory()["anonymous_mib"] - before,
        "peak_mib_of_process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def seconds_of_batches(work: Callable[[int], Any], count: int) -> float:
    """Processor time of so many calls with 1, 2, ..., whose results are dropped."""
    started = time.process_time()
    for number in range(1, count + 1):
        work(number)
    return time.process_time() - started


def measure_packing(folder: Path, count: int, size: int) -> dict[str, Any]:
    """Render drawn faces and pack them in one process."""
    source = render_folder(folder / f"faces{count}", count=count, size=size, workers=1)
    engine = Engine(workers=1, shard_faces=1000)
    seconds, _ = timed(
        lambda: pack_source(source, folder / f"pack{count}", size=size, engine=engine)
    )
    return {"count": count, "packed_images_per_second": count / seconds}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time of this process, and what the work returns."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def memory() -> dict[str, float]:
    """Memory of this process in MiB: its own, and mapped files, which the system may take back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return {
        "anonymous_mib": int(kib["RssAnon"]) / 1024,
        "mapped_mib": int(kib["RssFile"]) / 1024,
    }


def in_fresh_process(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something in a fork of this process, so that memory of earlier work does not count."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            with os.fdopen(writing, "w") as file:
                json.dump(work(), file)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        content = file.read()
    os.waitpid(child, 0)
    row: dict[str, Any] = json.loads(content)
    return row


if __name__ == "__main__":
    sys.exit(main())

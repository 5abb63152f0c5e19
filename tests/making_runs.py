"""Tiny packs, recipes and runs for the tests of everything that trains or loads a model."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import DataConfig, RunConfig, TrainConfig
from twobirds.data.pack import ARRAYS, FORMAT, Pack, hash_file, open_pack, seal_header
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.runtime import Runtime
from twobirds.training.run import train_run

ATTRIBUTES = ("Bald", "Bangs", "Black_Hair", "Blond_Hair", "Eyeglasses", "Male", "Smiling")
LANDMARKS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
CPU = Runtime(torch.device("cpu"))
RECIPE = PaperConfig(
    width=1 / 16,
    num_latents=8,
    num_shared=16,
    num_attribute_hidden=8,
    stage1_share=0.5,  # stage 2 begins with iteration 5, inside a window
    ema_half_life_images=8,
    balance_ratio=1.05,  # so that extra updates really happen
)
TRAIN = TrainConfig(
    batch_size=4,
    images=36,  # nine iterations
    log_every_images=12,  # windows of three iterations
    sample_every_images=16,
    checkpoint_every_seconds=1e9,
)


def write_pack(
    folder: Path,
    *,
    count: int = 24,
    size: int = 32,
    seed: int = 0,
    attributes: tuple[str, ...] = ATTRIBUTES,
    num_held_out: int = 4,
    faces_per_person: int = 1,
) -> Pack:
    """A pack of random pixels and labels; the last rows are the valid split."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (count, len(attributes)), np.uint8)
    split = np.zeros(count, np.uint8)
    split[count - num_held_out :] = 1
    np.save(folder / "images.npy", rng.integers(0, 256, (count, size, size, 3), np.uint8))
    np.save(folder / "attributes.npy", labels)
    np.save(folder / "split.npy", split)
    np.save(folder / "identity.npy", np.arange(count, dtype=np.int64) // faces_per_person)
    header: dict[str, Any] = {
        "format": FORMAT,
        "size": size,
        "count": count,
        "attributes": list(attributes),
        "landmarks": LANDMARKS,
        "drawn": None,
        "names": [f"{i:06d}.png" for i in range(count)],
        "sha256": {name: hash_file(folder / name) for name in ARRAYS},
    }
    seal_header(header)
    (folder / "pack.json").write_text(json.dumps(header))
    return open_pack(folder)


def changed(config: RunConfig, **changes: Any) -> RunConfig:
    """A run with some settings changed, of whichever section has them."""
    for section in ("recipe", "data", "train"):
        values = getattr(config, section)
        own = {f.name for f in dataclasses.fields(values)} & set(changes)
        values = dataclasses.replace(values, **{name: changes.pop(name) for name in own})
        config = dataclasses.replace(config, **{section: values})
    assert not changes, f"no such settings: {changes}"
    return config


def recipe(**changes: Any) -> RunConfig:
    """The tiny run of recipe `paper` with some settings changed."""
    return changed(RunConfig("test", RECIPE, DataConfig(size=32), TRAIN), **changes)


def still_recipe() -> RunConfig:
    """The tiny recipe with steps too small to change a weight.

    So nothing amplifies the rounding of sums, and Adam's moments show the gradients of all
    iterations at the same weights.
    """
    return recipe(learning_rate=1e-12)


def trained_run(run: Path, pack: Pack, config: RunConfig, **options: Any) -> Path:
    """Train a run on one thread, so that sums are taken in one order; options of `train_run`."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train_run(config, pack, run, CPU, **options)
    finally:
        torch.set_num_threads(num_threads)
    return run


def import_optimizers() -> None:
    """Make PyTorch import what its optimizers need: seconds that no forked process spends again."""
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).zero_grad()


def run_state(run: Path) -> dict[str, Any]:
    """What a run's checkpoint holds, less the time that the training took."""
    state = load_run(run / CHECKPOINT_FILE)[1]
    state.pop("training_seconds")
    return state


def logged(run: Path) -> list[dict[str, float]]:
    """The lines of a run's metrics, less the rate."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        assert line.pop("images_per_second") > 0
    return lines


def differences(first: Any, second: Any, where: str = "") -> list[str]:
    """Places at which two nested states differ in any bit."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        same = first.dtype == second.dtype and torch.equal(first, second)
        return [] if same else [where]
    if isinstance(first, dict) and isinstance(second, dict):
        found = [] if list(first) == list(second) else [f"{where}: names"]
        for key in first.keys() & second.keys():
            found += differences(first[key], second[key], f"{where}.{key}")
        return found
    return [] if type(first) is type(second) and first == second else [where]


def modern_recipe(**changes: Any) -> RunConfig:
    """The tiny run of recipe `modern`: five iterations of eight faces, D alone in the first."""
    train = dataclasses.replace(TRAIN, batch_size=8, images=40)
    settings = ModernConfig(
        width=1 / 8,
        num_latents=8,
        discriminator_lead_images=8,
        ramp_images=8,
        ema_half_life_images=8,
    )
    return changed(RunConfig("modern", settings, DataConfig(size=32), train), **changes)


def report_on(weights_sha256: str) -> dict[str, Any]:
    """A report of `evaluate` about a model, as short as its card takes it."""
    return {
        "model": {"weights_sha256": weights_sha256},
        "data": {"count": 1_013, "split": "test"},
        "recognition": {"hamming_loss": 0.12345},
    }

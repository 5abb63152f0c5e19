"""Preset modern less one part each, all at the same budget.

Usage: `python benchmarks/ablation.py PACK FOLDER --images 60000 --embedder FILE.onnx
--out benchmarks/results/NAME.json`. The models lie in FOLDER, and a stopped call goes on there. All
are judged on the valid split by one judge, which takes no part in their training.
"""

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import tyro

from hardware import write_results
from twobirds import FaceModel
from twobirds.apps.options import Device, TrainingPrecision
from twobirds.config import RunConfig
from twobirds.data.pack import open_pack
from twobirds.evaluation.evaluate import evaluate
from twobirds.evaluation.headline import figure_at
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.machine import describe_machine
from twobirds.recipes.modern.presets import MODERN
from twobirds.reproduction.jobs import Jobs
from twobirds.runtime import Runtime, pick_device
from twobirds.training.run import train_run

PARTS = {
    "D": ("adversarial_weight",),
    "classifier": ("label_weight", "kept_label_weight"),
    "prototypes": ("prototype_weight",),
    "mean features": ("mean_weight",),
    "penalty on casts": ("colour_cast_weight",),
    "regularization": ("regularization_weight",),
    "reconstruction": ("perceptual_weight", "pixel_weight"),
    "latents of generated faces": ("latent_weight",),
    "prior": ("prior_weight",),
}
"""What is left out: the settings that are 0 then."""
FIGURES = {
    "Hamming": "recognition.hamming_loss",
    "latent-only PSNR": "reconstruction.psnr_db",
    "latent-only same person": "reconstruction.identity.same_person_rate",
    "edit success": "editing.attgan.success_rate",
    "floor": "editing.attgan.floor_rate",
    "six edits at once": "editing.attgan.several.6.success_rate",
    "drift": "editing.drift",
    "drift from source": "editing.drift_from_source",
    "same person": "editing.identity.same_person_rate",
    "Fréchet": "generation.frechet_distance",
}
"""Columns of the table, and where the report has them."""


@dataclass(frozen=True)
class Settings:
    """What to train and measure."""

    pack: tyro.conf.Positional[Path]
    """Faces of the size to train at."""
    folder: tyro.conf.Positional[Path]
    """Gets a run for each variant, and the judge."""
    images: int = 60_000
    """Real images shown to each variant."""
    batch_size: int = MODERN.train.batch_size
    """Real images in an iteration."""
    variants: tuple[str, ...] = ()
    """Which; all by default."""
    embedder: Path | None = None
    """ONNX file of a face embedder."""
    width: float = 1.0
    """Factor on the numbers of channels."""
    faces_per_edit: int = 60
    """Most faces for each attribute and direction."""
    num_fakes: int = 2_000
    """Faces to generate for the Fréchet distance."""
    judge_images: int = 80_000
    """Training images shown to the judge."""
    jobs: int = 1
    """Variants to train at a time."""
    seed: int = 0
    """Of everything random."""
    device: Device = "auto"
    precision: TrainingPrecision = "auto"
    out: Path | None = None
    """Where the table goes, as JSON."""


def variants(settings: Settings, size: int) -> dict[str, RunConfig]:
    """The preset for faces of `size` pixels, whole and with each part left out."""
    train = dataclasses.replace(
        MODERN.train,
        images=settings.images,
        batch_size=settings.batch_size,
        seed=settings.seed,
        sample_every_images=max(1, settings.images // 4),
    )
    data = dataclasses.replace(MODERN.data, size=size)
    changes: dict[str, dict[str, Any]] = {"modern": {}} | {
        f"without {part}": dict.fromkeys(names, 0.0) for part, names in PARTS.items()
    }
    return {
        name: RunConfig("modern", _recipe(width=settings.width, **weights), data, train)
        for name, weights in changes.items()
    }


def _recipe(**changes: Any) -> Any:
    recipe: Any = MODERN.recipe
    return dataclasses.replace(recipe, **changes)


def run_name(variant: str) -> str:
    """The folder of a variant."""
    letters = (c if c.isalnum() else "-" for c in variant)
    return "".join(letters).strip("-").replace("--", "-")


def train_variant(settings: Settings, name: str) -> bool:
    """Train one; returns whether it is complete."""
    runtime = Runtime(pick_device(settings.device), precision=settings.precision)
    run = settings.folder / run_name(name)
    pack = open_pack(settings.pack)
    shows = settings.jobs == 1
    return train_run(
        variants(settings, pack.size)[name], pack, run, runtime, resume=True, shows_progress=shows
    )


def measure(settings: Settings, name: str) -> dict[str, Any]:
    """The figures of one, on the valid split."""
    model = FaceModel.load(settings.folder / run_name(name), device=settings.device)
    config = EvaluationConfig(
        split="valid",
        seed=settings.seed,
        num_fakes=settings.num_fakes,
        faces_per_edit=settings.faces_per_edit,
        judge_images=settings.judge_images,
    )
    report = evaluate(
        model,
        open_pack(settings.pack),
        config,
        judge_path=settings.folder / "judge.safetensors",
        embedder_path=settings.embedder,
    )
    return {"variant": name} | {title: figure_at(report, path) for title, path in FIGURES.items()}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    header = ["variant", *FIGURES]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        values = (row[title] for title in FIGURES)
        lines.append([row["variant"], *("" if v is None else f"{v:.3g}" for v in values)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, print the table; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    names = list(settings.variants or variants(settings, open_pack(settings.pack).size))
    if settings.jobs > 1:
        if not Jobs(partial(train_variant, settings), settings.jobs, print).run(names, {}):
            return 4
    elif not all(train_variant(settings, name) for name in names):
        return 4
    rows = [measure(settings, name) for name in names]
    print(table(rows))
    facts = dataclasses.asdict(settings) | {"pack": open_pack(settings.pack).sha256}
    hidden = ("folder", "out", "embedder")
    results = {
        "benchmark": "ablation",
        "hardware": describe_machine(torch.device(pick_device(settings.device))),
        "settings": {key: value for key, value in facts.items() if key not in hidden},
        "rows": rows,
    }
    write_results(settings.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())

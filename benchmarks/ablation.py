"""Preset modern, and without one part of its editing losses and one of its generation losses.

Usage: `python benchmarks/ablation.py PACK FOLDER --images 60000 --embedder FILE.onnx
--out benchmarks/results/NAME.json`. The models lie in FOLDER, and a stopped call goes on there. All
are judged on the valid split by two judges, which take no part in their training.
"""

import dataclasses
import itertools
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

EDITING: dict[str, tuple[str, ...]] = {
    "D": ("adversarial_weight",),
    "the classifier": ("label_weight", "kept_label_weight"),
    "kept labels": ("kept_label_weight",),
    "prototypes": ("prototype_weight",),
    "mean features": ("mean_weight",),
    "the penalty on casts": ("colour_cast_weight",),
    "regularization": ("regularization_weight",),
}
"""Parts of the game of edits, and the settings that are 0 without them."""
GENERATION: dict[str, tuple[str, ...]] = {
    "D": ("face_adversarial_weight",),
    "the classifier": ("face_label_weight",),
    "reconstruction": ("perceptual_weight", "pixel_weight"),
    "the perceptual loss": ("perceptual_weight",),
    "latents of generated faces": ("latent_weight",),
    "the prior": ("prior_weight",),
}
"""The same of the game of generated faces. The two games share no weights that learn, and the
recognizer learns from neither: so a run leaves out a part of each."""
EDITING_FIGURES = {
    "realism, AUC": "editing.realism.auc",
    "edit success": "editing.attgan.success_rate",
    "second judge": "editing.second_judge.success_rate",
    "six at once": "editing.attgan.several.6.success_rate",
    "drift from source": "editing.drift_from_source",
    "same person": "editing.identity.same_person_rate",
}
"""Columns of the table of edits, and where the report has them."""
GENERATION_FIGURES = {
    "latent-only PSNR": "reconstruction.psnr_db",
    "same person": "reconstruction.identity.same_person_rate",
    "Fréchet": "generation.frechet_distance",
    "attributes seen": "generation.attribute_balanced_accuracy",
}
"""Columns of the table of generated faces."""
_LEAD_SHARE = 0.2  # of a run that is too short for the preset's: D's lead, and the ramp after it
_WHOLE = "modern"


@dataclass(frozen=True)
class Settings:
    """What to train and measure."""

    pack: tyro.conf.Positional[Path]
    """Faces of the size to train at."""
    folder: tyro.conf.Positional[Path]
    """Gets a run for each variant, and the judges."""
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
    second_judge_images: int = 20_000
    """Training images shown to the second judge."""
    jobs: int = 1
    """Variants to train at a time."""
    seed: int = 0
    """Of everything random."""
    device: Device = "auto"
    precision: TrainingPrecision = "auto"
    out: Path | None = None
    """Where the table goes, as JSON."""


def variants(settings: Settings, size: int) -> dict[str, RunConfig]:
    """The preset for faces of `size` pixels, whole and with a part of each game left out."""
    train = dataclasses.replace(
        MODERN.train,
        images=settings.images,
        batch_size=settings.batch_size,
        seed=settings.seed,
        sample_every_images=max(1, settings.images // 4),
    )
    data = dataclasses.replace(MODERN.data, size=size)
    recipe: Any = MODERN.recipe
    longest = round(_LEAD_SHARE * settings.images)
    shared = {
        "width": settings.width,
        "discriminator_lead_images": min(recipe.discriminator_lead_images, longest),
        "ramp_images": min(recipe.ramp_images, longest),
    }
    changes: dict[str, dict[str, Any]] = {_WHOLE: {}}
    for edits, faces in itertools.zip_longest(EDITING, GENERATION):
        left_out = (*EDITING.get(edits, ()), *GENERATION.get(faces, ()))
        changes[variant_name(edits, faces)] = dict.fromkeys(left_out, 0.0)
    return {
        name: RunConfig(_WHOLE, dataclasses.replace(recipe, **shared, **weights), data, train)
        for name, weights in changes.items()
    }


def variant_name(edits: str | None, faces: str | None) -> str:
    """What is left out of the game of edits, and of that of generated faces."""
    return f"{edits or 'nothing'}, {faces or 'nothing'}"


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
        second_judge_images=settings.second_judge_images,
    )
    report = evaluate(
        model,
        open_pack(settings.pack),
        config,
        judge_path=settings.folder / "judge.safetensors",
        second_judge_path=settings.folder / "second-judge.safetensors",
        embedder_path=settings.embedder,
    )
    paths = [*EDITING_FIGURES.values(), *GENERATION_FIGURES.values()]
    return {"variant": name} | {path: figure_at(report, path) for path in paths}


def table(rows: Sequence[dict[str, Any]], game: int, figures: dict[str, str]) -> str:
    """The rows of one game (0 edits, 1 generated faces) as Markdown, whole recipe first."""
    lines = [["without", *figures], ["---"] * (1 + len(figures))]
    for row in rows:
        whole = row["variant"] == _WHOLE
        part = "nothing" if whole else row["variant"].split(", ")[game]
        if whole or part != "nothing":
            values = (row[path] for path in figures.values())
            lines.append([part, *("" if v is None else f"{v:.3g}" for v in values)])
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
    print(table(rows, 0, EDITING_FIGURES), table(rows, 1, GENERATION_FIGURES), sep="\n\n")
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

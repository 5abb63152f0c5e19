"""Train every model of the paper's experiments, measure, and write one report."""

import importlib.metadata
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from twobirds import __version__
from twobirds.atomic import read_json, write_json, write_text
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import to_dict
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.evaluate import choose_rows, round_figures
from twobirds.evaluation.faces import Progress
from twobirds.machine import describe_machine
from twobirds.reproduction.document import to_html, to_markdown
from twobirds.reproduction.generation import measure_generation
from twobirds.reproduction.pictures import make_pictures
from twobirds.reproduction.plan import OURS, Budget, recipe
from twobirds.reproduction.recognition import measure_recognition
from twobirds.reproduction.report import Reproduction, to_document, to_json
from twobirds.reproduction.settings import measure_settings
from twobirds.reproduction.study import Study, evaluation_config, open_study
from twobirds.reproduction.timing import measure_times
from twobirds.reproduction.trainings import Announce, Trainings
from twobirds.reproduction.transformation import measure_transformation
from twobirds.reproduction.verdicts import Results, judge_claims
from twobirds.runtime import Runtime

MODELS_FOLDER, FIGURES_FOLDER = "models", "figures"
REPORT = "report"
PLAN_FILE = "plan.json"


def reproduce(
    pack: Pack,
    out: Path,
    budget: Budget,
    runtime: Runtime,
    *,
    seed: int,
    announce: Announce,
    num_jobs: int = 1,
    embedder_path: Path | None = None,
    progress: Progress | None = None,
) -> bool:
    """Run the paper's experiments on a pack; the same call goes on where one was stopped.

    Args:
        pack: The faces, at 32, 64 or 128 pixels.
        out: Folder for the models, the figures and `report.html`, `report.md`, `report.json`, and
            `report-without-figures.md`.
        budget: How much to train and measure.
        runtime: The device; one process.
        seed: Of everything random.
        announce: Called with a line for each training and for the measurements.
        num_jobs: Models to train at a time, each with its share of the cores.
        embedder_path: ONNX file of a face embedder; None does without identity.
        progress: Called with the name of a measurement, how much is done, and of how much.

    Returns:
        Whether the report was written; not if a signal stopped a training.

    Raises:
        InputError: If the pack, the embedder or what lies in `out` is unfit; before any training.
        DivergenceError: If a training leaves the finite numbers.
    """
    # What could fail after hours of training fails here.
    embedder = None if embedder_path is None else Embedder(embedder_path)
    choose_rows(pack, evaluation_config(budget, seed))
    recipe(OURS, budget, size=pack.size, seed=seed)
    trainings = Trainings(out / MODELS_FOLDER, pack, budget, runtime, seed, announce, num_jobs)
    _require_same_plan(out / PLAN_FILE, trainings)
    if not trainings.train_all():
        return False
    announce("measuring")
    study = open_study(trainings, embedder, progress)
    results = Results(
        recognition=measure_recognition(study),
        settings=measure_settings(study),
        transformation=measure_transformation(study),
        generation=measure_generation(study),
    )
    reproduction = Reproduction(
        facts=gather_facts(study),
        results=results,
        times=measure_times(study),
        claims=judge_claims(results, study.absent),
        pictures=make_pictures(study, results.recognition, results.settings, out / FIGURES_FOLDER),
        absent=study.absent,
    )
    _write(reproduction, out)
    return True


def _write(reproduction: Reproduction, out: Path) -> None:
    document = to_document(reproduction)
    write_text(out / f"{REPORT}.html", to_html(document))
    write_text(out / f"{REPORT}.md", to_markdown(document, folder=out))
    # For where faces of real people may not be shown.
    write_text(out / f"{REPORT}-without-figures.md", to_markdown(document, folder=None))
    write_json(out / f"{REPORT}.json", round_figures(to_json(reproduction)))


def _require_same_plan(path: Path, trainings: Trainings) -> None:
    """Note what a folder's models are made of, and refuse to mix them with others."""
    plan = {
        "pack_sha256": trainings.pack.sha256,
        "seed": trainings.seed,
        "budget": asdict(trainings.budget),
        "precision": trainings.precision,
        "num_jobs": trainings.num_jobs,
    }
    if not path.exists():
        write_json(path, plan)
        return
    if read_json(path) != plan:
        raise InputError(
            f"{path.parent} holds a reproduction with another pack, seed, budget, precision "
            "or number of jobs: choose another --out, or repeat the command that it was begun with"
        )


def gather_facts(study: Study) -> dict[str, Any]:
    """Configuration, seeds, hashes, hardware and budget."""
    trainings, pack = study.trainings, study.trainings.pack
    models = {}
    for name in trainings.names():
        config, state = load_run(trainings.run(name) / CHECKPOINT_FILE)
        images = int(state["iteration"]) * config.train.batch_size
        models[name] = {"images": images, "config": _without_names(to_dict(config))}
    return {
        "size": pack.size,
        "seed": study.seed,
        "data": {
            "pack_sha256": pack.sha256,
            "drawn": pack.drawn is not None,
            "num_train": len(pack.rows("train")),
            "num_test": len(study.faces),
            "num_people": _num_people(study.people),
        },
        "budget": asdict(trainings.budget),
        "precision": trainings.precision,
        "num_jobs": trainings.num_jobs,
        "judge": {
            "sha256": study.judge.sha256,
            "images": study.judge.metadata.images,
            "seed": study.judge.metadata.seed,
            "hamming_loss": float(((study.real_logits > 0) != study.faces.attributes).mean()),
        },
        "embedder": study.calibration or {},
        "weights_sha256": study.ours.weights_sha256,
        "hardware": describe_machine(trainings.runtime.device),
        "versions": {
            "twobirds": __version__,
            "scikit-learn": importlib.metadata.version("scikit-learn"),
        },
        "models": models,
    }


def _num_people(people: np.ndarray) -> int | None:
    """How many are known on the faces; None if nobody is."""
    return len(np.unique(people[people >= 0])) or None


def _without_names(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without the names of the attributes, which are the same for all."""
    data = {key: value for key, value in config["data"].items() if key != "attributes"}
    return {**config, "data": data}

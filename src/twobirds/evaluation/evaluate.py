"""Everything that is measured about a model, as one dictionary ready for JSON."""

import importlib.metadata
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from twobirds import __version__
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.editing_section import measure_editing, plan_editing
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.face_pass import EditingPlan, JudgedFaces, pass_faces
from twobirds.evaluation.faces import EvaluatedModel, Progress, load_faces
from twobirds.evaluation.identity_judge import calibrate_identity_judge
from twobirds.evaluation.open_judges import open_judges
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.evaluation.real_faces import load_real_faces
from twobirds.evaluation.realism_section import (
    measure_prototype,
    measure_realism,
    measure_second_judge,
)
from twobirds.evaluation.run import Evaluation
from twobirds.evaluation.sections import (
    describe_judge,
    measure_generation,
    measure_recognition,
    measure_reconstruction,
)

_DEFAULT = EvaluationConfig()
_PACKAGES = ("torch", "numpy", "onnxruntime", "scikit-learn", "torchmetrics")
_SIGNIFICANT_DIGITS = 5
_MIN_FACES = 4


def evaluate(
    model: EvaluatedModel,
    pack: Pack,
    config: EvaluationConfig = _DEFAULT,
    *,
    judge_path: Path | None = None,
    second_judge_path: Path | None = None,
    embedder_path: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a model on a split of a pack.

    Args:
        model: What to evaluate.
        pack: Faces with the model's attributes; its train split feeds judge and baselines.
        config: Split, seed, and how much to measure.
        judge_path: File of the judge; trained there first if absent. None does without.
        second_judge_path: File of the second judge; trained there first if absent. None does
            without; it needs the judge, too.
        embedder_path: ONNX file of a face embedder. None does without.
        progress: Called with the name of the step, how much of it is done, and of how much.

    Returns:
        The report; what could not be had is left out, with a sentence under `absent`.

    Raises:
        InputError: If pack, split, judge or embedder are unfit; found before anything is measured.
    """
    faces = load_faces(pack, choose_rows(pack, config), model)
    run = Evaluation(model, pack, faces, config, progress)
    embedder = None if embedder_path is None else Embedder(embedder_path)
    judges = None
    if judge_path is not None:
        judges = open_judges(run, judge_path, second_judge_path)
    identity_judge, calibration = calibrate_identity_judge(run, embedder)
    plan = None if judges is None else plan_editing(run, judges, identity_judge)
    passed = pass_faces(model, faces, plan, progress)
    report = _describe(run)
    report["recognition"] = measure_recognition(run, passed.probabilities)
    report["reconstruction"] = measure_reconstruction(
        run, passed.reconstructed, passed.unedited, identity_judge
    )
    report |= _measure_judged(run, plan, passed.judged)
    if calibration is not None:
        report["identity_calibration"] = calibration
    rounded = round_figures({**report, "absent": run.absent})
    assert isinstance(rounded, dict)
    return rounded


def _measure_judged(
    run: Evaluation, plan: EditingPlan | None, judged: JudgedFaces | None
) -> dict[str, Any]:
    """The sections for which a judge is needed."""
    if plan is None or judged is None:
        unjudged = ("editing", "generation", "judge")
        run.absent |= dict.fromkeys(unjudged, "no file for a judge was named")
        return {}
    editing = measure_editing(run, plan, judged)
    if plan.judges.feature_network is not None:
        real_faces = load_real_faces(run, plan.judges)
        editing |= measure_realism(run, judged, real_faces)
        editing |= measure_second_judge(run, plan.judges, judged)
        if run.config.compares_prototype:
            editing |= measure_prototype(run, plan.judges, judged, real_faces)
    return {
        "editing": editing,
        "generation": measure_generation(run, plan.judges, judged.real),
        "judge": describe_judge(run, plan.judges.judge, judged.real.logits),
    }


def choose_rows(pack: Pack, config: EvaluationConfig) -> np.ndarray:
    """Rows of the split, or the chosen number of them at random, in the pack's order, `[N]` int64.

    Raises:
        InputError: If there are too few.
    """
    rows = pack.rows(config.split)
    if len(rows) < _MIN_FACES:
        raise InputError(
            f"{pack.path} has {len(rows)} faces in split {config.split}, too few to evaluate on: "
            "choose another split"
        )
    order = np.random.default_rng(config.seed).permutation(rows)
    return np.sort(order[: config.max_faces])


def round_figures(value: Any) -> Any:
    """Round every float in nested dicts and lists to five significant digits."""
    if isinstance(value, dict):
        return {key: round_figures(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_figures(item) for item in value]
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def _describe(run: Evaluation) -> dict[str, Any]:
    """What was evaluated on what, with which versions."""
    model, pack, config = run.model, run.pack, run.config
    return {
        "model": {
            "name": model.name,
            "preset": model.config.preset,
            "size": model.size,
            "weights_sha256": model.weights_sha256,
            "pack_sha256": model.pack_sha256,  # of its training; None where that is not known
        },
        "data": {
            "pack_sha256": pack.sha256,
            "split": config.split,
            "count": len(run.faces),
            "drawn": pack.drawn is not None,
        },
        "seed": config.seed,
        "config": asdict(config),
        "versions": {
            "python": platform.python_version(),
            "twobirds": __version__,
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    }

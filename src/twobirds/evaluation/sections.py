"""The sections of the report on recognition, reconstruction, generation and the judge."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twobirds.evaluation.faces import batches
from twobirds.evaluation.generation import generate_batches, score_generation
from twobirds.evaluation.identity import identity_scores
from twobirds.evaluation.identity_judge import IdentityJudge
from twobirds.evaluation.judge import Judge
from twobirds.evaluation.judges import Judges, Predictions
from twobirds.evaluation.memorization import score_memorization
from twobirds.evaluation.recognition import score_recognition
from twobirds.evaluation.reconstruction import Baselines, psnr_db, ssim
from twobirds.evaluation.run import Evaluation

_NOT_VARIED = "no attribute has both values on these faces"
_BASELINE_FACES = 2_000  # training faces behind the mean face and the principal components


def measure_recognition(
    run: Evaluation, probabilities: np.ndarray, *, name: str = "recognition"
) -> dict[str, Any]:
    """The section `name` from probabilities `[N, K]` predicted for the real faces."""
    section = score_recognition(
        probabilities, run.faces.attributes, run.majority(), run.model.attributes
    )
    means = ("balanced_accuracy", "mean_average_precision")
    run.note_missing(name, section, dict.fromkeys(means, _NOT_VARIED))
    return section


def measure_reconstruction(
    run: Evaluation,
    reconstructed: np.ndarray,
    unedited: np.ndarray,
    identity_judge: IdentityJudge | None,
) -> dict[str, Any]:
    """The `reconstruction` section.

    Args:
        run: The evaluation.
        reconstructed: `[N, S, S, 3]` uint8, the real faces from their latents alone.
        unedited: `[N, S, S, 3]` uint8, edits that change nothing.
        identity_judge: Who tells whether it is the same person.
    """
    section = {"data_range": 255, **_compare(run, reconstructed, identity_judge)}
    train_rows = run.sample_train_rows(_BASELINE_FACES)
    if len(train_rows) > 1:
        baselines = Baselines(run.load_images(train_rows))
        section["baselines_psnr_db"] = baselines.psnr_db(run.faces.images)
    else:
        run.absent["reconstruction.baselines_psnr_db"] = "no training faces but those evaluated on"
    if (unedited != reconstructed).any():
        section["edit_path"] = _compare(run, unedited, identity_judge)
    return section


def _compare(
    run: Evaluation, outputs: np.ndarray, identity_judge: IdentityJudge | None
) -> dict[str, Any]:
    """How close outputs `[N, S, S, 3]` uint8 are to the real faces."""
    section: dict[str, Any] = {
        "psnr_db": float(psnr_db(outputs, run.faces.images).mean()),
        "ssim": float(ssim(outputs, run.faces.images).mean()),
    }
    if identity_judge is not None:
        distances = identity_judge.distances(outputs, np.arange(len(outputs)))
        section["identity"] = identity_scores(distances, identity_judge.calibration)
    return section


def measure_generation(run: Evaluation, judges: Judges, real: Predictions) -> dict[str, Any]:
    """The `generation` section; asks for attribute rows that occur in the split.

    Args:
        run: The evaluation.
        judges: Who judges; the train split and the generated faces pass through them once.
        real: Of the judges on the real faces.
    """
    seed, count = run.config.seed, run.config.num_fakes
    picks = np.random.default_rng(seed).integers(len(run.faces), size=count)
    asked = run.faces.attributes[picks]
    fakes = judges.predict_all(generate_batches(run.model, asked, seed=seed, progress=run.progress))
    train_features = None
    if len(run.train_rows) > 1:
        train_features = judges.predict_all(_train_batches(run)).features
        floor_rows = np.searchsorted(run.train_rows, run.sample_train_rows(count))
        floor_features = train_features[floor_rows]
    else:
        run.absent["generation.real_floor"] = "no training faces but those evaluated on"
        floor_features = None
    section = score_generation(
        (fakes.logits, fakes.features),
        asked,
        real.features,
        floor_features,
        feature_name=judges.judge.feature_name,
    )
    if train_features is not None:
        section["memorization"] = score_memorization(fakes.features, real.features, train_features)
    reasons = {
        "attribute_balanced_accuracy": "no attribute was asked for with both values",
        "diversity": "the real faces are all identical",
        "memorization": "no training faces but those evaluated on",
    }
    run.note_missing("generation", section, reasons)
    return section


def _train_batches(run: Evaluation) -> Iterator[Tensor]:
    """The train split, `[B, S, S, 3]` uint8 at a time."""
    for rows in batches(run.train_rows):
        yield torch.from_numpy(run.load_images(rows))


def describe_judge(run: Evaluation, judge: Judge, real_logits: np.ndarray) -> dict[str, Any]:
    """Who judges, and how well it classifies the real faces: the ceiling of what it can say."""
    probabilities = 1 / (1 + np.exp(-real_logits.astype(np.float64)))
    scores = measure_recognition(run, probabilities, name="judge")
    facts = {"seed": judge.metadata.seed, "images": judge.metadata.images}
    return {"sha256": judge.sha256, **facts, **scores}

"""The `editing` section of the report: what a list of edits adds up to."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from twobirds.evaluation.bootstrap import interval, resampled_means
from twobirds.evaluation.editing import Edit, EditingStudy
from twobirds.evaluation.identity import identity_scores

MIN_SUPPORT = 10
"""Edits of fewer faces do not count in the means."""
DIRECTIONS = {1: "add", 0: "remove"}
TRUTH_FIGURES = ("counterfactual_psnr_db", "reconstruction_psnr_db", "unedited_psnr_db")
"""What is measured against the true answers to edits of drawn faces."""


def score_edits(study: EditingStudy, edits: Sequence[Edit]) -> dict[str, Any]:
    """Reduce edits to rates, with 95 % intervals over faces.

    Args:
        study: What they were made with.
        edits: Of every attribute, in both directions.

    Returns:
        The section, without what could not be had. Rates are means over attributes and directions
        with `MIN_SUPPORT` faces; `num_edits` says how many those are. The ceiling of an edit is how
        often the judge reads the target on real faces that have it.
    """
    resampled = _resampled_success(study, edits)
    counted = [i for i, edit in enumerate(edits) if len(edit.positions) >= MIN_SUPPORT]
    accuracy = (study.real_logits > 0) == study.faces.attributes
    section: dict[str, Any] = {
        "ceiling_accuracy": float(accuracy.mean()),
        "num_edits": len(counted),
    }
    if counted:
        section |= _mean_rates(study, [edits[i] for i in counted])
        section["success_interval"] = interval(np.nanmean(resampled[:, counted], axis=1))
    distances = np.concatenate([edit.distances for edit in edits])
    if study.identity_judge is not None:
        section["identity"] = identity_scores(distances, study.identity_judge.calibration)
    section["per_attribute"] = _per_attribute(study, edits, resampled)
    return section


def score_truth(edits: Sequence[Edit]) -> dict[str, float]:
    """Counterfactual PSNR in decibels on drawn faces, beside what doing nothing gets.

    Empty if no edit has a true answer.
    """
    drawn = [edit.truth_psnr_db for edit in edits if len(edit.truth_psnr_db)]
    if not drawn:
        return {}
    means = np.stack([ratios.mean(axis=0) for ratios in drawn])  # [number of edits, 3]
    return dict(zip(TRUTH_FIGURES, means.mean(axis=0).tolist(), strict=True))


def score_some(study: EditingStudy, edits: Sequence[Edit], names: Sequence[str]) -> dict[str, Any]:
    """Rates over the edits of some attributes only."""
    columns = [study.model.attributes.index(name) for name in names]
    chosen = [e for e in edits if e.attribute in columns and len(e.positions) >= MIN_SUPPORT]
    return {"attributes": list(names), **(_mean_rates(study, chosen) if chosen else {})}


def ceiling(study: EditingStudy, attribute: int, target: int) -> float | None:
    """How often the judge reads `target` on real faces that have it; None if none has."""
    rate = float(study.ceilings()[attribute, target])
    return None if math.isnan(rate) else rate


def _mean_rates(study: EditingStudy, edits: Sequence[Edit]) -> dict[str, float]:
    """Means over edits, each edit counting alike; those that no edit has are left out."""
    values: dict[str, list[float | None]] = {
        "success_rate": [float(edit.success.mean()) for edit in edits],
        "floor_rate": [float(edit.floor.mean()) for edit in edits],
        "ceiling_rate": [ceiling(study, edit.attribute, edit.target) for edit in edits],
        "drift": [edit.drift for edit in edits],
        "drift_from_source": [edit.drift_from_source for edit in edits],
    }
    found = {name: [v for v in column if v is not None] for name, column in values.items()}
    return {name: float(np.mean(column)) for name, column in found.items() if column}


def _resampled_success(study: EditingStudy, edits: Sequence[Edit]) -> np.ndarray:
    """Success rate of each edit over resampled faces, `[R, number of edits]`."""
    values = np.full((len(study.faces), len(edits)), np.nan)
    for column, edit in enumerate(edits):
        values[edit.positions, column] = edit.success
    return resampled_means(values, seed=study.seed)


def _per_attribute(
    study: EditingStudy, edits: Sequence[Edit], resampled: np.ndarray
) -> dict[str, Any]:
    """Success, interval, floor, ceiling and drift of each attribute and direction."""
    table: dict[str, Any] = {
        name: {"support": {"add": 0, "remove": 0}} for name in study.model.attributes
    }
    for column, edit in enumerate(edits):
        row, direction = table[study.model.attributes[edit.attribute]], DIRECTIONS[edit.target]
        row["support"][direction] = len(edit.positions)
        row[direction] = float(edit.success.mean())
        row[f"{direction}_interval"] = interval(resampled[:, column])
        row[f"{direction}_floor"] = float(edit.floor.mean())
        if edit.drift is not None:
            row[f"{direction}_drift"] = edit.drift
        best = ceiling(study, edit.attribute, edit.target)
        if best is not None:
            row[f"{direction}_ceiling"] = best
    return table

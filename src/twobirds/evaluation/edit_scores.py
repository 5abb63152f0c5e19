"""The `editing` section of the report: what a list of edits adds up to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twobirds.data.attributes import excluded_by
from twobirds.evaluation.bootstrap import interval, resampled_means
from twobirds.evaluation.editing import Edit, PlannedCombination
from twobirds.evaluation.identity import Calibration, identity_scores

MIN_SUPPORT = 10
"""Edits of fewer faces do not count in the means."""
MAX_ABOVE_CEILING = 0.1
"""By how much a success rate may exceed its ceiling before it counts as a fault."""
DIRECTIONS = {1: "add", 0: "remove"}
TRUTH_FIGURES = ("counterfactual_psnr_db", "reconstruction_psnr_db", "unedited_psnr_db")
"""What is measured against the true answers to edits of drawn faces."""


@dataclass(frozen=True, eq=False)
class EditingStudy:
    """What all edits are compared with; N real faces, K attributes, one judge."""

    names: Sequence[str]
    """The K attributes."""
    attributes: np.ndarray
    """`[N, K]` 0/1, the labels."""
    real_logits: np.ndarray
    """`[N, K]`, the judge on the real faces."""
    unedited_logits: np.ndarray
    """`[N, K]`, the judge on edits that change nothing."""
    seed: int

    def ceilings(self) -> np.ndarray:
        """`[K, 2]`: how often the judge predicts each value on real faces that have it, or NaN."""
        labels, predicted = self.attributes, self.real_logits > 0
        values = [
            [_mean(predicted[labels[:, k] == v, k] == v) for v in (0, 1)]
            for k in range(labels.shape[1])
        ]
        return np.array(values)

    def success(self, edit: Edit) -> np.ndarray:
        """`[B]` bool: the judge predicts the target on the edited face."""
        success: np.ndarray = (edit.predictions.logits[:, edit.attribute] > 0) == edit.target
        return success

    def floor(self, edit: Edit) -> np.ndarray:
        """`[B]` bool: it predicts the target on the unedited output already."""
        logits = self.unedited_logits[edit.positions, edit.attribute]
        floor: np.ndarray = (logits > 0) == edit.target
        return floor

    def drift(self, edit: Edit) -> dict[str, float]:
        """Mean change of the logits of attributes that were not edited; empty without any.

        `drift_from_source` is the change from the real face, and `drift` that less the change by an
        edit of nothing.
        """
        name = self.names[edit.attribute]
        changed = [name, *(excluded_by(name) if edit.target else ())]
        others = [k for k, other in enumerate(self.names) if other not in changed]
        if not others:
            return {}
        real, unedited = self.real_logits[edit.positions], self.unedited_logits[edit.positions]
        shifts = np.abs(edit.predictions.logits - real)[:, others]  # [B, k]
        own = np.abs(unedited - real)[:, others]
        return {"drift": float((shifts - own).mean()), "drift_from_source": float(shifts.mean())}


def score_edits(
    study: EditingStudy, edits: Sequence[Edit], calibration: Calibration | None
) -> dict[str, Any]:
    """Reduce edits to rates, with 95 % intervals over faces.

    Args:
        study: What they are compared with.
        edits: Of every attribute, in both directions.
        calibration: Of the embedder; None without one.

    Returns:
        The section, without what could not be had. Rates are means over attributes and directions
        with `MIN_SUPPORT` faces; `num_edits` says how many those are. The ceiling of an edit is how
        often the judge predicts the target on real faces that have it.
    """
    resampled = _resampled_success(study, edits)
    counted = [i for i, edit in enumerate(edits) if len(edit.positions) >= MIN_SUPPORT]
    accuracy = (study.real_logits > 0) == study.attributes
    section: dict[str, Any] = {
        "ceiling_accuracy": float(accuracy.mean()),
        "num_edits": len(counted),
    }
    if counted:
        section |= _mean_rates(study, [edits[i] for i in counted])
        section["success_interval"] = interval(np.nanmean(resampled[:, counted], axis=1))
    if calibration is not None:
        distances = np.concatenate([edit.distances for edit in edits])
        section["identity"] = identity_scores(distances, calibration)
    section["above_ceiling"] = above_ceiling(study, edits)
    section["per_attribute"] = _per_attribute(study, edits, resampled)
    return section


def above_ceiling(study: EditingStudy, edits: Sequence[Edit]) -> list[str]:
    """Attributes whose edits the judge recognizes more often than real faces that have the value.

    A success rate that exceeds the ceiling by more than `MAX_ABOVE_CEILING` says that edits please
    the network rather than look like the attribute. Edits and ceilings of fewer than `MIN_SUPPORT`
    faces say nothing.
    """
    found: dict[str, None] = {}
    for edit in edits:
        num_real = int((study.attributes[:, edit.attribute] == edit.target).sum())
        best = ceiling(study, edit.attribute, edit.target)
        if best is None or min(num_real, len(edit.positions)) < MIN_SUPPORT:
            continue
        if study.success(edit).mean() - best > MAX_ABOVE_CEILING + 1e-9:  # rounding is no fault
            found[study.names[edit.attribute]] = None
    return list(found)


def score_truth(edits: Sequence[Edit]) -> dict[str, float]:
    """Counterfactual PSNR in decibels on drawn faces, beside what doing nothing gets.

    Empty if no edit has a true answer.
    """
    ratios = [edit.truth_psnr_db for edit in edits if len(edit.truth_psnr_db)]
    if not ratios:
        return {}
    means = np.stack([each.mean(axis=0) for each in ratios])  # [number of edits, 3]
    return dict(zip(TRUTH_FIGURES, means.mean(axis=0).tolist(), strict=True))


def score_some(study: EditingStudy, edits: Sequence[Edit], names: Sequence[str]) -> dict[str, Any]:
    """Rates over the edits of some attributes only."""
    columns = [study.names.index(name) for name in names]
    chosen = [e for e in edits if e.attribute in columns and len(e.positions) >= MIN_SUPPORT]
    return {"attributes": list(names), **(_mean_rates(study, chosen) if chosen else {})}


def score_combination(
    study: EditingStudy, planned: PlannedCombination, logits: Mapping[int, np.ndarray]
) -> dict[str, Any]:
    """Rates over several attributes reversed at once.

    Args:
        study: What the edits are compared with.
        planned: Which attributes of which faces.
        logits: The judge's `[K]` on each edited face, by position.

    Returns:
        `success_rate`, the share of the changes that the judge sees, and its `success_interval`;
        `all_rate`, the share of faces on which it sees all; `floor_rate` and `ceiling_rate` as for
        single edits; `support`, the number of faces. Empty without faces.
    """
    if not planned.changes:
        return {}
    ceilings = study.ceilings()
    success, floor, best = [], [], []
    for position, changes in planned.changes.items():
        columns, targets = list(changes), np.array(list(changes.values()))
        success.append((logits[position][columns] > 0) == targets)
        floor.append((study.unedited_logits[position, columns] > 0) == targets)
        best.append(ceilings[columns, targets])
    rates = np.mean(success, axis=1, keepdims=True)  # [B, 1]
    return {
        "success_rate": float(rates.mean()),
        "success_interval": interval(resampled_means(rates, seed=study.seed)[:, 0]),
        "all_rate": float(np.all(success, axis=1).mean()),
        "floor_rate": float(np.mean(floor)),
        "ceiling_rate": float(np.mean(best)),
        "support": len(success),
    }


def ceiling(study: EditingStudy, attribute: int, target: int) -> float | None:
    """How often the judge predicts `target` on real faces that have it; None if none has."""
    rate = float(study.ceilings()[attribute, target])
    return None if math.isnan(rate) else rate


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _mean_rates(study: EditingStudy, edits: Sequence[Edit]) -> dict[str, float]:
    """Means over edits, each edit with equal weight; those that no edit has are left out."""
    rows = [_rates(study, edit) for edit in edits]
    keys = ("success_rate", "floor_rate", "ceiling_rate", "drift", "drift_from_source")
    found = {key: [row[key] for row in rows if key in row] for key in keys}
    return {key: float(np.mean(values)) for key, values in found.items() if values}


def _rates(study: EditingStudy, edit: Edit) -> dict[str, float]:
    """The figures of one edit."""
    rates = {
        "success_rate": float(study.success(edit).mean()),
        "floor_rate": float(study.floor(edit).mean()),
        **study.drift(edit),
    }
    best = ceiling(study, edit.attribute, edit.target)
    return rates if best is None else {**rates, "ceiling_rate": best}


def _resampled_success(study: EditingStudy, edits: Sequence[Edit]) -> np.ndarray:
    """Success rate of each edit over resampled faces, `[R, number of edits]`."""
    values = np.full((len(study.attributes), len(edits)), np.nan)
    for column, edit in enumerate(edits):
        values[edit.positions, column] = study.success(edit)
    return resampled_means(values, seed=study.seed)


def _per_attribute(
    study: EditingStudy, edits: Sequence[Edit], resampled: np.ndarray
) -> dict[str, Any]:
    """Success, interval, floor, ceiling and drift of each attribute and direction."""
    table: dict[str, Any] = {name: {"support": {"add": 0, "remove": 0}} for name in study.names}
    for column, edit in enumerate(edits):
        row, direction = table[study.names[edit.attribute]], DIRECTIONS[edit.target]
        rates = _rates(study, edit)
        row["support"][direction] = len(edit.positions)
        row[direction] = rates["success_rate"]
        row[f"{direction}_interval"] = interval(resampled[:, column])
        row[f"{direction}_floor"] = rates["floor_rate"]
        for key in ("drift", "ceiling"):
            found = rates.get("ceiling_rate" if key == "ceiling" else key)
            if found is not None:
                row[f"{direction}_{key}"] = found
    return table

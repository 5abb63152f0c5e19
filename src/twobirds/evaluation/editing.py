"""Edits, one attribute at a time, judged by a network that no training saw (P4, Sec. 5.3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from twobirds.data.attributes import excluded_by
from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.pack import Landmarks
from twobirds.evaluation.bootstrap import interval, resampled_means
from twobirds.evaluation.drawn_truth import DrawnTruth
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.faces import EvaluatedModel, FaceSet, Progress, map_faces
from twobirds.evaluation.identity import Calibration, squared_distances
from twobirds.evaluation.judge import Judge
from twobirds.evaluation.reconstruction import psnr_db

_IDENTITY_FACES = 40  # of these, how many are embedded
_TRUTH_FACES = 20  # of these, how many are drawn again


@dataclass(frozen=True, eq=False)
class IdentityJudge:
    """What tells whether a face is still the same person: a calibrated embedder."""

    embedder: Embedder
    calibration: Calibration
    landmarks: Landmarks | None
    embeddings: np.ndarray
    """`[N, E]` of the N real faces, from which distances are taken."""

    def distances(self, images: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Distances `[B]` of `images [B, S, S, 3]` from the real faces at `positions [B]`."""
        edited = self.embedder.embed(images, self.landmarks)
        return squared_distances(edited, self.embeddings[positions])


@dataclass(frozen=True, eq=False)
class EditingStudy:
    """What all edits of an evaluation share; N real faces, K attributes."""

    model: EvaluatedModel
    judge: Judge
    faces: FaceSet
    """The real faces."""
    rebuilt: np.ndarray
    """`[N, S, S, 3]` uint8, the same without an edit."""
    real_logits: np.ndarray
    """`[N, K]`, the judge on the real faces."""
    rebuilt_logits: np.ndarray
    """`[N, K]`, the judge on the rebuilt ones."""
    identity_judge: IdentityJudge | None
    truth: DrawnTruth | None
    seed: int

    def ceilings(self) -> np.ndarray:
        """`[K, 2]`: how often the judge reads each value on real faces that have it; else NaN."""
        labels, read = self.faces.attributes, self.real_logits > 0
        values = [
            [_mean(read[labels[:, k] == v, k] == v) for v in (0, 1)] for k in range(labels.shape[1])
        ]
        return np.array(values)


def _mean(seen: np.ndarray) -> float:
    return float(seen.mean()) if len(seen) else float("nan")


@dataclass(frozen=True, eq=False)
class Edit:
    """One attribute switched in one direction on B faces that lacked the target."""

    attribute: int
    target: int
    positions: np.ndarray
    """`[B]` int64, which faces."""
    success: np.ndarray
    """`[B]` bool: the judge reads the target on the edited face."""
    floor: np.ndarray
    """`[B]` bool: it reads it on the unedited reconstruction already."""
    drift: float | None
    """Mean change of the other logits, less that of plain reconstruction; None without others."""
    drift_from_source: float | None
    """Mean change of the other logits, that of reconstruction included; None without others."""
    distances: np.ndarray
    """`[b]` identity distances from the source; empty without an identity judge."""
    truth_psnr_db: np.ndarray
    """`[t, 3]` against the true answer: edit, reconstruction, unedited; empty without one."""


def run_edits(
    study: EditingStudy, *, faces_per_edit: int, progress: Progress | None = None
) -> list[Edit]:
    """Add every attribute to faces without it, and remove it from faces with it.

    Args:
        study: Model, judge and faces.
        faces_per_edit: Most faces for each; the first that apply in one random order.
        progress: Told about edits done.

    Returns:
        Up to 2 K edits; those that no face allows are left out.
    """
    order = np.random.default_rng(study.seed).permutation(len(study.faces))
    num_attributes = len(study.model.attributes)
    edits = []
    for attribute in range(num_attributes):
        labels = study.faces.attributes[order, attribute]
        for target in (1, 0):
            positions = order[labels == 1 - target][:faces_per_edit]
            if len(positions):
                edits.append(run_edit(study, attribute, target, positions))
        if progress is not None:
            progress("editing", attribute + 1, num_attributes)
    return edits


def run_edit(study: EditingStudy, attribute: int, target: int, positions: np.ndarray) -> Edit:
    """Switch one attribute of the faces at `positions` `[B]`."""
    name = study.model.attributes[attribute]
    sources = study.faces.images[positions]
    edit = partial(study.model.edit, changes={name: float(target)})
    edited = map_faces(edit, sources, study.model.device)
    logits, _ = study.judge.read(edited)
    changed = [name, *(excluded_by(name) if target else ())]
    others = [k for k, other in enumerate(study.model.attributes) if other not in changed]
    real, rebuilt = study.real_logits[positions], study.rebuilt_logits[positions]
    shifts = np.abs(logits - real)[:, others]  # [B, k]
    own = np.abs(rebuilt - real)[:, others]
    return Edit(
        attribute=attribute,
        target=target,
        positions=positions,
        success=(logits[:, attribute] > 0) == target,
        floor=(rebuilt[:, attribute] > 0) == target,
        drift=float((shifts - own).mean()) if others else None,
        drift_from_source=float(shifts.mean()) if others else None,
        distances=_distances(study, edited, positions),
        truth_psnr_db=_truth_psnr(study, edited, positions, name=name, target=target),
    )


def run_several(
    study: EditingStudy, num_changes: int, *, faces: int, among: Sequence[str] | None = None
) -> dict[str, Any]:
    """Reverse several attributes of a face at once, for each face others (Fig. 7).

    Args:
        study: Model, judge and faces.
        num_changes: How many at a time.
        faces: Most faces.
        among: Attributes to choose from; all by default.

    Returns:
        `success_rate`, the share of the changes that the judge sees, and its `success_interval`;
        `all_rate`, the share of faces on which it sees all; `floor_rate` and `ceiling_rate` as for
        single edits; `support`, the number of faces. Empty if there are not enough attributes with
        both values.
    """
    rng = np.random.default_rng([study.seed, num_changes])
    ceilings = study.ceilings()
    seen, before, most = [], [], []
    for position in rng.permutation(len(study.faces))[:faces]:
        changes = choose_changes(study, int(position), num_changes, rng, among)
        if len(changes) < num_changes:
            continue
        named = {study.model.attributes[k]: float(target) for k, target in changes.items()}
        source = study.faces.images[position : position + 1]
        edited = map_faces(partial(study.model.edit, changes=named), source, study.model.device)
        columns, targets = list(changes), np.array(list(changes.values()))
        logits, _ = study.judge.read(edited)
        seen.append((logits[0, columns] > 0) == targets)
        before.append((study.rebuilt_logits[position, columns] > 0) == targets)
        most.append([ceilings[k, target] for k, target in changes.items()])
    if not seen:
        return {}
    rates = np.mean(seen, axis=1, keepdims=True)  # [B, 1]
    return {
        "success_rate": float(rates.mean()),
        "success_interval": interval(resampled_means(rates, seed=study.seed)[:, 0]),
        "all_rate": float(np.all(seen, axis=1).mean()),
        "floor_rate": float(np.mean(before)),
        "ceiling_rate": float(np.mean(most)),
        "support": len(seen),
    }


def choose_changes(
    study: EditingStudy,
    position: int,
    num_changes: int,
    rng: np.random.Generator,
    among: Sequence[str] | None = None,
) -> dict[int, int]:
    """Attributes of one face to reverse, with their targets; none contradicts another.

    Only attributes of which the faces have both values are taken, and of these those of `among`.
    """
    labels = study.faces.attributes
    names: Sequence[str] = study.model.attributes
    varied = np.flatnonzero((labels.min(axis=0) == 0) & (labels.max(axis=0) == 1))
    varied = np.array([k for k in varied if among is None or names[int(k)] in among], np.int64)
    changes: dict[int, int] = {}
    for attribute in rng.permutation(varied):
        target = 1 - int(labels[position, attribute])
        added = {names[k] for k, value in changes.items() if value}
        if len(changes) < num_changes and not (target and excluded_by(names[attribute]) & added):
            changes[int(attribute)] = target
    return changes


def _distances(study: EditingStudy, edited: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Identity distances of the first edited faces from their sources."""
    if study.identity_judge is None:
        return np.empty(0)
    return study.identity_judge.distances(edited[:_IDENTITY_FACES], positions[:_IDENTITY_FACES])


def _truth_psnr(
    study: EditingStudy, edited: np.ndarray, positions: np.ndarray, *, name: str, target: int
) -> np.ndarray:
    """PSNR against the true answer, `[t, 3]`: the edit, the reconstruction, the face as it was."""
    if study.truth is None or name not in DRAWN_ATTRIBUTES:
        return np.empty((0, 3))
    shown = positions[:_TRUTH_FACES]
    answers = study.truth.answers(shown, name, target)
    candidates = (edited[: len(shown)], study.rebuilt[shown], study.faces.images[shown])
    return np.stack([psnr_db(images, answers) for images in candidates], axis=1)

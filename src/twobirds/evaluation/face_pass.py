"""One pass over the real faces: each batch is encoded once, then everything is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.faces import to_uint8
from twobirds.evaluation.drawn_truth import DrawnTruth
from twobirds.evaluation.editing import (
    CLOSELY_JUDGED,
    Edit,
    PlannedCombination,
    PlannedEdit,
)
from twobirds.evaluation.faces import (
    EncodedFaces,
    EvaluatedModel,
    FaceSet,
    Progress,
    batches,
    to_tensor,
)
from twobirds.evaluation.identity_judge import IdentityJudge
from twobirds.evaluation.judges import Judges, Predictions, join_predictions
from twobirds.evaluation.reconstruction import psnr_db


@dataclass(frozen=True, eq=False)
class EditingPlan:
    """All edits of the faces, and who judges them."""

    judges: Judges
    identity_judge: IdentityJudge | None
    truth: DrawnTruth | None
    edits: Sequence[PlannedEdit]
    combinations: Sequence[PlannedCombination]


@dataclass(frozen=True, eq=False)
class JudgedFaces:
    """What the judges say of N real faces and of what was made of them."""

    real: Predictions
    unedited: Predictions
    """Of edits that change nothing."""
    edits: list[Edit]
    combinations: list[dict[int, np.ndarray]]
    """The judge's logits `[K]` by position of the face, for each planned combination."""


@dataclass(frozen=True, eq=False)
class PassedFaces:
    """What one pass over N real faces gave."""

    probabilities: np.ndarray
    """`[N, K]` float32, the attributes as the model predicts them."""
    reconstructed: np.ndarray
    """`[N, S, S, 3]` uint8, from the latents alone."""
    unedited: np.ndarray
    """`[N, S, S, 3]` uint8, edits that change nothing."""
    judged: JudgedFaces | None
    """None without a judge."""


def pass_faces(
    model: EvaluatedModel, faces: FaceSet, plan: EditingPlan | None, progress: Progress | None
) -> PassedFaces:
    """Encode each face once; reconstruct and edit it, and show the results to the judges.

    Args:
        model: What is evaluated.
        faces: The N real faces.
        plan: Edits and judges; None makes no edit.
        progress: Called with the step, the number of faces done, and of all.
    """
    parts: list[PassedFaces] = []
    start = 0
    with torch.inference_mode():
        for images in batches(faces.images):
            parts.append(_pass_batch(model, images, start, plan))
            start += len(images)
            if progress is not None:
                progress("reconstructing and editing", start, len(faces))
    judged = [part.judged for part in parts if part.judged is not None]
    return PassedFaces(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.reconstructed for part in parts]),
        np.concatenate([part.unedited for part in parts]),
        _join(judged) if judged else None,
    )


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some of the faces, encoded."""

    model: EvaluatedModel
    encoded: EncodedFaces
    start: int
    """Position of the first."""
    images: np.ndarray
    """`[B, S, S, 3]` uint8."""
    unedited: np.ndarray
    """`[B, S, S, 3]` uint8."""

    def inside(self, positions: np.ndarray) -> np.ndarray:
        """Those positions of faces that are in this batch, ascending."""
        last = self.start + len(self.images)
        return np.sort(positions[(positions >= self.start) & (positions < last)])

    def edit(self, positions: np.ndarray, changes: dict[str, float]) -> Tensor:
        """Edit faces of this batch, `[b, S, S, 3]` uint8 on the model's device."""
        chosen = self.encoded.select((positions - self.start).tolist())
        return to_uint8(chosen.edit(changes, device=self.model.device))


def _pass_batch(
    model: EvaluatedModel, images: np.ndarray, start: int, plan: EditingPlan | None
) -> PassedFaces:
    """Everything that is made of a batch of faces `[B, S, S, 3]` uint8."""
    encoded = model.encode_faces(to_tensor(images))
    reconstructed = to_uint8(encoded.reconstruct(device=model.device))
    unedited = to_uint8(encoded.edit({}, device=model.device))
    batch = _Batch(model, encoded, start, images, unedited.cpu().numpy())
    judged = None
    if plan is not None:
        judged = JudgedFaces(
            plan.judges.predict(torch.from_numpy(np.array(images)), closely=True),
            plan.judges.predict(unedited, closely=True),
            [edit for planned in plan.edits if (edit := _edit_batch(batch, plan, planned))],
            [_combine_batch(batch, plan, combination) for combination in plan.combinations],
        )
    return PassedFaces(
        encoded.attributes.cpu().numpy(), reconstructed.cpu().numpy(), batch.unedited, judged
    )


def _edit_batch(batch: _Batch, plan: EditingPlan, planned: PlannedEdit) -> Edit | None:
    """Make one planned edit of the faces of a batch; None if it is planned for none of them."""
    positions = batch.inside(planned.positions)
    if not len(positions):
        return None
    name = batch.model.attributes[planned.attribute]
    edited = batch.edit(positions, {name: float(planned.target)})
    predictions = plan.judges.predict(edited, closely=name in CLOSELY_JUDGED)
    pixels = edited.cpu().numpy()
    distances = np.empty(0)
    embedded = planned.embedded(positions)
    if plan.identity_judge is not None and embedded.any():
        distances = plan.identity_judge.distances(pixels[embedded], positions[embedded])
    truth_psnr_db = np.empty((0, 3))
    rendered = planned.rendered(positions)
    if plan.truth is not None and name in DRAWN_ATTRIBUTES and rendered.any():
        answers = plan.truth.answers(positions[rendered], name, planned.target)
        local = positions[rendered] - batch.start
        candidates = (pixels[rendered], batch.unedited[local], batch.images[local])
        truth_psnr_db = np.stack([psnr_db(images, answers) for images in candidates], axis=1)
    return Edit(planned.attribute, planned.target, positions, predictions, distances, truth_psnr_db)


def _combine_batch(
    batch: _Batch, plan: EditingPlan, planned: PlannedCombination
) -> dict[int, np.ndarray]:
    """Make a planned combination of the faces of a batch."""
    positions = batch.inside(np.array(list(planned.changes), np.int64))
    if not len(positions):
        return {}
    names = batch.model.attributes
    edited = []
    for position in positions:
        changes = {names[k]: float(v) for k, v in planned.changes[int(position)].items()}
        edited.append(batch.edit(position[None], changes))
    logits = plan.judges.predict(torch.cat(edited)).logits
    return dict(zip(positions.tolist(), logits, strict=True))


def _join(parts: Sequence[JudgedFaces]) -> JudgedFaces:
    """What was judged of several batches, as of one."""
    edits: dict[tuple[int, int], list[Edit]] = {}
    for part in parts:
        for edit in part.edits:
            edits.setdefault((edit.attribute, edit.target), []).append(edit)
    combinations: list[dict[int, np.ndarray]] = [{} for _ in parts[0].combinations]
    for part in parts:
        for joined, logits in zip(combinations, part.combinations, strict=True):
            joined.update(logits)
    return JudgedFaces(
        join_predictions([part.real for part in parts]),
        join_predictions([part.unedited for part in parts]),
        [_join_edit(edits[key]) for key in sorted(edits, key=lambda key: (key[0], -key[1]))],
        combinations,
    )


def _join_edit(parts: Sequence[Edit]) -> Edit:
    """One edit of several batches."""
    return Edit(
        parts[0].attribute,
        parts[0].target,
        np.concatenate([part.positions for part in parts]),
        join_predictions([part.predictions for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.truth_psnr_db for part in parts]),
    )

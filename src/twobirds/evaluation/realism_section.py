"""Parts of the `editing` section for which EfficientNet-lite2 looks closely at edits."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from twobirds.evaluation.edit_scores import (
    MIN_SUPPORT,
    EditingStudy,
    score_edits,
)
from twobirds.evaluation.editing import CLOSELY_JUDGED, Edit
from twobirds.evaluation.face_pass import JudgedFaces
from twobirds.evaluation.faces import attribute_columns, batches
from twobirds.evaluation.feature_network import FEATURE_NETWORK
from twobirds.evaluation.judges import Judges, join_predictions
from twobirds.evaluation.prototype import (
    STRENGTHS,
    OperatingPoint,
    apply_prototype,
    fit_prototypes,
    success_at_equal_realism,
)
from twobirds.evaluation.real_faces import NO_REAL_FACES, RealFaces
from twobirds.evaluation.realism import FeatureSet, people_of, score_realism, separability
from twobirds.evaluation.recognition import score_recognition
from twobirds.evaluation.run import Evaluation

INDEPENDENCE = "took part in no training but its own"


def measure_realism(
    run: Evaluation, judged: JudgedFaces, real_faces: RealFaces | None
) -> dict[str, Any]:
    """`realism`: can edits that add an attribute be told from real faces that have it?

    Returns:
        Means over the attributes with enough faces, and the figures of each; empty without any.
    """
    if real_faces is None:
        run.absent["editing.realism"] = NO_REAL_FACES
        return {}
    rows: dict[str, Any] = {}
    for edit in _additions(run, judged):
        real = real_faces.having(edit.attribute, run.config.faces_per_edit)
        rows[run.model.attributes[edit.attribute]] = score_realism(
            real,
            _edited_faces(run, edit),
            _faces_having(run, judged, edit.attribute),
            seed=run.config.seed,
        )
    means = {
        key: float(np.mean(values))
        for key in ("auc", "real_floor")
        if (values := [row[key] for row in rows.values() if key in row])
    }
    if "auc" not in means:
        run.absent["editing.realism"] = "no attribute has enough real and edited faces"
        return {}
    num_attributes = sum("auc" in row for row in rows.values())
    facts = {"features": FEATURE_NETWORK, "num_attributes": num_attributes}
    return {"realism": {**means, **facts, "per_attribute": rows}}


def measure_second_judge(run: Evaluation, judges: Judges, judged: JudgedFaces) -> dict[str, Any]:
    """`second_judge`: the same edits, judged by a network of another family."""
    second = judges.second_judge
    if second is None:
        return {}
    real, unedited = judged.real.second_logits, judged.unedited.second_logits
    assert real is not None
    assert unedited is not None
    names = list(run.model.attributes)
    study = EditingStudy(names, run.faces.attributes, real, unedited, run.config.seed)
    edits = [
        replace(edit, predictions=replace(edit.predictions, logits=edit.predictions.second_logits))
        for edit in judged.edits
        if edit.predictions.second_logits is not None
    ]
    probabilities = 1 / (1 + np.exp(-real.astype(np.float64)))
    recognition = score_recognition(probabilities, run.faces.attributes, run.majority(), names)
    own = {key: recognition[key] for key in ("hamming_loss", "majority_hamming_loss")}
    scores = score_edits(study, edits, None)
    edited = {names[edit.attribute] for edit in edits}
    scores["per_attribute"] = {n: row for n, row in scores["per_attribute"].items() if n in edited}
    return {
        "second_judge": {
            "network": f"{FEATURE_NETWORK}, its last blocks fine-tuned",
            "independence": INDEPENDENCE,
            "sha256": second.sha256,
            "seed": second.metadata.seed,
            "images": second.metadata.images,
            **own,
            **scores,
        }
    }


def measure_prototype(
    run: Evaluation, judges: Judges, judged: JudgedFaces, real_faces: RealFaces | None
) -> dict[str, Any]:
    """`prototype`: does each added attribute beat the prototype's success at equal realism?"""
    if real_faces is None:
        run.absent["editing.prototype"] = NO_REAL_FACES
        return {}
    prototypes = fit_prototypes(_train_parts(run))
    rows: dict[str, Any] = {}
    for edit in _additions(run, judged):
        real = real_faces.having(edit.attribute, run.config.faces_per_edit)
        found = separability(real, _edited_faces(run, edit), seed=run.config.seed)
        if found is None or len(edit.positions) < MIN_SUPPORT:
            continue
        points = list(_operating_points(run, judges, edit, real, prototypes[edit.attribute]))
        success = float((edit.predictions.logits[:, edit.attribute] > 0).mean())
        floor = float((judged.unedited.logits[edit.positions, edit.attribute] > 0).mean())
        best = success_at_equal_realism(points, found.auc)
        row: dict[str, Any] = {
            "model": {"success_rate": success, "floor_rate": floor, "auc": found.auc},
            "points": [vars(point) for point in points],
            "is_beaten": success > (floor if best is None else max(best, floor)),
        }
        if best is not None:  # else no prototype is as realistic as the edits
            row["success_at_equal_realism"] = best
        rows[run.model.attributes[edit.attribute]] = row
    if not rows:
        run.absent["editing.prototype"] = "no attribute has enough real and edited faces"
        return {}
    num_beaten = sum(row["is_beaten"] for row in rows.values())
    facts = {"num_beaten": num_beaten, "num_attributes": len(rows)}
    return {"prototype": {**facts, "per_attribute": rows}}


def _operating_points(
    run: Evaluation, judges: Judges, edit: Edit, real: FeatureSet, prototype: np.ndarray
) -> Iterator[OperatingPoint]:
    """Edit the same faces by prototypes of each strength."""
    sources, people = run.faces.images[edit.positions], _people(run)[edit.positions]
    for strength in STRENGTHS:
        edited = apply_prototype(sources, prototype, strength)
        parts = [judges.predict(torch.from_numpy(part), closely=True) for part in batches(edited)]
        predictions = join_predictions(parts)
        assert predictions.realism_features is not None
        features = FeatureSet(predictions.realism_features, people)
        found = separability(real, features, seed=run.config.seed)
        assert found is not None  # the model's edits of these faces had enough support
        success = float((predictions.logits[:, edit.attribute] > 0).mean())
        yield OperatingPoint(strength, success, found.auc)


def _additions(run: Evaluation, judged: JudgedFaces) -> Sequence[Edit]:
    """The edits that add a closely judged attribute."""
    columns = [k for k, name in enumerate(run.model.attributes) if name in CLOSELY_JUDGED]
    return [edit for edit in judged.edits if edit.target and edit.attribute in columns]


def _edited_faces(run: Evaluation, edit: Edit) -> FeatureSet:
    """The edited faces as lite2 sees them."""
    features = edit.predictions.realism_features
    assert features is not None
    return FeatureSet(features, _people(run)[edit.positions])


def _faces_having(run: Evaluation, judged: JudgedFaces, attribute: int) -> FeatureSet:
    """Faces of the evaluated split that have an attribute, at most as many as are edited."""
    features = judged.real.realism_features
    assert features is not None
    rng = np.random.default_rng(run.config.seed)
    have = rng.permutation(np.flatnonzero(run.faces.attributes[:, attribute] == 1))
    return FeatureSet(features, _people(run)).take(have[: run.config.faces_per_edit])


def _people(run: Evaluation) -> np.ndarray:
    """Who is on each of the real faces, `[N]` int64."""
    people: np.ndarray = people_of(run.pack.identity)[run.faces.rows]
    return people


def _train_parts(run: Evaluation) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The train split's faces and attributes, a part at a time."""
    columns = attribute_columns(run.pack, run.model)
    for rows in batches(run.train_rows, 512):
        yield run.load_images(rows), run.pack.attributes[rows][:, columns]

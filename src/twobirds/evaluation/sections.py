"""The sections of the report, each made from one evaluation under way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from twobirds.data.attributes import EDITED_BY_ATTGAN
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.drawn_truth import DrawnTruth, most_visible
from twobirds.evaluation.edit_scores import (
    MIN_SUPPORT,
    TRUTH_FIGURES,
    score_edits,
    score_some,
    score_truth,
)
from twobirds.evaluation.editing import (
    Edit,
    EditingStudy,
    IdentityJudge,
    run_edits,
    run_several,
)
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.faces import (
    EvaluatedModel,
    FaceSet,
    Progress,
    attribute_columns,
    batches,
    resize,
    to_tensor,
)
from twobirds.evaluation.generation import generate_images, score_generation
from twobirds.evaluation.identity import (
    FAR,
    MIN_AUC,
    Calibration,
    calibrate,
    identity_scores,
)
from twobirds.evaluation.judge import Judge
from twobirds.evaluation.memorization import score_memorization
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.evaluation.recognition import majority_labels, score_recognition
from twobirds.evaluation.reconstruction import Baselines, psnr_db, ssim

_SEVERAL = (3, 6)  # edits at once
_FACES_OF_SEVERAL = 4  # times as many as for a single edit: these are few and random
_NOT_VARIED = "no attribute has both values on these faces"
_FEW_EDITED = f"no attribute was changed on {MIN_SUPPORT} faces or more"
_BASELINE_FACES = 2_000  # training faces behind the mean face and the principal components


@dataclass(eq=False)
class Evaluation:
    """One evaluation under way."""

    model: EvaluatedModel
    pack: Pack
    faces: FaceSet
    """The real faces, N of them."""
    config: EvaluationConfig
    progress: Progress | None
    absent: dict[str, str] = field(default_factory=dict)
    """What could not be had, and why."""

    def note_missing(
        self, name: str, section: Mapping[str, Any], reasons: Mapping[str, str]
    ) -> None:
        """Say of each figure that a section lacks why it could not be had."""
        for key, reason in reasons.items():
            if key not in section:
                self.absent[f"{name}.{key}"] = reason

    def train_images(self, count: int) -> np.ndarray:
        """At most `count` random training images, none of them evaluated on."""
        rows = np.setdiff1d(self.pack.rows("train"), self.faces.rows)
        rows = np.sort(np.random.default_rng(self.config.seed).permutation(rows)[:count])
        return resize(self.pack.images[rows], self.model.size)

    def majority(self) -> np.ndarray:
        """The majority label of each attribute on the train split, `[K]`."""
        labels = self.pack.attributes[self.pack.rows("train")]
        return majority_labels(labels[:, attribute_columns(self.pack, self.model)])


def measure_recognition(run: Evaluation) -> dict[str, Any]:
    """The `recognition` section."""
    with torch.inference_mode():
        parts = [
            run.model.recognize(to_tensor(part, run.model.device)).cpu()
            for part in batches(run.faces.images)
        ]
    read = torch.cat(parts).numpy()
    return _score_reading(run, "recognition", read)


def _score_reading(run: Evaluation, name: str, probabilities: np.ndarray) -> dict[str, Any]:
    """The section `name` from probabilities `[N, K]` read off the real faces."""
    section = score_recognition(
        probabilities, run.faces.attributes, run.majority(), run.model.attributes
    )
    means = ("balanced_accuracy", "mean_average_precision")
    run.note_missing(name, section, dict.fromkeys(means, _NOT_VARIED))
    return section


def measure_reconstruction(
    run: Evaluation,
    rebuilt: np.ndarray,
    unedited: np.ndarray,
    identity_judge: IdentityJudge | None,
) -> dict[str, Any]:
    """The `reconstruction` section, from faces rebuilt from their codes `[N, S, S, 3]` uint8."""
    section = {"data_range": 255, **_score_rebuilt(run, rebuilt, identity_judge)}
    train_images = run.train_images(_BASELINE_FACES)
    if len(train_images) > 1:
        section["baselines_psnr_db"] = Baselines(train_images).psnr_db(run.faces.images)
    else:
        run.absent["reconstruction.baselines_psnr_db"] = "no training faces but those evaluated on"
    if (unedited != rebuilt).any():
        section["edit_path"] = _score_rebuilt(run, unedited, identity_judge)
    return section


def _score_rebuilt(
    run: Evaluation, rebuilt: np.ndarray, identity_judge: IdentityJudge | None
) -> dict[str, Any]:
    """How close rebuilt faces `[N, S, S, 3]` uint8 are to the real ones."""
    section: dict[str, Any] = {
        "psnr_db": float(psnr_db(rebuilt, run.faces.images).mean()),
        "ssim": float(ssim(rebuilt, run.faces.images).mean()),
    }
    if identity_judge is not None:
        distances = identity_judge.distances(rebuilt, np.arange(len(rebuilt)))
        section["identity"] = identity_scores(distances, identity_judge.calibration)
    return section


def measure_editing(
    run: Evaluation, judge: Judge, rebuilt: np.ndarray, identity_judge: IdentityJudge | None
) -> dict[str, Any]:
    """The `editing` section: single edits, several at once, and on drawn faces the truth.

    Args:
        run: The evaluation.
        judge: Who reads the edits.
        rebuilt: `[N, S, S, 3]` uint8, edits that change nothing.
        identity_judge: Who tells whether it is the same person.
    """
    study = EditingStudy(
        model=run.model,
        judge=judge,
        faces=run.faces,
        rebuilt=rebuilt,
        real_logits=judge.read(run.faces.images)[0],
        rebuilt_logits=judge.read(rebuilt)[0],
        identity_judge=identity_judge,
        truth=DrawnTruth(run.pack, run.faces) if run.pack.drawn else None,
        seed=run.config.seed,
    )
    limit = run.config.faces_per_edit
    edits = run_edits(study, faces_per_edit=limit, progress=run.progress)
    section = score_edits(study, edits)
    run.note_missing("editing", section, {"success_interval": _FEW_EDITED})
    _note_rates(run, "editing", section)
    names = [name for name in EDITED_BY_ATTGAN if name in run.model.attributes]
    if names:
        section["attgan"] = score_some(study, edits, names)
        section["attgan"] |= _measure_several(run, study, "editing.attgan.several", names)
    section |= _measure_several(run, study, "editing.several", None)
    return section | _measure_truth(run, study, edits)


def _measure_several(
    run: Evaluation, study: EditingStudy, name: str, among: Sequence[str] | None
) -> dict[str, Any]:
    """`several`: edits of some attributes at once; empty if no face has as many."""
    limit = _FACES_OF_SEVERAL * run.config.faces_per_edit
    at_once = {str(n): run_several(study, n, faces=limit, among=among) for n in _SEVERAL}
    several = {number: scores for number, scores in at_once.items() if scores}
    reasons = {n: f"no face has {n} attributes that can be reversed" for n in at_once}
    run.note_missing(name, several, reasons)
    return {"several": several} if several else {}


def _measure_truth(run: Evaluation, study: EditingStudy, edits: Sequence[Edit]) -> dict[str, Any]:
    """What only drawn faces give: the true answers, and the attributes most visible."""
    section: dict[str, Any] = dict(score_truth(edits))
    reason = "the model knows no attribute that can be drawn"
    if study.truth is None:
        reason = "the true answers to edits exist for drawn faces only"
    if section:
        names = most_visible(tuple(run.model.attributes), run.model.size)
        section["most_visible"] = score_some(study, edits, names)
        _note_rates(run, "editing.most_visible", section["most_visible"])
    run.note_missing("editing", section, dict.fromkeys((*TRUTH_FIGURES, "most_visible"), reason))
    return section


def _note_rates(run: Evaluation, name: str, section: Mapping[str, Any]) -> None:
    """Say which means over edits a section lacks."""
    counted = "success_rate" in section
    drift = "no edit leaves an attribute that could drift" if counted else _FEW_EDITED
    run.note_missing(name, section, {
        "success_rate": _FEW_EDITED,
        "floor_rate": _FEW_EDITED,
        "ceiling_rate": "no real face has what an edit aims at" if counted else _FEW_EDITED,
        "drift": drift,
        "drift_from_source": drift,
    })  # fmt: skip


def measure_generation(run: Evaluation, judge: Judge) -> dict[str, Any]:
    """The `generation` section; asks for attribute rows that occur in the split."""
    seed, count = run.config.seed, run.config.num_fakes
    picks = np.random.default_rng(seed).integers(len(run.faces), size=count)
    asked = run.faces.attributes[picks]
    fakes = generate_images(run.model, asked, seed=seed, progress=run.progress)
    others = run.train_images(count)
    if len(others) < 2:
        run.absent["generation.real_floor"] = "no training faces but those evaluated on"
    read, real = judge.read(fakes), judge.read(run.faces.images)[1]
    other = judge.read(others)[1] if len(others) > 1 else None
    section = score_generation(judge, read, asked, real, other)
    train_rows = np.setdiff1d(run.pack.rows("train"), run.faces.rows)
    if len(train_rows) > 1:
        train = judge.read(run.train_images(len(train_rows)))[1]
        section["memorization"] = score_memorization(read[1], real, train)
    reasons = {
        "attribute_balanced_accuracy": "no attribute was asked for with both values",
        "diversity": "the real faces are all alike",
        "memorization": "no training faces but those evaluated on",
    }
    run.note_missing("generation", section, reasons)
    return section


def describe_judge(run: Evaluation, judge: Judge) -> dict[str, Any]:
    """Who judges, and how well it reads the real faces: the ceiling of what it can say."""
    logits, _ = judge.read(run.faces.images)
    scores = _score_reading(run, "judge", 1 / (1 + np.exp(-logits.astype(np.float64))))
    facts = {"seed": judge.metadata.seed, "images": judge.metadata.images}
    return {"sha256": judge.sha256, **facts, **scores}


def calibrate_identity_judge(
    run: Evaluation, embedder: Embedder | None
) -> tuple[IdentityJudge | None, dict[str, Any] | None]:
    """Calibrate an embedder on the pack, and embed the real faces if it proves itself.

    Returns:
        The identity judge, and the `identity_calibration` section; None for what cannot be had.
    """
    if embedder is None:
        run.absent["identity_calibration"] = "no face embedder was named"
        _do_without(run, "no face embedder was named")
        return None, None
    try:
        calibration = _calibrate(run, embedder)
    except InputError as error:
        run.absent["identity_calibration"] = str(error)
        _do_without(run, f"the embedder cannot be calibrated: {error}")
        return None, None
    names = {"embedder": embedder.name, "embedder_sha256": embedder.sha256}
    section = {**names, "far": FAR, **asdict(calibration)}
    if calibration.auc < MIN_AUC:
        reason = f"{embedder.name} tells the people of this pack apart with an AUC of only "
        _do_without(run, f"{reason}{calibration.auc:.3f}, below {MIN_AUC}")
        return None, section
    embeddings = embedder.embed(run.faces.images, run.pack.landmarks)
    return IdentityJudge(embedder, calibration, run.pack.landmarks, embeddings), section


def _calibrate(run: Evaluation, embedder: Embedder) -> Calibration:
    """Calibrate an embedder as the configuration says."""
    return calibrate(
        embedder,
        run.pack,
        size=run.model.size,
        seed=run.config.seed,
        max_faces=run.config.calibration_faces,
        progress=run.progress,
    )


def _do_without(run: Evaluation, reason: str) -> None:
    """Note that identity cannot be judged."""
    for key in ("reconstruction.identity", "editing.identity"):
        run.absent[key] = reason

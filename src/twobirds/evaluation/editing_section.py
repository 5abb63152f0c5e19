"""The `editing` section: single edits, several at once, and on drawn faces the truth."""

from collections.abc import Mapping, Sequence
from typing import Any

from twobirds.data.attributes import EDITED_BY_ATTGAN
from twobirds.evaluation.drawn_truth import DrawnTruth, most_visible
from twobirds.evaluation.edit_scores import (
    MIN_SUPPORT,
    TRUTH_FIGURES,
    EditingStudy,
    score_combination,
    score_edits,
    score_some,
    score_truth,
)
from twobirds.evaluation.editing import Edit, PlannedCombination, plan_combination, plan_edits
from twobirds.evaluation.face_pass import EditingPlan, JudgedFaces
from twobirds.evaluation.faces import EvaluatedModel
from twobirds.evaluation.identity_judge import IdentityJudge
from twobirds.evaluation.judges import Judges
from twobirds.evaluation.run import Evaluation

_AT_ONCE = (3, 6)  # attributes reversed together
_FACES_AT_ONCE = 4  # times as many as for a single edit: these are few and random
_FEW_EDITED = f"no attribute was changed on {MIN_SUPPORT} faces or more"


def plan_editing(
    run: Evaluation, judges: Judges, identity_judge: IdentityJudge | None
) -> EditingPlan:
    """Plan every edit that the section needs."""
    labels, config = run.faces.attributes, run.config
    edits = plan_edits(labels, faces_per_edit=config.faces_per_edit, seed=config.seed)
    combinations = [_plan(run, count, among) for among in _choices(run) for count in _AT_ONCE]
    truth = DrawnTruth(run.pack, run.faces) if run.pack.drawn else None
    return EditingPlan(judges, identity_judge, truth, edits, combinations)


def _choices(run: Evaluation) -> list[Sequence[str] | None]:
    """From which attributes combinations are chosen: AttGAN's that the model knows, and all."""
    names = known_attgan_names(run.model)
    return [names, None] if names else [None]


def known_attgan_names(model: EvaluatedModel) -> list[str]:
    """The attributes by which AttGAN and STGAN are compared, those that the model knows."""
    return [name for name in EDITED_BY_ATTGAN if name in model.attributes]


def _plan(run: Evaluation, count: int, among: Sequence[str] | None) -> PlannedCombination:
    return plan_combination(
        run.model.attributes,
        run.faces.attributes,
        count,
        max_faces=_FACES_AT_ONCE * run.config.faces_per_edit,
        seed=run.config.seed,
        among=among,
    )


def measure_editing(run: Evaluation, plan: EditingPlan, judged: JudgedFaces) -> dict[str, Any]:
    """The section from what the judges said."""
    study = EditingStudy(
        names=list(run.model.attributes),
        attributes=run.faces.attributes,
        real_logits=judged.real.logits,
        unedited_logits=judged.unedited.logits,
        seed=run.config.seed,
    )
    calibration = None if plan.identity_judge is None else plan.identity_judge.calibration
    section = score_edits(study, judged.edits, calibration)
    run.note_missing("editing", section, {"success_interval": _FEW_EDITED})
    _note_rates(run, "editing", section)
    several = _score_combinations(study, plan, judged)
    names = known_attgan_names(run.model)
    if names:
        section["attgan"] = score_some(study, judged.edits, names)
        section["attgan"] |= _several(run, "editing.attgan.several", several[: len(_AT_ONCE)])
    section |= _several(run, "editing.several", several[-len(_AT_ONCE) :])
    return section | _measure_truth(run, study, judged.edits, is_drawn=plan.truth is not None)


def _score_combinations(
    study: EditingStudy, plan: EditingPlan, judged: JudgedFaces
) -> list[dict[str, Any]]:
    """Scores of each planned combination."""
    pairs = zip(plan.combinations, judged.combinations, strict=True)
    return [score_combination(study, planned, logits) for planned, logits in pairs]


def _several(run: Evaluation, name: str, scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`several`: edits of some attributes at once; empty if no face has as many."""
    at_once = dict(zip(map(str, _AT_ONCE), scores, strict=True))
    several = {number: found for number, found in at_once.items() if found}
    reasons = {n: f"no face has {n} attributes that can be reversed" for n in at_once}
    run.note_missing(name, several, reasons)
    return {"several": several} if several else {}


def _measure_truth(
    run: Evaluation, study: EditingStudy, edits: Sequence[Edit], *, is_drawn: bool
) -> dict[str, Any]:
    """What only drawn faces give: the true answers, and the attributes most visible."""
    section: dict[str, Any] = dict(score_truth(edits))
    reason = "the true answers to edits exist for drawn faces only"
    if is_drawn:
        reason = "the model knows no attribute that can be rendered"
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

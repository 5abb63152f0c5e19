"""The report of a reproduction: every table and figure beside the paper's, and the verdicts."""

from dataclasses import asdict, dataclass
from typing import Any

from twobirds.reproduction.document import Document, Picture, Section, Table
from twobirds.reproduction.generation import GenerationResult
from twobirds.reproduction.paired import Estimate
from twobirds.reproduction.pictures import pictures_in_order
from twobirds.reproduction.tables import (
    frechet_table,
    generation_table,
    inference_table,
    paper_fig5_table,
    paper_fig9_table,
    recognition_table,
    settings_table,
    single_table,
    training_time_table,
    transformation_table,
    verdict_table,
)
from twobirds.reproduction.timing import TimingResult
from twobirds.reproduction.transformation import TransformationResult
from twobirds.reproduction.verdicts import Claim, Results


@dataclass(frozen=True)
class Reproduction:
    """Everything that was measured."""

    facts: dict[str, Any]
    """Configuration, seeds, hashes, hardware and budget."""
    results: Results
    times: TimingResult
    claims: list[Claim]
    pictures: dict[str, Picture]
    absent: dict[str, str]


def to_json(reproduction: Reproduction) -> dict[str, Any]:
    """The report as nested plain data."""
    results = reproduction.results
    recognition, times = results.recognition, reproduction.times
    return {
        **reproduction.facts,
        "verdicts": [_claim_json(claim) for claim in reproduction.claims],
        "recognition": {
            "scores": recognition.scores,
            "hamming_loss": _plain(recognition.loss),
            "more_than_ours": _plain(recognition.differences),
            "single_predictions": recognition.shown,
        },
        "loss_settings": {
            name: _plain(figures) for name, figures in results.settings.figures.items()
        },
        "loss_settings_ours_is_better_by": {
            key: _plain(found) for key, found in results.settings.differences.items()
        },
        "transformation": _transformation_json(results.transformation),
        "generation": _generation_json(results.generation),
        "times": asdict(times),
        "absent": reproduction.absent,
    }


def _transformation_json(result: TransformationResult) -> dict[str, Any]:
    return {
        "figures": [
            {"attribute": attribute, "target": target, "method": method, **_plain(figures)}
            for (attribute, target, method), figures in result.figures.items()
        ],
        "ours_less_cyclegan": [
            {"attribute": attribute, "target": target, **_plain(figures)}
            for (attribute, target), figures in result.differences.items()
        ],
        "frechet_distance": result.frechet,
        "num_changed": result.num_changed,
    }


def _generation_json(result: GenerationResult) -> dict[str, Any]:
    return {
        "figures": [
            {"attribute": attribute, "method": method, **_plain(figures)}
            for (attribute, method), figures in result.figures.items()
        ],
        "gains": _plain(result.gains),
        "ours_less_other": [
            {"figure": key, "other": other, **asdict(found)}
            for (key, other), found in result.differences.items()
        ],
        "frechet_distance": result.frechet,
        "num_fakes": result.num_fakes,
    }


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {
        "section": claim.section,
        "claim": claim.text,
        "measured": claim.measured,
        "difference": claim.difference and asdict(claim.difference),
        "verdict": claim.verdict,
        **({"reason": claim.reason} if claim.reason else {}),
    }


def to_document(reproduction: Reproduction) -> Document:
    """The report as tables and figures."""
    results, pictures = reproduction.results, reproduction.pictures
    sections = [
        Section("Verdicts", _VERDICT_TEXT, [verdict_table(reproduction.claims)]),
        Section(
            "Recognition (5.3.1)",
            tables=[recognition_table(results.recognition), single_table(results.recognition)],
            pictures=pictures_in_order(pictures, ["fig4"]),
        ),
        Section(
            "Reconstruction under four losses (5.3.2)",
            "All four begin with the same stage 1, and go on with the same seed, faces and budget.",
            [settings_table(results.settings), paper_fig5_table()],
            pictures_in_order(pictures, ["fig5"]),
        ),
        Section(
            "Transformation (5.3.3, 5.3.4)",
            tables=[transformation_table(results.transformation), paper_fig9_table()],
            pictures=pictures_in_order(pictures, ["fig6", "fig7", "fig9a"]),
        ),
        Section(
            "Generation (5.3.5, 5.3.6)",
            tables=[frechet_table(results.generation), generation_table(results.generation)],
            pictures=pictures_in_order(pictures, ["fig8", "fig9b"]),
        ),
        Section(
            "Time (4.2)",
            tables=[
                training_time_table(reproduction.times, _machine(reproduction.facts)),
                inference_table(reproduction.times),
            ],
        ),
        Section("How this was made", tables=[_facts_table(reproduction)]),
    ]
    return Document("Two Birds with One Stone, reproduced", _opening(reproduction), sections)


_VERDICT_TEXT = (
    "Each claim is put as a difference that lies above 0 if it is true. It holds if the whole "
    "interval lies above 0, does not hold if the whole interval lies below, and is not decided at "
    "this budget otherwise; each is judged by itself. Success and Fréchet distances are those of a "
    "judge that was trained separately."
)


def _opening(reproduction: Reproduction) -> str:
    facts, claims = reproduction.facts, reproduction.claims
    held = sum(claim.verdict == "holds" for claim in claims)
    failed = sum(claim.verdict == "does not hold" for claim in claims)
    return (
        f"The experiments of arXiv:1711.06078 at {facts['size']} pixels on "
        f"{facts['data']['num_train']:,} training and {facts['data']['num_test']:,} test faces of "
        f"{_people(facts['data']['num_people'])}, {facts['budget']['images']:,} images shown to "
        "each model but CycleGAN, whose images the time table has. "
        f"Of {len(claims)} claims {held} hold, {failed} do not, and "
        f"{len(claims) - held - failed} are not decided at this budget."
    )


def _people(count: int | None) -> str:
    return "people who are not known" if count is None else f"{count:,} people"


def _machine(facts: dict[str, Any]) -> str:
    hardware = facts["hardware"]
    at_a_time = "one model" if facts["num_jobs"] == 1 else f"{facts['num_jobs']} models"
    return (
        f"{facts['size']} px in {facts['precision']} on {hardware.get('gpu', hardware['cpu'])}, "
        f"{at_a_time} at a time on {hardware['num_cores']} cores"
    )


def _facts_table(reproduction: Reproduction) -> Table:
    rows = _flatten(reproduction.facts)  # the models' configurations are in the JSON
    rows += [(f"absent: {key}", reason) for key, reason in reproduction.absent.items()]
    return Table("Configuration", ("what", "value"), rows)


def _flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as lines of dotted names."""
    lines = []
    for key, value in values.items():
        if key == "models":
            continue
        if isinstance(value, dict):
            lines += _flatten(value, f"{prefix}{key}.")
        else:
            lines.append((f"{prefix}{key}", str(value)))
    return lines


def _plain(figures: dict[str, Estimate]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in figures.items()}

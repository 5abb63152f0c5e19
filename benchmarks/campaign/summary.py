"""What a campaign found, as plain data; pieces of one campaign are put together."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from campaign.environment import Trial
from campaign.kills import WAYS, Kill
from campaign.observe import MAX_BYTES, MAX_SECONDS, Outcome

SECTIONS = ("hostile_inputs", "kills", "environments", "requests", "page")


def summary_of_inputs(outcomes: Sequence[Outcome], start: int) -> dict[str, Any]:
    """How inputs ended, of which the first has the number `start`."""
    ends = Counter((outcome.kind, outcome.end) for outcome in outcomes)
    kinds = sorted({outcome.kind for outcome in outcomes})
    return {
        "count": len(outcomes),
        "numbers": [[start, start + len(outcomes)]],
        "limits": {"seconds": MAX_SECONDS, "bytes": MAX_BYTES},
        "ends": {kind: {e: n for (k, e), n in sorted(ends.items()) if k == kind} for kind in kinds},
        "slowest_seconds": round(max((o.seconds for o in outcomes), default=0.0), 2),
        "most_megabytes": max((outcome.megabytes for outcome in outcomes), default=0),
        "faults": [outcome.content() for outcome in outcomes if outcome.is_fault],
    }


def summary_of_kills(kills: Sequence[Kill]) -> dict[str, Any]:
    """Kills that hit a command at work, by job and way."""
    hits = [kill for kill in kills if kill.hit]
    counts = Counter((kill.job, kill.way) for kill in hits)
    jobs = dict.fromkeys(kill.job for kill in hits)
    return {
        "count": len(hits),
        "hits": {job: {way: counts[job, way] for way in WAYS} for job in jobs},
        "faults": [kill.content() for kill in kills if kill.fault],
    }


def summary_of_trials(trials: Sequence[Trial]) -> dict[str, Any]:
    """How commands ended, by job and environment."""
    codes: dict[str, dict[str, int | None]] = {}
    for trial in trials:
        codes.setdefault(trial.job, {})[trial.environment] = trial.code
    return {
        "count": len(trials),
        "codes": codes,
        "faults": [vars(trial) for trial in trials if trial.fault],
    }


def put_together(before: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    """Add a piece to the results of others; what both tried is taken from the later.

    Inputs and kills are added up, for none comes twice.

    Raises:
        ValueError: If inputs came twice, or the seeds differ.
    """
    if before.get("seed") != piece["seed"]:
        raise ValueError("results of another seed cannot be continued")
    together = before | piece
    together["seconds"] = before["seconds"] + piece["seconds"]
    for name in ("hostile_inputs", "kills"):
        if name in before and name in piece:
            together[name] = _sum(before[name], piece[name])
    if "environments" in before and "environments" in piece:
        together["environments"] = _later(before["environments"], piece["environments"])
    if "hostile_inputs" in together:
        inputs = together["hostile_inputs"]
        together["hostile_inputs"] = inputs | {"numbers": _joined(inputs["numbers"])}
    return together


def _joined(ranges: list[list[int]]) -> list[list[int]]:
    """Ranges in order, of which those without a gap between them are one.

    Raises:
        ValueError: If two overlap.
    """
    joined: list[list[int]] = []
    for start, end in sorted(ranges):
        if joined and joined[-1][1] > start:
            raise ValueError(f"inputs came twice: {sorted(ranges)}")
        if joined and joined[-1][1] == start:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return joined


def _later(before: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    """Trials of both; of those that both have, the later."""
    again = {(job, name) for job, codes in piece["codes"].items() for name in codes}
    faults = [f for f in before["faults"] if (f["job"], f["environment"]) not in again]
    jobs = before["codes"] | piece["codes"]
    codes = {job: before["codes"].get(job, {}) | piece["codes"].get(job, {}) for job in jobs}
    count = sum(len(ends) for ends in codes.values())
    return {"count": count, "codes": codes, "faults": [*faults, *piece["faults"]]}


def _sum(one: Any, other: Any, name: str = "") -> Any:
    """Counts added, lists joined, and of limits and peaks the larger."""
    if isinstance(one, dict):
        return {
            key: _sum(one[key], other[key], name=name if name == "limits" else key)
            if key in one and key in other
            else one.get(key, other.get(key))
            for key in one | other
        }
    if isinstance(one, list):
        return [*one, *other]
    is_peak = name in ("limits", "slowest_seconds", "most_megabytes")
    return max(one, other) if is_peak else one + other

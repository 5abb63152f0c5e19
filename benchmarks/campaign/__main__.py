"""Kills, hostile inputs and failing environments, repeatable from a seed.

Usage: `PYTHONPATH=benchmarks python -m campaign --out benchmarks/results/campaign.json`, or
`make campaign`. The exit code is 1 if a fault was found. Linux only.
"""

import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro

from campaign.commands import command_kinds
from campaign.environment import try_environments
from campaign.images import IMAGES
from campaign.jobs import make_jobs
from campaign.kills import WAYS, Kill, kill_job
from campaign.known_pictures import KNOWN_PICTURES
from campaign.known_tables import KNOWN_TABLES
from campaign.observe import MAX_BYTES, MAX_SECONDS, Outcome
from campaign.sources import SOURCES
from campaign.weights import weight_kinds
from campaign.words import WORDS
from campaign.worker import Case, Kind, run_cases
from campaign.world import make_world
from hardware import write_results
from twobirds.machine import describe_machine

_SHARES = {"deceiving image": 1, "damaged image": 6, "sound image": 4, "command": 1}
"""How often a kind comes; 2 where nothing is said."""


@dataclass(frozen=True)
class Settings:
    """What to do."""

    inputs: int = 10_000
    """Hostile inputs."""
    kills: int = 200
    """Kills that hit a command at work."""
    environments: bool = True
    """Whether to try full disks, missing rights and the like."""
    seed: int = 0
    """Of everything random."""
    scratch: Path | None = None
    """Where to work; default a temporary folder."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    torch.set_num_threads(1)  # sums are taken in one order, and a child may be forked
    warnings.simplefilter("ignore")
    started = time.monotonic()
    results: dict[str, Any] = {
        "benchmark": "campaign",
        "hardware": describe_machine(torch.device("cpu")),
        "seed": settings.seed,
    }
    with tempfile.TemporaryDirectory(dir=settings.scratch) as scratch:
        folder = Path(scratch)
        with _quiet():
            world = make_world(folder / "world")
        kinds: dict[str, Kind] = {**IMAGES, **SOURCES, **KNOWN_TABLES, **KNOWN_PICTURES, **WORDS}
        kinds |= weight_kinds(world) | command_kinds(world)
        cases = _cases(list(kinds), settings.inputs)
        outcomes = _told(run_cases(kinds, cases, folder, settings.seed), len(cases), "inputs")
        results["hostile_inputs"] = _summary_of_inputs(list(outcomes))
        jobs = make_jobs(world, folder / "jobs")
        each = -(-settings.kills // len(jobs))
        kills = (k for name, job in jobs.items() for k in kill_job(name, job, each, settings.seed))
        if settings.kills:
            results["kills"] = _summary_of_kills(list(_told(kills, each * len(jobs), "kills")))
        if settings.environments:
            trials = list(_told(try_environments(jobs), 0, "environments"))
            results["environments"] = _summary_of_trials(trials)
    results["seconds"] = round(time.monotonic() - started)
    write_results(settings.out, results)
    sections = ("hostile_inputs", "kills", "environments")
    faults = [f for name in sections for f in results.get(name, {}).get("faults", [])]
    print(f"campaign: {len(faults)} faults in {results['seconds']} s")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _cases(kinds: Sequence[str], count: int) -> list[Case]:
    """Cases of all kinds by their shares, in turn."""
    turn = [kind for kind in kinds for _ in range(_SHARES.get(kind, 2))]
    return [(turn[number % len(turn)], number) for number in range(count)]


def _summary_of_inputs(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    ends = Counter((outcome.kind, outcome.end) for outcome in outcomes)
    kinds = sorted({outcome.kind for outcome in outcomes})
    return {
        "count": len(outcomes),
        "limits": {"seconds": MAX_SECONDS, "bytes": MAX_BYTES},
        "ends": {kind: {e: n for (k, e), n in sorted(ends.items()) if k == kind} for kind in kinds},
        "slowest_seconds": round(max((o.seconds for o in outcomes), default=0.0), 2),
        "most_megabytes": max((outcome.megabytes for outcome in outcomes), default=0),
        "faults": [outcome.content() for outcome in outcomes if outcome.is_fault],
    }


def _summary_of_kills(kills: Sequence[Kill]) -> dict[str, Any]:
    hits = [kill for kill in kills if kill.hit]
    counts = Counter((kill.job, kill.way) for kill in hits)
    jobs = dict.fromkeys(kill.job for kill in hits)
    return {
        "count": len(hits),
        "hits": {job: {way: counts[job, way] for way in WAYS} for job in jobs},
        "faults": [kill.content() for kill in kills if kill.fault],
    }


def _summary_of_trials(trials: Sequence[Any]) -> dict[str, Any]:
    codes = Counter(f"{trial.environment}: code {trial.code}" for trial in trials)
    return {
        "count": len(trials),
        "codes": dict(sorted(codes.items())),
        "faults": [vars(trial) for trial in trials if trial.fault],
    }


def _told(items: Iterable[Any], total: int, what: str) -> Iterator[Any]:
    """Say from time to time how far it is."""
    told = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told > 20:
            told = time.monotonic()
            of = f" of {total:,}" if total else ""
            print(f"{what}: {number:,}{of}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what commands print, and progress bars, off the terminal."""
    with (
        Path(os.devnull).open("w") as silence,
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())

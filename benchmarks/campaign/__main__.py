"""Hostile inputs, kills, failing environments and users, repeatable from a seed.

Usage: `PYTHONPATH=benchmarks python -m campaign --out benchmarks/results/campaign.json`, or
`make campaign`. The exit code is 1 if a fault was found. Linux only.
"""

import contextlib
import importlib
import itertools
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro

from campaign.answers import try_requests
from campaign.commands import command_kinds
from campaign.environment import try_environments
from campaign.images import IMAGES
from campaign.jobs import make_jobs
from campaign.kills import kill_job
from campaign.known_pictures import KNOWN_PICTURES
from campaign.known_tables import KNOWN_TABLES
from campaign.sources import SOURCES
from campaign.summary import (
    SECTIONS,
    put_together,
    summary_of_inputs,
    summary_of_kills,
    summary_of_trials,
)
from campaign.surroundings import try_surroundings
from campaign.users import serve_users
from campaign.weights import weight_kinds
from campaign.words import WORDS
from campaign.worker import Case, Kind, run_cases
from campaign.world import World, make_world
from hardware import write_results
from twobirds.machine import describe_machine

_INPUTS_PER_PART = 250
_SHARES = {"deceiving image": 1, "damaged image": 6, "sound image": 4, "command": 1}
"""How often a kind comes; 2 where nothing is said."""
_IN_ENVIRONMENTS = ("train paper", "pack", "export", "evaluate")
"""Commands that are tried in environments; the others take longer, and do what these do."""


@dataclass(frozen=True)
class Settings:
    """What to do."""

    inputs: int = 10_000
    """Hostile inputs."""
    start: int = 0
    """Number of the first of them: the same number is the same input."""
    kills: int = 200
    """Kills that hit a command at work; their moments are those of the piece that begins here."""
    jobs: tuple[str, ...] = ()
    """Which commands are killed and tried in environments; none means all, or of environments
    those that take seconds."""
    environments: bool = True
    """Whether to try full disks, missing rights and the like."""
    surroundings: bool = True
    """Whether to try odd variables, locales, folders and streams."""
    pythons: tuple[Path, ...] = ()
    """Interpreters with TwoBirds installed, such as its wheel, that must make the same."""
    requests: int = 300
    """Hostile requests to the HTTP API, always the first ones of the seed."""
    users: int = 50
    """Users of the page at a time."""
    user_seconds: float = 600.0
    """For how long."""
    user_pause: float = 75.0
    """Between the visits of one of them, on average, in seconds: what one core can serve."""
    add: bool = False
    """Put the results together with those at OUT, which are of other inputs."""
    seed: int = 0
    """Of everything random."""
    world: Path | None = None
    """Folder of the faces, pack and models that all works on, made if it is not there and kept
    for the next piece; default a temporary one."""
    scratch: Path | None = None
    """Where to work; default a temporary folder."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    torch.set_num_threads(1)  # sums are taken in one order, and a child may be forked
    warnings.simplefilter("ignore")
    results: dict[str, Any] = {"benchmark": "campaign", "seed": settings.seed, "seconds": 0}
    if settings.add and settings.out is not None and settings.out.exists():
        results = put_together(json.loads(settings.out.read_text()), results)
    results["hardware"] = describe_machine(torch.device("cpu"))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=settings.scratch) as scratch:
        for part in _parts(settings, Path(scratch)):
            seconds, started = time.monotonic() - started, time.monotonic()
            part |= {"seed": settings.seed, "seconds": round(seconds)}
            results = put_together(results, part)
            write_results(settings.out, results)  # what is done stays done if the rest is killed
    faults = [f for name in SECTIONS for f in results.get(name, {}).get("faults", [])]
    print(f"campaign: {len(faults)} faults in {results['seconds']} s")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _parts(settings: Settings, folder: Path) -> Iterator[dict[str, Any]]:
    """Carry out the parts of a campaign that are wanted; gives the results of each."""
    with _quiet():
        world = make_world(settings.world or folder / "world")
    yield from _inputs(settings, world, folder)
    every = make_jobs(world, folder / "jobs")
    jobs = {name: every[name] for name in settings.jobs or every}
    each, seed = -(-settings.kills // len(jobs)), f"{settings.seed} {settings.start}"
    for name, job in jobs.items():
        if each:
            for kill in _told(kill_job(name, job, each, seed), each, f"kills of {name}"):
                yield {"kills": summary_of_kills([kill])}
    for name, job in jobs.items():
        if name not in (settings.jobs or _IN_ENVIRONMENTS):
            continue
        failing = try_environments(name, job) if settings.environments else ()
        odd = try_surroundings(name, job, settings.pythons) if settings.surroundings else ()
        for trial in _told(itertools.chain(failing, odd), 0, f"{name} in"):
            yield {"environments": summary_of_trials([trial])}
    if settings.requests:
        model, count = world.model("modern"), settings.requests
        found = try_requests(model, folder / "requests", count=count, seed=settings.seed)
        yield {"requests": found}
    if settings.users:
        page = serve_users(
            world.model("modern"),
            folder / "page",
            users=settings.users,
            seconds=settings.user_seconds,
            pause=settings.user_pause,
            seed=settings.seed,
        )
        yield {"page": page}


def _inputs(settings: Settings, world: World, folder: Path) -> Iterator[dict[str, Any]]:
    """Try hostile inputs; gives the results of some hundreds at a time."""
    kinds: dict[str, Kind] = {**IMAGES, **SOURCES, **KNOWN_TABLES, **KNOWN_PICTURES, **WORDS}
    kinds |= weight_kinds(world) | command_kinds(world)
    importlib.import_module("torch._dynamo")  # slow, and makes a folder among temporary files
    cases = _cases(list(kinds), settings.start, settings.inputs)
    for first in range(0, len(cases), _INPUTS_PER_PART):
        part = cases[first : first + _INPUTS_PER_PART]
        outcomes = _told(run_cases(kinds, part, folder, settings.seed), len(part), "inputs")
        start = settings.start + first
        yield {"hostile_inputs": summary_of_inputs(list(outcomes), start)}


def _cases(kinds: Sequence[str], start: int, count: int) -> list[Case]:
    """Cases of all kinds by their shares, in turn."""
    turn = [kind for kind in kinds for _ in range(_SHARES.get(kind, 2))]
    return [(turn[number % len(turn)], number) for number in range(start, start + count)]


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

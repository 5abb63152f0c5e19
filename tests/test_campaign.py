"""The campaign sees what it looks for: each of its checks is given a fault that it must find."""

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twobirds.errors import InputError

FOLDER = Path(__file__).parent.parent / "benchmarks"
MODULES = ("observe", "worker", "power", "damage", "images", "sources", "words")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def campaign() -> Iterator[Any]:
    """The modules of the campaign by their names."""
    sys.path.insert(0, str(FOLDER))
    try:
        loaded = {n: __import__(f"campaign.{n}", fromlist=["campaign"]) for n in MODULES}
        yield SimpleNamespace(**loaded)
    finally:
        sys.path.remove(str(FOLDER))
        for name in [name for name in sys.modules if name.partition(".")[0] == "campaign"]:
            del sys.modules[name]


def refuse() -> str:
    raise InputError("no such thing")


def refuse_and_leave() -> str:
    Path("half").touch()
    raise InputError("no such thing")


def escape() -> str:
    (Path.cwd().parent.parent / "escaped").write_text("")
    return "done"


def take_memory() -> str:
    return "done" if len(b"\1" * (2 << 30)) else ""


def crash() -> str:
    os._exit(7)


FAULTS: dict[str, tuple[Callable[[], str], str]] = {
    "sound": (lambda: "done", "done"),
    "refusal": (refuse, "refused"),
    "traceback": (lambda: str(1 / 0), "traceback"),
    "left": (refuse_and_leave, "wrong"),
    "escape": (escape, "escape"),
    "memory": (take_memory, "memory"),
    "crash": (crash, "crash"),
}


def test_every_fault_is_seen_and_the_next_case_goes_on(campaign: Any, tmp_path: Path) -> None:
    kinds = {name: lambda _rng, _folder, act=act: act for name, (act, _) in FAULTS.items()}
    cases = [(name, number) for number, name in enumerate([*FAULTS, "sound"])]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 0))
    assert [outcome.end for outcome in outcomes] == [*(end for _, end in FAULTS.values()), "done"]
    by_kind = {outcome.kind: outcome for outcome in outcomes}
    assert "ZeroDivisionError" in by_kind["traceback"].what
    assert by_kind["left"].what == "refused, but left half"
    assert by_kind["escape"].what == str(tmp_path / "escaped")
    assert by_kind["memory"].megabytes > 2048
    assert [o.kind for o in outcomes if not o.is_fault] == ["sound", "refusal", "sound"]


def test_a_case_that_hangs_is_ended(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign.worker, "MAX_SECONDS", 0.5)
    kinds = {"hang": lambda *_: lambda: time.sleep(600), "sound": lambda *_: lambda: "done"}
    cases = [("hang", 0), ("sound", 1)]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 0))
    assert [outcome.end for outcome in outcomes] == ["hang", "done"]


def test_inputs_come_from_the_seed_alone(campaign: Any) -> None:
    content = bytes(range(256)) * 4
    damage = campaign.damage.damaged
    once, again = ([damage(content, random.Random(n)) for n in range(50)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 45
    assert content not in once


def test_some_of_every_kind_find_no_fault(campaign: Any, tmp_path: Path) -> None:
    kinds = {**campaign.images.IMAGES, **campaign.sources.SOURCES, **campaign.words.WORDS}
    del kinds["deceiving image"]  # takes seconds
    cases = [(kind, number) for number in range(4) for kind in kinds]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 1))
    assert [outcome for outcome in outcomes if outcome.is_fault] == []
    assert {outcome.end for outcome in outcomes} == {"done", "refused"}


# Power cuts


def after_power_cut(campaign: Any, folder: Path, act: Callable[[], None], seed: int) -> None:
    """What is left in a folder of what a child did there, its power cut at the end."""
    journal = folder.with_name(f"journal-{seed}")
    before = campaign.power.durable_files(folder)
    child = os.fork()
    if child == 0:
        try:
            campaign.power.Journal(journal).install()
            act()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    campaign.power.cut_power(folder, journal, before, random.Random(seed))


def contents_after(campaign: Any, tmp_path: Path, act: Callable[[Path], None]) -> set[bytes | None]:
    """All contents of a file `a`, first `old`, that twenty power cuts leave."""
    found: set[bytes | None] = set()
    for seed in range(20):
        folder = tmp_path / f"disk-{seed}"
        folder.mkdir()
        path = folder / "a"
        path.write_bytes(b"old")
        after_power_cut(campaign, folder, lambda path=path: act(path), seed)
        found.add(path.read_bytes() if path.exists() else None)
    return found


def replace_carelessly(path: Path) -> None:
    path.with_name("b").write_bytes(b"new content")
    path.with_name("b").replace(path)


def replace_without_folder(path: Path) -> None:
    with path.with_name("b").open("wb") as file:
        file.write(b"new content")
        file.flush()
        os.fsync(file.fileno())
    path.with_name("b").replace(path)


def replace_atomically(path: Path) -> None:
    from twobirds.atomic import write_atomically

    write_atomically(path, lambda file: file.write(b"new content"))


def test_a_power_cut_takes_what_was_not_flushed(campaign: Any, tmp_path: Path) -> None:
    careless = contents_after(campaign, tmp_path / "1", replace_carelessly)
    assert careless - {b"old", b"new content"}  # cut off, or gone
    assert contents_after(campaign, tmp_path / "2", replace_without_folder) == {
        b"old",
        b"new content",
    }
    assert contents_after(campaign, tmp_path / "3", replace_atomically) == {b"new content"}


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for number in range(1, 4):
        (tmp_path / str(number)).mkdir()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_small_campaign_finds_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaign", "--inputs=100", "--kills=12"]
    environment = os.environ | {"PYTHONPATH": str(FOLDER), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, f"--out={tmp_path}/campaign.json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "campaign.json").read_text())
    assert results["hostile_inputs"]["count"] == 100
    assert results["kills"]["count"] == 12
    faults = itertools.chain(*(results[n]["faults"] for n in ("hostile_inputs", "kills")))
    assert list(faults) == []

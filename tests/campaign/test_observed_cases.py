"""What a case does wrong is seen, and the next case goes on."""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from twobirds.errors import InputError

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def refuse() -> str:
    raise InputError("no such thing")


def refuse_and_leave() -> str:
    Path("half").touch()
    raise InputError("no such thing")


def escape() -> str:
    (Path.cwd().parent.parent / "escaped").write_text("")
    return "done"


def escape_in_c() -> str:
    torch.save({}, "../../escaped.pt")  # by a writer in C++, of which the interpreter sees nothing
    return "done"


def escape_by_a_link() -> str:
    Path("link").symlink_to("../..")
    Path("link/escaped").write_text("")
    return "done"


def change_the_input() -> str:
    np.lib.format.open_memmap("../in/array.npy", mode="r+")[0] = 1
    return "done"


def remove_the_input() -> str:
    shutil.rmtree("../in")
    return "done"


def run_a_program() -> str:
    return subprocess.run(["true"], check=True) and "done"


def connect() -> str:
    with socket.socket() as client:
        client.connect_ex(("127.0.0.1", 9))
    return "done"


def leave_open() -> str:
    HELD.append(os.open("file", os.O_WRONLY | os.O_CREAT))
    return "done"


def leave_temporary() -> str:
    tempfile.mkdtemp()
    return "done"


def take_memory() -> str:
    return "done" if len(b"\1" * (2 << 30)) else ""


def crash() -> str:
    os._exit(7)


def say(text: str) -> Callable[[], str]:
    def act() -> str:
        raise InputError(text)

    return act


HELD: list[int] = []
FAULTS: dict[str, tuple[Callable[[], str], str]] = {
    "sound": (lambda: "done", "done"),
    "refusal": (refuse, "refused"),
    "traceback": (lambda: str(1 / 0), "traceback"),
    "left": (refuse_and_leave, "wrong"),
    "temporary": (leave_temporary, "wrong"),
    "no sentence": (say("'width'"), "wrong"),
    "endless": (say("no such thing " * 10_000), "wrong"),
    "address": (say("cannot take <torch.Tensor object at 0x7f0000000000>"), "wrong"),
    "escape": (escape, "escape"),
    "escape in C": (escape_in_c, "escape"),
    "escape by a link": (escape_by_a_link, "escape"),
    "input": (change_the_input, "escape"),
    "removal": (remove_the_input, "escape"),
    "program": (run_a_program, "escape"),
    "network": (connect, "escape"),
    "leak": (leave_open, "leak"),
    "memory": (take_memory, "memory"),
    "crash": (crash, "crash"),
}
"""Faults, and how the campaign must say that they ended."""


def with_input(act: Callable[[], str]) -> Callable[[random.Random, Path], Callable[[], str]]:
    """The kind of case that writes an array and carries out an action."""

    def make(_rng: random.Random, folder: Path) -> Callable[[], str]:
        np.save(folder / "array.npy", np.zeros(4))
        return act

    return make


def test_every_fault_is_seen_and_the_next_case_goes_on(campaign: Any, tmp_path: Path) -> None:
    kinds = {name: with_input(act) for name, (act, _) in FAULTS.items()}
    cases = [(name, number) for number, name in enumerate([*FAULTS, "sound"])]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 0))
    expected = [*((name, end) for name, (_, end) in FAULTS.items()), ("sound", "done")]
    assert [(outcome.kind, outcome.end) for outcome in outcomes] == expected
    what = {outcome.kind: outcome.what for outcome in outcomes}
    assert "ZeroDivisionError" in what["traceback"]
    assert what["left"] == "refused, but left half"
    assert what["escape"] == what["escape by a link"] == str(tmp_path / "escaped")
    assert what["escape in C"] == str(tmp_path / "escaped.pt")
    assert what["input"] == str(tmp_path / "case/in/array.npy")
    assert (what["program"], what["network"]) == ("runs true", "connects to ('127.0.0.1', 9)")
    assert next(o.megabytes for o in outcomes if o.kind == "memory") > 2048
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
    kinds = {
        **campaign.images.IMAGES,
        **campaign.sources.SOURCES,
        **campaign.known_tables.KNOWN_TABLES,
        **campaign.words.WORDS,
    }
    del kinds["deceiving image"]  # takes seconds
    cases = [(kind, number) for number in range(4) for kind in kinds]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 1))
    assert [outcome for outcome in outcomes if outcome.is_fault] == []
    assert {outcome.end for outcome in outcomes} == {"done", "refused"}

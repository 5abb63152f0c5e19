"""The campaign sees what it looks for: each of its checks is given a fault that it must find."""

import http.server
import io
import itertools
import json
import mmap
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from twobirds.data.pack import hash_file, hash_header
from twobirds.data.packing import pack_source
from twobirds.errors import InputError

FOLDER = Path(__file__).parent.parent / "benchmarks"
MODULES = (
    "observe", "worker", "power", "damage", "images", "sources", "known", "known_tables", "words",
    "failing", "environment", "surroundings", "summary", "users", "visitors", "__main__",
)  # fmt: skip

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


# Packs of which the right one is known


def mistaken(**changes: Callable[[Any], Any]) -> Callable[..., Any]:
    """Something that makes packs with other arrays than it should."""

    def make(*arguments: Any, **options: Any) -> None:
        pack = pack_source(*arguments, **options)
        header = json.loads((pack.path / "pack.json").read_text())
        for name, change in changes.items():
            np.save(pack.path / f"{name}.npy", change(np.load(pack.path / f"{name}.npy")))
            header["sha256"][f"{name}.npy"] = hash_file(pack.path / f"{name}.npy")
        header["pack_sha256"] = hash_header(header)
        (pack.path / "pack.json").write_text(json.dumps(header))

    return make


def swap_rows(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array[1:], array[:1]])


def flip_one(array: np.ndarray) -> np.ndarray:
    array[-1, 0] ^= 1
    return array


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, ""),
        ({"attributes": flip_one}, r" of row \d+ is "),
        ({"images": swap_rows}, r" of row \d+ is "),
        ({"images": lambda images: images[..., ::-1]}, "of colour"),
        ({"images": lambda images: images // 2}, "of colour"),
        ({"identity": lambda people: people * 0}, "became"),
        ({"identity": np.arange(24).__add__}, "became"),
        ({"identity": lambda people: people * 0 - 1}, "unknown"),
        ({"split": lambda split: np.arange(len(split)).astype(np.uint8) % 3}, "split"),
    ],
)
def test_a_mistaken_pack_is_seen(
    campaign: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Callable[[Any], Any]],
    what: str,
) -> None:
    monkeypatch.setattr(campaign.known, "pack_source", mistaken(**changes))
    kinds = {"csv": campaign.known_tables.known_csv}
    cases = [("csv", number) for number in range(9)]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 0))
    ends = [outcome.end for outcome in outcomes if outcome.end != "refused"]
    if not what:
        assert ends == ["done"] * len(ends)
        return
    assert ends.count("wrong") >= len(ends) // 3  # not all sources say who is shown
    assert any(re.search(what, outcome.what) for outcome in outcomes)


def test_a_careless_refusal_is_seen(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_all(*_: Any, **__: Any) -> None:
        raise InputError("this source is not liked")

    monkeypatch.setattr(campaign.known, "pack_source", refuse_all)
    kinds = campaign.known_tables.KNOWN_TABLES
    outcomes = campaign.worker.run_cases(kinds, [("known celeba", 0)], tmp_path, 0)
    assert [o.what for o in outcomes] == ["a sound source was refused: this source is not liked"]


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


# Pieces and users


def test_pieces_are_put_together(campaign: Any) -> None:
    outcome, put_together = campaign.observe.Outcome, campaign.summary.put_together

    def piece(start: int, end: str, seconds: float) -> dict[str, Any]:
        outcomes = [outcome("zip", start, "done", seconds=1.0), outcome("zip", start + 1, end)]
        found = campaign.summary.summary_of_inputs(outcomes, start)
        return {"seed": 0, "seconds": seconds, "hostile_inputs": found}

    both = put_together(piece(0, "refused", 3), piece(2, "hang", 4))
    assert both["seconds"] == 7
    found = both["hostile_inputs"]
    assert (found["count"], found["numbers"]) == (4, [[0, 4]])
    assert found["ends"] == {"zip": {"done": 2, "refused": 1, "hang": 1}}
    assert (found["slowest_seconds"], found["limits"]["seconds"]) == (1.0, 30)
    assert [fault["number"] for fault in found["faults"]] == [3]
    with pytest.raises(ValueError, match="twice"):
        put_together(both, piece(1, "done", 1))
    with pytest.raises(ValueError, match="another seed"):
        put_together(both, piece(4, "done", 1) | {"seed": 1})


def test_a_trial_that_is_repeated_replaces_the_one_before(campaign: Any) -> None:
    summary, trial = campaign.summary.summary_of_trials, campaign.environment.Trial
    before = summary([trial("a", "pack", 1, "", "bad"), trial("b", "pack", None, "", "hung")])
    piece = summary([trial("a", "pack", 0, ""), trial("a", "export", 2, "no such thing")])
    both = campaign.summary.put_together(
        {"seed": 0, "seconds": 1, "environments": before},
        {"seed": 0, "seconds": 1, "environments": piece},
    )["environments"]
    assert both["codes"] == {"pack": {"a": 0, "b": None}, "export": {"a": 2}}
    assert both["count"] == 3
    assert [fault["fault"] for fault in both["faults"]] == ["hung"]


def test_each_finished_part_is_written(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "campaign.json"

    def parts(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"page": {"faults": ["first"]}}
        assert json.loads(out.read_text())["page"]["faults"] == ["first"]
        yield {"environments": {"count": 0, "codes": {}, "faults": []}}
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign.__main__, "_parts", parts)
    with pytest.raises(KeyboardInterrupt):
        campaign.__main__.main([f"--out={out}", f"--scratch={tmp_path}"])
    assert {"page", "environments", "hardware"} <= json.loads(out.read_text()).keys()


class Answers(http.server.BaseHTTPRequestHandler):
    """A server that gives everybody the same photo, and hostile users what they ask for."""

    photo = b""

    def do_GET(self) -> None:
        if "/call/" in self.path:
            answer = b'event: complete\ndata: [{"path": "/x"}]\n\n'
        else:
            answer = self.photo
        self.say(answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(b'["/x"]' if "upload" in self.path else b'{"event_id": "1"}')

    def say(self, answer: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_what_a_careless_server_does_is_seen(campaign: Any) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), (1, 2, 3)).save(buffer, format="PNG")
    Answers.photo = buffer.getvalue()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = campaign.visitors.Client(server.server_address[1], campaign.visitors.Tally())
        try:
            with pytest.raises(AssertionError, match="somebody else's photo"):
                campaign.visitors.be_patient(client, random.Random(0))
            with pytest.raises(AssertionError, match=": 200 "):
                campaign.visitors.be_hostile(client, random.Random(0))
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_does_not_end_is_killed_and_told(campaign: Any) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"
    for before, patience, faults in (
        (f"{deaf}; ", 0.2, ["the server did not end 0.2 s after SIGTERM"]),
        ("print(flush=True); ", 30, []),
    ):
        words = [sys.executable, "-c", f"{before}import time; time.sleep(60)"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            assert campaign.users.end_server(server, patience) == faults
            assert server.returncode < 0


def test_growth_files_and_tracebacks_are_faults(campaign: Any) -> None:
    judged = partial(campaign.users._judged, campaign.visitors.Tally())
    mebibytes = [100 << 20] * 50
    assert judged(mebibytes + [101 << 20] * 50, 2, 9.0, "", [".ses"])["faults"] == []
    found = judged(mebibytes + [110 << 20] * 50, 2, 9.0, "Traceback", ["twobirds-x"])["faults"]
    assert found == ["left twobirds-x", "the log has a traceback"]
    grown = [100 << 20] * 60 + [110 << 20] * 40
    assert judged(grown, 2, 9.0, "", [])["faults"] == ["memory grew by 10.0%"]


# Environments


def fill_the_disk(words: list[str]) -> int:
    (Path(words[0]) / "out").write_bytes(bytes(100_000))
    return 0


def say_and_leave(words: list[str]) -> int:
    (Path(words[0]) / "half").touch()
    sys.stderr.write("twobirds: error: no such thing\n")
    return 2


def map_memory(words: list[str]) -> int:
    mmap.mmap(-1, 1 << 28).close()  # not from what malloc keeps, which no limit forbids
    return 0


def stop_the_clock(words: list[str]) -> int:
    times = [time.time() for _ in range(20)]
    return int(times == sorted(times))


@pytest.mark.parametrize(
    ("act", "prepare", "fault"),
    [
        (lambda words: 0, lambda *_: None, ""),
        (lambda words: 5, lambda *_: None, "code 5"),
        (lambda words: 2, lambda *_: None, "no sentence"),
        (lambda words: 1 // 0, lambda *_: None, "ZeroDivisionError"),
        (say_and_leave, lambda *_: None, "left half"),
        (fill_the_disk, lambda *_: None, ""),
        (fill_the_disk, lambda failing, _: failing.limit_files(50_000), "File too large"),
        (fill_the_disk, lambda failing, _: failing.limit_open_files(0), "Too many open files"),
        (map_memory, lambda *_: None, ""),
        (map_memory, lambda failing, _: failing.limit_memory(1 << 20), "allocate memory"),
        (stop_the_clock, lambda failing, _: failing.jump_clock(), ""),
    ],
)
def test_what_a_failing_environment_does_is_seen(
    campaign: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[list[str]], int],
    prepare: Callable[[Any, Path], None],
    fault: str,
) -> None:
    job = SimpleNamespace(folder=tmp_path, begin=lambda: None, words=lambda: [str(tmp_path)])
    monkeypatch.setattr(campaign.environment, "main", act)
    environment = partial(prepare, campaign.failing, tmp_path)
    trial = campaign.environment._try("disk", "pack", job, environment)
    assert fault in trial.fault if fault else trial.fault == ""


def test_what_needs_an_administrator(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.getuid() or not campaign.failing.can_mount():
        pytest.skip("this process may not mount")
    job = SimpleNamespace(folder=tmp_path, begin=lambda: None, words=lambda: [str(tmp_path)])
    monkeypatch.setattr(campaign.environment, "main", fill_the_disk)
    for prepare, reason in (
        (partial(campaign.failing.put_on_small_disk, tmp_path, 50_000), "No space left"),
        (partial(campaign.failing.make_read_only, tmp_path), "Read-only file system"),
        (partial(campaign.failing.give_away, tmp_path), "Permission denied"),
    ):
        assert reason in campaign.environment._try("disk", "pack", job, prepare).fault


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo here > $3", ""),
        ("echo ${HOME-nowhere} > $3", "made something else"),
        ("test $HOME && echo here > $3", "code 1: "),
        ("echo Traceback >&2; echo here > $3", "traceback: Traceback"),
    ],
)
def test_what_odd_surroundings_change_is_seen(
    campaign: Any, tmp_path: Path, script: str, fault: str
) -> None:
    python, out = tmp_path / "python", tmp_path / "out"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o700)
    job = SimpleNamespace(begin=lambda: None, words=lambda: [str(out)], result=out.read_text)
    homeless = campaign.surroundings.Surroundings("no HOME", {"HOME": None}, python=str(python))
    assert campaign.surroundings._try("pack", job, homeless, "here\n").fault == fault


def test_what_must_be_refused_may_not_be_done(campaign: Any, tmp_path: Path) -> None:
    python, out = tmp_path / "python", tmp_path / "out"
    job = SimpleNamespace(begin=lambda: None, words=lambda: [str(out)], result=lambda: "here")
    gone = campaign.surroundings.Surroundings("gone", python=str(python), is_refused=True)
    for script, fault in (
        ("exit 0", "code 0: "),
        ("exit 2", "code 2: "),
        ("echo twobirds: error: no folder >&2; exit 2", ""),
    ):
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o700)
        assert campaign.surroundings._try("pack", job, gone, "here").fault == fault


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for number in range(1, 4):
        (tmp_path / str(number)).mkdir()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_small_campaign_finds_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaign", "--inputs=100", "--kills=12", "--users=0"]
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

"""What commands do in failing environments and odd surroundings is seen."""

import mmap
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


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

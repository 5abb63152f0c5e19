"""What the page keeps of its users, and for how long."""

import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from twobirds.apps.web.files import Files, sweep
from twobirds.apps.web.sessions import CallSessions
from twobirds.apps.web.shelf import Shelf


def test_downloads_keep_to_their_folder_and_go(tmp_path: Path) -> None:
    files = Files(tmp_path)
    path = files.write("../../x.png", b"1")
    assert path.name == "x.png"
    assert path.parent.parent == tmp_path
    kept = files.write("y.png", b"2")
    (tmp_path / "loose").write_bytes(b"3")
    long_ago = time.time() - 1000
    for old in (path.parent, tmp_path / "loose"):
        os.utime(old, (long_ago, long_ago))
    sweep(tmp_path, 300, keep=frozenset({path.parent}))
    assert [path.exists(), (tmp_path / "loose").exists()] == [True, False]
    sweep(tmp_path, 300)
    assert not path.exists()
    assert kept.read_bytes() == b"2"


def test_the_shelf_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("twobirds.apps.web.shelf.time.monotonic", lambda: now)
    shelf: Shelf[str] = Shelf(10, max_things=2)
    a, b = shelf.put("a"), shelf.put("b")
    now = 8.0
    assert shelf.get(a) == "a"  # and so it is kept for as long again
    now = 15.0
    assert [shelf.get(a), shelf.get(b), shelf.get(None), shelf.get("?")] == ["a", None, None, None]
    c, d = shelf.put("c"), shelf.put("d")
    assert [shelf.get(a), shelf.get(c), shelf.get(d)] == [None, "c", "d"]  # two at most
    shelf.drop(c)
    assert shelf.get(c) is None


def test_the_shelf_keeps_to_its_weight() -> None:
    shelf: Shelf[str] = Shelf(10, 9, weigh=len, max_weight=5)
    a, b, c = shelf.put("aa"), shelf.put("bb"), shelf.put("cc")
    assert [shelf.get(a), shelf.get(b), shelf.get(c)] == [None, "bb", "cc"]
    shelf.replace(c, "ccccccc")
    assert [shelf.get(b), shelf.get(c)] == [None, "ccccccc"]
    shelf.replace(c, "cc")
    b = shelf.put("bb")
    d = shelf.put("heavier than all")
    assert [shelf.get(b), shelf.get(c), shelf.get(d)] == [None, None, "heavier than all"]


def test_files_go_when_the_clock_is_put_back(tmp_path: Path) -> None:
    now = time.time()
    for name, age in (("new", 0), ("old", 400), ("future", -86_400)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    sweep(tmp_path, 300)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_the_sessions_of_calls_end() -> None:
    class Holder:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.session_data: dict[str, int] = {"page": 0, "call": 1, "late": 2}
            self.time_last_used = dict(self.session_data)

    page = SimpleNamespace(state_holder=Holder())
    calls = CallSessions(page, seconds=0.05)  # type: ignore[arg-type]
    calls.answered("call")
    assert len(page.state_holder.session_data) == 3  # its answer is being fetched
    time.sleep(0.06)
    calls.answered("late")
    assert set(page.state_holder.session_data) == set(page.state_holder.time_last_used)
    assert set(page.state_holder.session_data) == {"page", "late"}

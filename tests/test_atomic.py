"""Files and folders are whole or absent, and one that cannot be written or read is named."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from twobirds import atomic
from twobirds.atomic import (
    new_folder,
    read_json,
    remove_unfinished,
    write_atomically,
    write_json,
)
from twobirds.errors import InputError


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file: Any) -> None:
        file.write(b"half of the new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert names_in(path.parent) == ["file"]


def test_json_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"é": [1, 2.5, None]}
    assert (tmp_path / "a.json").read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: is not valid JSON"):
        read_json(tmp_path / "a.json")


def test_unreadable_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"b\.json: cannot be read: No such file"):
        read_json(tmp_path / "b.json")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_json(tmp_path)


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with new_folder(tmp_path / "a") as folder:
        (folder / "file").write_text("content")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "file").read_text() == "content"
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "b") as folder:
        (folder / "file").write_text(str(1 / 0))
    with pytest.raises(InputError, match="a exists already"), new_folder(tmp_path / "a"):
        pass
    with new_folder(tmp_path / "a", replace=True) as folder:
        (folder / "other").touch()
    assert names_in(tmp_path) == ["a"]
    assert names_in(tmp_path / "a") == ["other"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems exchange folders in two steps")
def test_a_folder_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()

    def fail(*_: object) -> None:
        raise AssertionError("a kill between two renames would leave no folder")

    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, fail)
        monkeypatch.setattr(os, name, fail)
    with new_folder(tmp_path / "a", replace=True) as folder:
        (folder / "new").touch()
    assert names_in(tmp_path) == ["a"]
    assert names_in(tmp_path / "a") == ["new"]


def test_a_file_is_looked_at_before_it_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, lambda file: file.write(b"old"))

    def refuse(written: Path) -> None:
        assert written.read_bytes() == b"new"
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        write_atomically(path, lambda file: file.write(b"new"), before_replacing=refuse)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)  # as on other systems
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with (
        pytest.raises(InputError, match="a cannot be written: Permission denied"),
        new_folder(tmp_path / "a", replace=True) as folder,
    ):
        (folder / "new").touch()
    assert names_in(tmp_path) == ["a"]
    assert names_in(tmp_path / "a") == ["old"]


def test_a_full_disk_is_said_with_the_file(tmp_path: Path) -> None:
    def fill(_file: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(tmp_path / "state", fill)
    assert caught.value.filename == str(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_what_kills_have_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a (1).mp4"
    kept = [".a (1).mp4.tmp", ".a (1).mp4.12.tmp.txt", ".b.mp4.12.tmp", "a (1).mp4.12.tmp"]
    for name in (*kept, ".a (1).mp4.12.tmp"):
        (tmp_path / name).touch()
    seen: list[bool] = []

    def write(file: Any) -> None:
        remove_unfinished(path)  # of another process, while this one writes
        seen.append(Path(file.name).exists())

    write_atomically(path, write)
    assert seen == [True]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*kept, path.name])


def test_without_locks_no_temporary_file_is_taken_for_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a.mp4", list[bytes]()
    (tmp_path / ".a.mp4.12.tmp").touch()  # of a kill, or of another process

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    def write(file: Any) -> None:
        file.write(b"new")
        remove_unfinished(path)  # of another process, while this one writes

    monkeypatch.setattr("twobirds.atomic.fcntl.flock", refuse)
    write_atomically(path, write, before_replacing=lambda file: seen.append(file.read_bytes()))
    assert seen == [path.read_bytes()] == [b"new"]
    assert names_in(tmp_path) == [".a.mp4.12.tmp", "a.mp4"]

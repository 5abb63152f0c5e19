"""Where a pack is written: what is there already, full disks, links, interrupts."""

import shutil
from pathlib import Path

import pytest
from making_sources import (
    celeba_files,
    write_folder,
)

from twobirds.data import sources
from twobirds.data.files import Folder
from twobirds.data.pack import open_pack
from twobirds.data.packing import pack_source
from twobirds.errors import InputError


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".partial" in path.name]


def test_an_existing_target_is_never_touched(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/notes").write_text("mine")
    with pytest.raises(InputError, match="pack exists already: choose another name"):
        pack_source(source, tmp_path / "pack", size=16)
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["notes"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="pack cannot be written"):
        pack_source(source, tmp_path / "file" / "pack", size=16)


def test_what_appears_at_the_target_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())

    def appear(done: int, _total: int) -> None:
        if done == 12:
            (tmp_path / "pack").mkdir()
            (tmp_path / "pack/notes").write_text("mine")

    with pytest.raises(InputError, match="pack has appeared meanwhile: choose another name"):
        pack_source(source, tmp_path / "pack", size=16, progress=appear)
    assert (tmp_path / "pack/notes").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "pack"]

    def pack_too(done: int, _total: int) -> None:
        if done == 12:
            pack_source(source, tmp_path / "two", size=16)

    with pytest.raises(InputError, match="two has appeared meanwhile"):
        pack_source(source, tmp_path / "two", size=16, progress=pack_too)
    open_pack(tmp_path / "two", verify=True)


def test_a_target_that_cannot_be_made_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = tmp_path / "absent"  # a source is not even looked for
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for out in (".", tmp_path / "empty", "../empty", "./x/.."):
        with pytest.raises(InputError, match="is the folder you are in"):
            pack_source(absent, out, size=16)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.path.ismount", lambda path: str(path).endswith("empty"))
    with pytest.raises(InputError, match="empty is a mount point, which cannot be replaced"):
        pack_source(absent, "empty", size=16)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="file exists already"):
        pack_source(absent, "file", size=16)


def test_a_link_stands_for_where_it_leads(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    (tmp_path / "disk/empty").mkdir(parents=True)
    for name, target in (("one", "disk/empty"), ("two", "disk/absent")):
        (tmp_path / name).symlink_to(tmp_path / target)
        pack_source(source, tmp_path / name, size=16)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target / "pack.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "faces", "one", "two"]
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["absent", "empty"]


def test_a_disk_that_fills_up_meanwhile_is_said_with_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())

    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")  # of a write, the system names no file

    monkeypatch.setattr("twobirds.data.shard_writing.RowWriter.append", fill)
    with pytest.raises(InputError, match="pack cannot be written: No space left on device"):
        pack_source(source, tmp_path / "pack", size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_what_cannot_be_read_is_told_from_what_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())

    def refuse(_path: Path) -> Folder:
        raise PermissionError(13, "Permission denied", "faces/notes")

    monkeypatch.setattr(sources, "Folder", refuse)
    with pytest.raises(InputError, match="faces cannot be read: Permission denied"):
        pack_source(source, tmp_path / "pack", size=16)
    assert leftovers(tmp_path) == []


def test_a_full_disk_is_found_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    usage = shutil.disk_usage(tmp_path)._replace(free=9_215)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="has only 9,215 bytes free, but the images need 9,216"):
        pack_source(source, tmp_path / "pack", size=16)


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())

    def interrupt(done: int, total: int) -> None:
        assert len(leftovers(tmp_path)) == 1
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_source(source, tmp_path / "pack", size=16, progress=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces"]


def test_a_pack_that_cannot_be_opened_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise InputError(f"{path}/images.npy cannot be read: Too many open files")

    monkeypatch.setattr("twobirds.data.packing.open_pack", fail)
    source = write_folder(tmp_path / "faces", celeba_files(4))
    with pytest.raises(InputError, match="Too many open files"):
        pack_source(source, tmp_path / "out", size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]

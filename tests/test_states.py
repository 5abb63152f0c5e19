"""Training states are read back after writing, and a full disk is said as one."""

import resource
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from making_runs import differences
from twobirds import states
from twobirds.states import load_state, save_state

LAST, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


def state(number: int, num_weights: int = 4) -> dict[str, Any]:
    return {"number": number, "weights": torch.full((num_weights,), float(number))}


def save(folder: Path, number: int) -> None:
    save_state(folder / LAST, state(number), previous=folder / PREVIOUS)


def numbers_in(folder: Path) -> dict[str, int]:
    return {path.name: load_state(path)["number"] for path in folder.iterdir()}


def test_the_state_before_is_kept(tmp_path: Path) -> None:
    save(tmp_path, 1)
    assert numbers_in(tmp_path) == {LAST: 1}
    for number in (2, 3):
        save(tmp_path, number)
        assert numbers_in(tmp_path) == {LAST: number, PREVIOUS: number - 1}
    assert differences(load_state(tmp_path / LAST), state(3)) == []


def test_it_is_kept_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert numbers_in(tmp_path) == {LAST: 2, PREVIOUS: 1}


def test_a_kill_between_the_two_renames_leaves_no_third_file(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / PREVIOUS).hardlink_to(tmp_path / LAST)  # as it would be then
    save(tmp_path, 2)
    assert numbers_in(tmp_path) == {LAST: 2, PREVIOUS: 1}


def test_what_reads_back_damaged_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    write = torch.save

    def damage(content: dict[str, Any], file: Any) -> None:
        write(content, file)
        file.file.seek(300)
        file.file.write(b"\xff\xff\xff\xff")

    monkeypatch.setattr(states.torch, "save", damage)
    with pytest.raises(OSError, match="reads back damaged") as caught:
        save(tmp_path, 3)
    assert caught.value.filename == str(tmp_path / LAST)
    assert numbers_in(tmp_path) == {LAST: 2, PREVIOUS: 1}


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file can grow beyond 20,000 bytes, as if the disk were full then."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("num_weights", [5_000, 10_000, 1_000_000])
@pytest.mark.usefixtures("small_files")
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, num_weights: int) -> None:
    save(tmp_path, 1)
    with pytest.raises(OSError, match="File too large") as caught:
        save_state(tmp_path / LAST, state(2, num_weights), previous=tmp_path / PREVIOUS)
    assert caught.value.filename == str(tmp_path / LAST)
    assert numbers_in(tmp_path) == {LAST: 1}


def test_an_archive_cut_short_is_found(tmp_path: Path) -> None:
    save(tmp_path, 1)
    whole = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(whole[:-30])
    with pytest.raises(zipfile.BadZipFile):
        states._damaged_part(tmp_path / LAST)

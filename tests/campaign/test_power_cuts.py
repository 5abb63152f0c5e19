"""A simulated power cut takes what was not flushed, and nothing else."""

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for number in range(1, 4):
        (tmp_path / str(number)).mkdir()


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

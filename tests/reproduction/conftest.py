"""One whole reproduction of seconds, on drawn faces of 32 pixels."""

from collections.abc import Callable
from pathlib import Path

import pytest
from reproduction_budget import BUDGET

from making_runs import CPU
from twobirds.data.drawn import render_folder
from twobirds.data.engine import Engine
from twobirds.data.pack import Pack
from twobirds.data.packing import pack_source
from twobirds.reproduction.reproduce import reproduce


@pytest.fixture(scope="session")
def drawn_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack of 480 drawn faces of 32 pixels."""
    folder = tmp_path_factory.mktemp("drawn")
    render_folder(folder / "faces", count=480, size=32, seed=3, workers=1)
    return pack_source(folder / "faces", folder / "pack", size=32, engine=Engine(workers=1))


@pytest.fixture(scope="session")
def reproduce_into(drawn_pack: Pack) -> Callable[..., bool]:
    """Runs the experiments into a folder, within the tiny budget."""

    def run(out: Path, announce: Callable[[str], None] = lambda _: None) -> bool:
        return reproduce(drawn_pack, out, BUDGET, CPU, seed=0, announce=announce)

    return run


@pytest.fixture(scope="session")
def reproduction(
    tmp_path_factory: pytest.TempPathFactory, reproduce_into: Callable[..., bool]
) -> Path:
    """Folder of a complete reproduction; not to be changed."""
    out = tmp_path_factory.mktemp("reproduction")
    assert reproduce_into(out)
    return out

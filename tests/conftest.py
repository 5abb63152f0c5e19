"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
import torch

from making_runs import recipe, trained_run, write_pack
from twobirds.api import FaceModel
from twobirds.data.pack import Pack

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real faces and network files; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("TWOBIRDS_SHARED", REPOSITORY / "../shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}: set TWOBIRDS_SHARED")
    return folder


@pytest.fixture(autouse=True)
def _deterministic() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack of 24 faces of 32 pixels, random noise; 20 train, 4 valid."""
    return write_pack(tmp_path_factory.mktemp("packs") / "tiny")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Pack) -> Path:
    """A completed run of nine iterations over both stages; not to be changed."""
    return trained_run(tmp_path_factory.mktemp("runs") / "tiny", tiny_pack, recipe())


@pytest.fixture
def tiny_model(tiny_run: Path) -> FaceModel:
    """The model of `tiny_run`."""
    return FaceModel.load(tiny_run, device="cpu")

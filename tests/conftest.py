"""Fixtures that every test may use."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from making_cluster import running_cluster
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


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """A Ray cluster of two workers on this machine, to which this process is connected."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: it comes with the extra ray")
    with running_cluster(num_cpus=2) as address:
        import ray  # reads what running_cluster puts into the environment

        ray.init(address, log_to_driver=False, logging_level="error")
        yield
        ray.shutdown()

"""A small world made by the command line itself: drawn faces, a pack, a run of some iterations."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from tiny_run import TINY_RUN

from photos.making_photos import PlacedFaces
from twobirds import FaceModel
from twobirds.apps.cli import main


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    commands = (
        ["draw", f"{folder}/faces", "--count=96", "--size=32", "--workers=1"],
        ["pack", f"{folder}/faces", f"{folder}/pack", "--size=32"],
        ["train", "paper", f"--data={folder}/pack", f"--out={folder}/run", *TINY_RUN],
    )
    for command in commands:
        assert main(command) == 0, command
    return folder


@pytest.fixture(scope="session")
def image(world: Path) -> Path:
    return world / "faces/img_align_celeba/000003.png"


@pytest.fixture(scope="session")
def model(world: Path) -> str:
    """The option that names a model whose faces, unlike those of the run, are not all grey."""
    lively = FaceModel.load(world / "run", device="cpu")
    for weights in lively.networks.generator.parameters():
        weights.mul_(8)
    lively.save(world / "model")
    return f"--model={world}/model"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Two faces beside each other, as PNG."""
    left = astronaut()[:300, 80:400]
    Image.fromarray(np.hstack([left, left[:, ::-1]])).save(tmp_path / "two.png")
    return tmp_path / "two.png"


@pytest.fixture
def two_placed_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two faces are found in any photo, at places in one of 110x230 pixels."""
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda _: detector)

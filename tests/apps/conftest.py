"""A small world made by the command line itself: drawn faces, a pack, a run of some iterations."""

from pathlib import Path

import pytest

from twobirds.apps.cli import main

TINY_RUN = (
    "--size=32 --width=0.0625 --images=48 --device=cpu --set train.batch_size=8 "
    "model.num_shared=16 model.num_latents=8 model.num_attribute_hidden=8 "
    "train.log_every_images=16 train.sample_every_images=24"
).split()


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


@pytest.fixture
def model(world: Path) -> str:
    return f"--model={world}/run"

"""Drawn faces to learn from."""

import dataclasses
from pathlib import Path

import pytest

from making_runs import TRAIN
from twobirds.config import DataConfig, RunConfig
from twobirds.data.drawn import render_folder
from twobirds.data.engine import Engine
from twobirds.data.pack import Pack
from twobirds.data.packing import pack_source
from twobirds.recipes.baselines.config import CGANConfig


@pytest.fixture(scope="session")
def drawn_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack of 320 drawn faces of 32 pixels."""
    folder = tmp_path_factory.mktemp("drawn")
    render_folder(folder / "faces", count=320, size=32, seed=3, workers=1)
    return pack_source(folder / "faces", folder / "pack", size=32, engine=Engine(workers=1))


@pytest.fixture
def drawn_recipe() -> RunConfig:
    """150 iterations of 16 drawn faces with a small CGAN."""
    train = dataclasses.replace(
        TRAIN, images=2_400, batch_size=16, log_every_images=240, sample_every_images=10_000,
        learning_rate=1e-3,
    )  # fmt: skip
    return RunConfig("test", CGANConfig(width=1 / 8, num_latents=16), DataConfig(size=32), train)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Where a run goes."""
    return tmp_path / "run"

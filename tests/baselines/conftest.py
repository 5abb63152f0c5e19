"""Drawn faces to learn from."""

import dataclasses
from pathlib import Path

import pytest

from making_runs import MODEL, TRAIN
from twobirds.config import LossConfig, RunConfig
from twobirds.data.drawn import render_folder
from twobirds.data.pack import Pack
from twobirds.data.packing import pack_source


@pytest.fixture(scope="session")
def drawn_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack of 320 drawn faces of 32 pixels."""
    folder = tmp_path_factory.mktemp("drawn")
    render_folder(folder / "faces", count=320, size=32, seed=3, workers=1)
    return pack_source(folder / "faces", folder / "pack", size=32, workers=1)


@pytest.fixture
def drawn_recipe() -> RunConfig:
    """A recipe of 150 iterations of 16 faces, with small networks."""
    train = dataclasses.replace(
        TRAIN, images=2_400, batch_size=16, stage1_share=1.0, log_every_images=240,
        ema_half_life_images=0, balance_ratio=8.0, sample_every_images=10_000, learning_rate=1e-3,
    )  # fmt: skip
    model = dataclasses.replace(MODEL, width=1 / 8, num_latents=16, num_shared=64)
    return RunConfig(preset="test", model=model, loss=LossConfig(), train=train)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Where a run goes."""
    return tmp_path / "run"

"""The arithmetic on the device that is there: CUDA, an Apple GPU, or the CPU, beside the CPU's."""

import math
from pathlib import Path

import pytest
import torch

from making_runs import logged, modern_recipe, recipe, trained_run
from twobirds.api import FaceModel
from twobirds.config import RunConfig
from twobirds.data.pack import Pack
from twobirds.runtime import Runtime, pick_device
from twobirds.training.run import train_run

HERE = pick_device("auto")


@pytest.fixture
def faces() -> torch.Tensor:
    return torch.rand(3, 3, 32, 32) * 2 - 1


def same(here: torch.Tensor, cpu: torch.Tensor) -> None:
    torch.testing.assert_close(here.cpu(), cpu, rtol=0, atol=2e-3)


@pytest.fixture(params=["paper", "modern"])
def run(request: pytest.FixtureRequest, tmp_path: Path, tiny_pack: Pack, tiny_run: Path) -> Path:
    if request.param == "paper":
        return tiny_run
    return trained_run(tmp_path / "modern", tiny_pack, modern_recipe())


def test_a_model_answers_as_on_the_cpu(run: Path, faces: torch.Tensor) -> None:
    here, cpu = FaceModel.load(run, device="auto"), FaceModel.load(run, device="cpu")
    assert here.device.type == HERE.type
    same(here.recognize(faces), cpu.recognize(faces))
    same(here.reconstruct(faces), cpu.reconstruct(faces))
    same(here.edit(faces, {"Bald": 1}), cpu.edit(faces, {"Bald": 1}))
    same(here.generate(2, {"Bald": 1}, seed=3), cpu.generate(2, {"Bald": 1}, seed=3))


@pytest.mark.parametrize("config", [recipe(), modern_recipe()], ids=["paper", "modern"])
def test_training_goes_through(tmp_path: Path, tiny_pack: Pack, config: RunConfig) -> None:
    assert train_run(config, tiny_pack, tmp_path / "run", Runtime(HERE))
    lines = logged(tmp_path / "run")
    assert lines
    assert all(math.isfinite(value) for line in lines for value in line.values())

"""`twobirds train`: a run, one that was stopped, and networks whose features are compared."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_run import TINY_RUN

from onnx_files import write_judge
from twobirds import FaceModel
from twobirds.apps.cli import main
from twobirds.apps.train_command import UNFINISHED
from twobirds.checkpoint import load_run
from twobirds.config import to_dict
from twobirds.models.resnet import AttributeResNet
from twobirds.recipes.paper.config import PaperConfig


def test_train_leaves_a_run(world: Path) -> None:
    config, state = load_run(world / "run/checkpoint.pt")
    assert (config.preset, config.train.images, config.train.batch_size) == ("paper", 48, 8)
    recipe = config.recipe
    assert isinstance(recipe, PaperConfig)
    assert (config.data.size, recipe.width, recipe.num_latents) == (32, 0.0625, 8)
    assert state["iteration"] == 6
    assert json.loads((world / "run/config.json").read_text())["train"]["batch_size"] == 8
    assert sorted(p.name for p in (world / "run/samples").iterdir()) == [
        "000000024.png",
        "000000048.png",
    ]


def test_a_run_starts_from_the_config_of_another(world: Path, tmp_path: Path) -> None:
    words = ["train", str(world / "run/config.json"), f"--data={world}/pack", f"--out={tmp_path}/r"]
    assert main([*words, "--device=cpu", "--resume"]) == 0
    again, first = (
        FaceModel.load(folder, device="cpu") for folder in (tmp_path / "r", world / "run")
    )
    assert again.weights_sha256 == first.weights_sha256


def test_a_stopped_run_says_so_and_goes_on(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, "--minutes=1e-9"]) == UNFINISHED == 4
    captured = capsys.readouterr()
    assert captured.err.endswith(
        "twobirds: saved and stopped before all 48 images were shown, with samples in "
        f"{tmp_path}/run/latest.png; to go on, give the same command with --resume\n"
    )
    assert captured.err.startswith("training: 48 images (preset paper: 9,250,000), ")
    assert (tmp_path / "run/latest.png").is_file()
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 1
    assert main([*words, "--resume"]) == 0
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 6
    assert capsys.readouterr().out == (
        f"trained {tmp_path}/run; next: twobirds evaluate {tmp_path}/run --data {world}/pack\n"
    )
    assert main([*words, "--resume"]) == 0  # nothing left to do


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_training_in_order(
    number: int, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twobirds.recipes.paper.objective import IterativeGAN

    update = IterativeGAN.update

    def interrupted(self: IterativeGAN, *arguments: object) -> dict[str, torch.Tensor]:
        os.kill(os.getpid(), number)
        return update(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(IterativeGAN, "update", interrupted)
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main(words) == UNFINISHED
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 1


def test_training_against_the_features_of_another_model(world: Path, tmp_path: Path) -> None:
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, f"--feature-network={world}/run"]) == 0
    assert (
        to_dict(load_run(tmp_path / "run/checkpoint.pt")[0])["recipe"]["feature_source"]
        == "network"
    )


def test_training_against_the_features_of_a_judge_in_an_onnx_file(
    world: Path, tmp_path: Path
) -> None:
    """A network that the paper's VGG-16 stands for; the run goes on with the same one only."""
    size = json.loads((world / "run/config.json").read_text())["data"]["size"]
    path, _ = write_judge(AttributeResNet(size, 7).eval(), tmp_path / "judge.onnx")
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, f"--feature-network={path}"]) == 0
    config, state = load_run(tmp_path / "run/checkpoint.pt")
    assert to_dict(config)["recipe"]["feature_source"] == "network"
    assert state["feature_network_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    other, _ = write_judge(AttributeResNet(size, 5).eval(), tmp_path / "other.onnx")
    assert main([*words, "--resume", f"--feature-network={other}"]) == 2


@pytest.mark.slow
@pytest.mark.distributed
def test_training_under_torchrun(world: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    command = [*torchrun, "-m", "twobirds.apps.cli", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"trained {tmp_path}/run") == 1  # by one of the two
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 6

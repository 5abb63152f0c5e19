"""How runs stop, and how they fail: the last good checkpoint stays."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from making_runs import CPU, logged, recipe, run_state, trained_run
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import DivergenceError
from twobirds.training.iterative import IterativeGAN
from twobirds.training.run import train_run


def before_update(monkeypatch: pytest.MonkeyPatch, iteration: int, act: Any) -> None:
    """Have `act(objective)` called just before an iteration."""
    update = IterativeGAN.update

    def acting(self: IterativeGAN, batch: Batch, loader: Loader, now: int) -> dict[str, Tensor]:
        if now == iteration:
            act(self)
        return update(self, batch, loader, now)

    monkeypatch.setattr(IterativeGAN, "update", acting)


def poison(objective: IterativeGAN) -> None:
    with torch.no_grad():
        objective.players.generator.project.weight[0, 0] = torch.nan


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_the_running_iteration(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    handler = signal.getsignal(number)
    before_update(monkeypatch, 1, lambda _: os.kill(os.getpid(), number))
    assert not train_run(recipe(), tiny_pack, tmp_path / "run", CPU)
    assert run_state(tmp_path / "run")["iteration"] == 2
    assert signal.getsignal(number) is handler


def test_a_time_limit_stops_and_saves(tmp_path: Path, tiny_pack: Pack) -> None:
    assert not train_run(recipe(), tiny_pack, tmp_path / "run", CPU, max_seconds=0)
    assert run_state(tmp_path / "run")["iteration"] == 1


def test_a_poisoned_weight_stops_the_run_and_leaves_the_checkpoint(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained_run(
        tmp_path / "run", tiny_pack, recipe(train={"images": 16, "stage1_share": 1.0})
    )
    before = (run / "checkpoint.pt").read_bytes()
    before_update(monkeypatch, 4, poison)
    with pytest.raises(DivergenceError, match=r"before 20 images: .*g_adversarial.* not finite"):
        train_run(recipe(), tiny_pack, run, CPU, resume=True)
    assert (run / "checkpoint.pt").read_bytes() == before
    assert [line["iteration"] for line in logged(run)] == [3, 4]


def test_a_poisoned_weight_is_never_saved(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_update(monkeypatch, 3, poison)  # within a window
    config = recipe(train={"checkpoint_every_seconds": 0.0, "ema_half_life_images": 0})
    with pytest.raises(DivergenceError, match="weights of the generator are no longer finite"):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    state = run_state(tmp_path / "run")
    assert state["iteration"] == 3
    assert all(torch.isfinite(v).all() for n in state["networks"].values() for v in n.values())


def test_a_learning_rate_beyond_reason_is_reported(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(train={"learning_rate": 1e30})
    with pytest.raises(
        DivergenceError, match=r"d_adversarial.* not finite; .* lower learning rate"
    ):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_files_of_a_killed_save_are_removed(tmp_path: Path, tiny_pack: Pack) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".checkpoint.pt.123.tmp").write_bytes(b"half")
    trained_run(tmp_path / "run", tiny_pack, recipe(train={"images": 4}))
    assert not list((tmp_path / "run").glob(".*"))

"""How runs stop, and how they fail: the last good checkpoint stays."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from interruptions import before_update, poison
from PIL import Image
from torch import Tensor

from making_runs import CPU, logged, recipe, run_state, trained_run
from twobirds.atomic import try_lock
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.errors import DivergenceError, InputError
from twobirds.recipes.paper.objective import IterativeGAN
from twobirds.runtime import Runtime
from twobirds.training import lock, loop
from twobirds.training.lock import LOCK_FILE, only_leg
from twobirds.training.run import train_run

TWO = Runtime(torch.device("cpu"), rank=0, world_size=2)


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
    with Image.open(tmp_path / "run/latest.png") as samples:
        assert samples.height == 3 * 32
        labels, faces = np.hsplit(np.asarray(samples), [samples.width - 4 * 32])  # valid split
    assert (labels > 250).mean() > 0.7  # black on white
    for row in range(3):  # generated, real, reconstructed
        assert (labels[row * 32 : (row + 1) * 32] < 128).any()
    assert not (faces == 255).all(axis=(0, 2)).any()
    assert not (tmp_path / "run/samples").exists()


def test_a_poisoned_weight_stops_the_run_and_leaves_the_checkpoint(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, recipe(images=16, stage1_share=1.0))
    before = (run / "checkpoint.pt").read_bytes()
    before_update(monkeypatch, 4, poison)
    with pytest.raises(DivergenceError, match=r"before 28 images: .*g_adversarial.* not finite"):
        train_run(recipe(), tiny_pack, run, CPU, resume=True)
    assert (run / "checkpoint.pt").read_bytes() == before
    assert [line["iteration"] for line in logged(run)] == [3, 4]


def test_a_poisoned_weight_is_never_saved(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_update(monkeypatch, 3, poison)  # within a window
    config = recipe(checkpoint_every_seconds=0.0, ema_half_life_images=0)
    with pytest.raises(DivergenceError, match="weights of the generator are no longer finite"):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    state = run_state(tmp_path / "run")
    assert state["iteration"] == 3
    assert all(torch.isfinite(v).all() for n in state["networks"].values() for v in n.values())


def test_a_learning_rate_beyond_reason_is_reported(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(learning_rate=1e30)
    with pytest.raises(
        DivergenceError, match=r"d_adversarial.* not finite; no checkpoint .* lower learning rate$"
    ):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_files_of_a_killed_save_are_removed(tmp_path: Path, tiny_pack: Pack) -> None:
    (tmp_path / "run" / "samples").mkdir(parents=True)
    (tmp_path / "run" / ".checkpoint.pt.123.tmp").write_bytes(b"half")
    (tmp_path / "run" / "samples" / ".000000004.png.123.tmp").write_bytes(b"half")
    trained_run(tmp_path / "run", tiny_pack, recipe(images=4))
    assert not list((tmp_path / "run").rglob(".*"))


def test_unfinished_files_of_others_stay(tmp_path: Path, tiny_pack: Pack) -> None:
    judge = tmp_path / "run" / ".judge.safetensors.123.tmp"  # of an evaluation at work there
    judge.parent.mkdir()
    judge.write_bytes(b"half")
    trained_run(tmp_path / "run", tiny_pack, recipe(images=4))
    assert judge.read_bytes() == b"half"


# One leg at a time


def test_a_second_leg_in_the_folder_is_refused(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def start_another(_: IterativeGAN) -> None:
        for resume in (False, True):
            with pytest.raises(InputError, match=r"run: another process is training this run"):
                train_run(recipe(), tiny_pack, run, CPU, resume=resume)

    before_update(monkeypatch, 1, start_another)
    assert train_run(recipe(), tiny_pack, run, CPU)
    assert (run / LOCK_FILE).is_file()
    assert train_run(recipe(), tiny_pack, run, CPU, resume=True)  # the file alone locks nothing


def test_a_lock_taken_as_its_holder_leaves_nothing_behind_does_not_count(tmp_path: Path) -> None:
    with (tmp_path / LOCK_FILE).open("ab") as file:
        (tmp_path / LOCK_FILE).unlink()
        assert not try_lock(file.fileno())


def test_a_leg_that_fails_to_start_leaves_nothing_behind(tmp_path: Path, tiny_pack: Pack) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(InputError, match="batch"), only_leg(tmp_path / name, CPU):
            Loader(tiny_pack, batch_size=5, seed=0, runtime=TWO, flip=False)
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "empty").is_dir()


def test_a_leg_refused_to_one_process_is_refused_to_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Runtime(torch.device("cpu"), rank=1, world_size=2)
    monkeypatch.setattr(lock, "average_values", lambda refusals: (refusals + 1) / 2)
    with pytest.raises(InputError, match="another process"), only_leg(tmp_path / "run", second):
        pass
    assert not (tmp_path / "run").exists()


# Several processes


@pytest.mark.parametrize(("own_wish", "wish_of_the_other"), [(True, 0.0), (False, 1.0)])
def test_processes_agree_to_stop_every_16_iterations(
    monkeypatch: pytest.MonkeyPatch, own_wish: bool, wish_of_the_other: float
) -> None:
    asked: list[float] = []

    def average_with_the_other(wish: Tensor) -> Tensor:
        asked.append(wish.item())
        return (wish + wish_of_the_other) / 2

    monkeypatch.setattr(loop, "average_values", average_with_the_other)
    is_over = [loop._is_over(TWO, own_wish, iteration) for iteration in range(1, 33)]
    assert [i for i, over in enumerate(is_over, start=1) if over] == [16, 32]
    assert asked == [float(own_wish)] * 2  # no waiting for each other in between


def test_processes_go_on_while_none_wants_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "average_values", lambda wish: wish)
    assert not any(loop._is_over(TWO, False, iteration) for iteration in range(1, 33))


def test_one_process_stops_at_once() -> None:
    assert loop._is_over(CPU, True, 1)
    assert not loop._is_over(CPU, False, 16)

"""A run that was stopped and resumed equals one that never was, bit by bit."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from torch import Tensor

from making_runs import differences, logged, recipe, run_state, trained_run
from twobirds.checkpoint import load_run
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.recipes.paper.objective import IterativeGAN


def assert_same_run(run: Path, expected: Path) -> None:
    assert differences(run_state(run), run_state(expected)) == []
    assert logged(run) == logged(expected)
    samples = [sorted((r / "samples").iterdir()) for r in (run, expected)]
    assert [s.name for s in samples[0]] == [s.name for s in samples[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*samples, strict=True))


def stop_after(monkeypatch: pytest.MonkeyPatch, iterations: int) -> None:
    """Have the run stopped by SIGTERM in an iteration."""
    update = IterativeGAN.update

    def stopping(self: IterativeGAN, batch: Batch, loader: Loader, now: int) -> dict[str, Tensor]:
        if now == iterations - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, batch, loader, now)

    monkeypatch.setattr(IterativeGAN, "update", stopping)


def test_the_reference_holds_what_the_comparison_is_about(tiny_run: Path) -> None:
    state = run_state(tiny_run)
    assert set(state["networks"]) == {"generator", "discriminator", "generator_ema"}
    assert set(state["optimizers"]) == {"generator", "discriminator"}
    assert state["iteration"] == 9
    assert state["window_iterations"] == 1  # stopped inside a window
    assert any(line["num_discriminator"] + line["num_generator"] > 2 for line in logged(tiny_run))


# inside the first window; at its end; at the change of stages; inside the last window
@pytest.mark.parametrize("iterations", [2, 3, 5, 7])
def test_stopped_once(
    tmp_path: Path,
    tiny_run: Path,
    tiny_pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
    iterations: int,
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_after(patched, iterations)
        trained_run(run, tiny_pack, recipe())
    assert run_state(run)["iteration"] == iterations
    trained_run(run, tiny_pack, recipe(), resume=True)
    assert_same_run(run, tiny_run)


def test_stopped_after_every_iteration(tmp_path: Path, tiny_run: Path, tiny_pack: Pack) -> None:
    run = tmp_path / "run"
    for iterations in range(1, 10):
        trained_run(run, tiny_pack, recipe(), resume=True, max_seconds=0)
        assert run_state(run)["iteration"] == iterations
    assert_same_run(run, tiny_run)


def test_gone_back_to_an_earlier_checkpoint(
    tmp_path: Path, tiny_run: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_after(patched, 4)
        trained_run(run, tiny_pack, recipe())
    shutil.copy(run / "checkpoint.pt", tmp_path / "earlier.pt")
    trained_run(run, tiny_pack, recipe(), resume=True)
    shutil.copy(tmp_path / "earlier.pt", run / "checkpoint.pt")
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 9, "images": 3')  # as a kill would leave it
    trained_run(run, tiny_pack, recipe(), resume=True)
    assert_same_run(run, tiny_run)


def test_a_run_can_be_made_longer(tmp_path: Path, tiny_run: Path, tiny_pack: Pack) -> None:
    run = tmp_path / "run"  # stage 2 begins at 18 images in both legs
    trained_run(run, tiny_pack, recipe(images=20, stage1_share=0.9))
    assert trained_run(run, tiny_pack, recipe(), resume=True) == run
    assert differences(run_state(run)["networks"], run_state(tiny_run)["networks"]) == []


def test_a_longer_run_does_not_return_to_stage_1(tmp_path: Path, tiny_pack: Pack) -> None:
    run = tmp_path / "run"
    trained_run(run, tiny_pack, recipe())  # stage 2 begins at 18 of 36 images
    trained_run(run, tiny_pack, recipe(images=72), resume=True)
    assert {line["stage"] for line in logged(run) if line["images"] > 20} == {2}
    again = trained_run(tmp_path / "again", tiny_pack, load_run(run / "checkpoint.pt")[0])
    assert differences(run_state(again)["networks"], run_state(run)["networks"]) == []


def test_saving_often_changes_nothing(tmp_path: Path, tiny_run: Path, tiny_pack: Pack) -> None:
    config = recipe(checkpoint_every_seconds=0.0)
    run = trained_run(tmp_path / "run", tiny_pack, config)
    states = [run_state(run), run_state(tiny_run)]
    for state in states:
        state.pop("config")
    assert differences(*states) == []

"""A run keeps two checkpoints, and can go on from the one before the last."""

from pathlib import Path
from typing import Any

import pytest
import torch
from interruptions import before_update, poison

from making_runs import CPU, differences, logged, recipe, run_state, trained_run
from twobirds.checkpoint import PREVIOUS_CHECKPOINT_FILE, load_run
from twobirds.data.pack import Pack
from twobirds.errors import DeviceError, DivergenceError, InputError
from twobirds.training.logging import MetricsLog
from twobirds.training.run import train_run

EACH_ITERATION = {"checkpoint_every_seconds": 0.0}


def previous_iteration(run: Path) -> int:
    return int(load_run(run / PREVIOUS_CHECKPOINT_FILE)[1]["iteration"])


def test_a_run_rolled_back_ends_as_one_that_was_not(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(**EACH_ITERATION)
    short = recipe(images=20, stage1_share=0.9, **EACH_ITERATION)
    run = trained_run(tmp_path / "run", tiny_pack, short)
    assert (run_state(run)["iteration"], previous_iteration(run)) == (5, 4)
    trained_run(run, tiny_pack, config, resume="previous", max_seconds=0)  # one iteration
    assert (run_state(run)["iteration"], previous_iteration(run)) == (5, 4)
    trained_run(run, tiny_pack, config, resume=True)
    whole = trained_run(tmp_path / "whole", tiny_pack, config)
    assert differences(run_state(run), run_state(whole)) == []
    assert logged(run) == logged(whole)


def test_a_leg_with_nothing_to_do_keeps_the_checkpoint_before(
    tmp_path: Path, tiny_pack: Pack
) -> None:
    config = recipe(images=20, **EACH_ITERATION)
    run = trained_run(tmp_path / "run", tiny_pack, config)
    trained_run(run, tiny_pack, config, resume=True)
    assert (run_state(run)["iteration"], previous_iteration(run)) == (5, 4)


def test_there_must_be_something_to_roll_back_to(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(images=4)
    with pytest.raises(InputError, match=r"has no checkpoint\.previous\.pt to roll back to"):
        trained_run(tmp_path / "run", tiny_pack, config, resume="previous")
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint_names_the_way_out(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(images=12, **EACH_ITERATION)
    run = trained_run(tmp_path / "run", tiny_pack, config)
    damaged = bytearray((run / "checkpoint.pt").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (run / "checkpoint.pt").write_bytes(damaged)
    with pytest.raises(InputError, match=r"damaged.*add --rollback to go on from checkpoint\.prev"):
        trained_run(run, tiny_pack, config, resume=True)
    (run / "checkpoint.pt").unlink()
    with pytest.raises(InputError, match=r"checkpoint\.pt: is gone: add --rollback"):
        trained_run(run, tiny_pack, config, resume=True)
    with pytest.raises(InputError, match="already holds a run"):
        trained_run(run, tiny_pack, config)
    trained_run(run, tiny_pack, config, resume="previous")
    assert run_state(run)["iteration"] == 3


def test_divergence_names_both_ways_out(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_update(monkeypatch, 4, poison)
    with pytest.raises(DivergenceError, match=r"checkpoint stays in .*lower learning.*--rollback"):
        train_run(recipe(**EACH_ITERATION), tiny_pack, tmp_path / "run", CPU)
    assert run_state(tmp_path / "run")["iteration"] == 4


@pytest.mark.parametrize("error", [torch.AcceleratorError, torch.OutOfMemoryError])
def test_a_failing_device_leaves_the_checkpoint(
    tmp_path: Path,
    tiny_pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
    error: type[RuntimeError],
) -> None:
    def fail(_: Any) -> None:
        raise error("CUDA error: uncorrectable ECC error\nand a stack")

    before_update(monkeypatch, 2, fail)
    with pytest.raises(DeviceError, match=r"uncorrectable ECC error; the last good .*/run$"):
        train_run(recipe(**EACH_ITERATION), tiny_pack, tmp_path / "run", CPU)
    assert run_state(tmp_path / "run")["iteration"] == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("could not create a primitive"), "could not create a primitive"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "DefaultCPUAllocator: can't"),
        (MemoryError(), "it could not be allocated"),
    ],
)
def test_too_little_memory_leaves_the_checkpoint(
    tmp_path: Path,
    tiny_pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
) -> None:
    def fail(_: Any) -> None:
        raise error

    before_update(monkeypatch, 2, fail)
    sentence = rf"too little free memory: {reason}.*; the last good checkpoint stays in .*/run$"
    with pytest.raises(InputError, match=sentence):
        train_run(recipe(**EACH_ITERATION), tiny_pack, tmp_path / "run", CPU)
    assert run_state(tmp_path / "run")["iteration"] == 2


@pytest.mark.parametrize("saved", [False, True])
def test_a_full_disk_ends_with_a_sentence(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    def fill(self: MetricsLog, values: Any) -> None:
        raise OSError(28, "No space left on device", str(self.path))

    monkeypatch.setattr(MetricsLog, "write", fill)
    config = recipe(checkpoint_every_seconds=0.0 if saved else 1e9)
    left = r"the last good checkpoint stays in .*/run" if saved else "no checkpoint had been saved"
    with pytest.raises(InputError, match=rf"metrics\.jsonl: No space left on device; {left}"):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    assert (tmp_path / "run" / "checkpoint.pt").exists() == saved


def test_a_log_full_of_anything_does_not_stop_a_run(tmp_path: Path, tiny_pack: Pack) -> None:
    short, long = recipe(images=12), recipe(images=24)
    run, sound = (trained_run(tmp_path / name, tiny_pack, short) for name in ("run", "sound"))
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b"\0\xff\xfe[[{\n{}\n")  # what a power cut can leave
    for folder in (run, sound):
        trained_run(folder, tiny_pack, long, resume=True)
    assert logged(run) == logged(sound)

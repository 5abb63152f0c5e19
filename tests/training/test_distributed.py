"""Two processes train what one would (ADR 11)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from making_runs import differences, logged, run_state, still_recipe, trained_run
from twobirds.data.pack import Pack
from twobirds.states import load_state

pytestmark = pytest.mark.distributed
SCRIPT = Path(__file__).parent / "two_processes.py"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Pack) -> Path:
    out = tmp_path_factory.mktemp("pair")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parent.parent)}
    command = [sys.executable, str(SCRIPT), str(tiny_pack.path), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Pack) -> Path:
    """What one process makes of the same recipe."""
    return trained_run(tmp_path_factory.mktemp("single") / "run", tiny_pack, still_recipe())


@pytest.mark.parametrize("run", ["run", "modern"])
def test_both_processes_hold_the_same_bits(pair: Path, run: str) -> None:
    first, second = (load_state(pair / f"{run}-rank{rank}.pt") for rank in (0, 1))
    assert differences(first, second) == []
    assert differences(run_state(pair / run)["networks"], first) == []


def test_two_processes_gather_the_gradients_of_one(pair: Path, single: Path) -> None:
    optimizers: dict[str, Any] = run_state(pair / "run")["optimizers"]
    for name, expected in run_state(single)["optimizers"].items():
        moments = expected["state"]
        assert optimizers[name]["state"].keys() == moments.keys()
        largest = max(moment["exp_avg"].abs().max() for moment in moments.values())
        for index, moment in moments.items():
            found = optimizers[name]["state"][index]
            assert found["step"] == moment["step"]  # a head without a gradient takes no step
            gap = (found["exp_avg"] - moment["exp_avg"]).abs().max()
            assert gap < 1e-5 * largest, f"{name} {index}"


def test_two_processes_keep_the_statistics_of_one(pair: Path, single: Path) -> None:
    networks: dict[str, Any] = run_state(pair / "run")["networks"]
    for name, expected in run_state(single)["networks"].items():
        for key, value in expected.items():
            torch.testing.assert_close(networks[name][key], value, rtol=1e-4, atol=1e-6)


def test_two_processes_log_what_one_does(pair: Path, single: Path) -> None:
    lines, expected = logged(pair / "run"), logged(single)
    assert [line.keys() for line in lines] == [line.keys() for line in expected]
    for line, other in zip(lines, expected, strict=True):
        assert line == pytest.approx(other, rel=1e-4)


def test_a_batch_that_cannot_be_shared_out_is_refused_before_anything_is_written(
    pair: Path,
) -> None:
    for rank in (0, 1):
        text = (pair / f"refusal{rank}.txt").read_text()
        assert text == "batch_size 5 is not a multiple of the 2 processes"
    assert not (pair / "odd").exists()

"""Two processes train what one would (ADR 11)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from making_runs import differences, logged, run_state
from twobirds.checkpoint import load_state
from twobirds.data.pack import Pack

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


def cancelled_biases(weights: dict[str, Tensor]) -> set[str]:
    """Names of biases whose gradient is zero but for rounding: batch norm takes the mean off.

    Adam turns that rounding into steps of full size, of which nothing is left behind the norm.
    """
    names = {"project.bias", "classifier.hidden.bias"}
    names |= {f"upsample.{i}.bias" for i in range(3)}
    names |= {
        f"trunk.downsample.{i}.bias" for i in range(4) if f"trunk.norms.{i}.weight" in weights
    }
    return names


def test_both_processes_hold_the_same_bits(pair: Path) -> None:
    assert differences(load_state(pair / "rank0.pt"), load_state(pair / "rank1.pt")) == []
    state = run_state(pair / "run")
    assert differences(state["networks"], load_state(pair / "rank0.pt")) == []


def test_two_processes_train_what_one_does(pair: Path, tiny_run: Path) -> None:
    networks: dict[str, Any] = run_state(pair / "run")["networks"]
    for name, expected in run_state(tiny_run)["networks"].items():
        for key, value in expected.items():
            if key not in cancelled_biases(expected) and not key.endswith("running_mean"):
                found = networks[name][key]
                # Adam makes of rounding in a gradient near zero a step of up to its full size.
                gap = (found - value).abs()
                assert gap.mean() < 1e-3, f"{name}.{key}"
                assert gap.max() < 5e-3, f"{name}.{key}"


def test_two_processes_log_what_one_does(pair: Path, tiny_run: Path) -> None:
    lines, expected = logged(pair / "run"), logged(tiny_run)
    assert [line.keys() for line in lines] == [line.keys() for line in expected]
    for line, other in zip(lines, expected, strict=True):
        assert line == pytest.approx(other, rel=2e-3)


def test_a_batch_that_cannot_be_shared_out_is_refused_before_anything_is_written(
    pair: Path,
) -> None:
    for rank in (0, 1):
        text = (pair / f"refusal{rank}.txt").read_text()
        assert text == "batch_size 5 is not a multiple of the 2 processes"
    assert not (pair / "odd").exists()

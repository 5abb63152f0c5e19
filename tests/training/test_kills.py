"""A SIGKILL at any moment costs nothing but the time since the last checkpoint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from making_runs import differences, logged, run_state

SCRIPT = Path(__file__).parent / "killed_legs.py"


@pytest.mark.parametrize(
    ("num_kills", "seed"), [(4, 0), pytest.param(20, 1, marks=pytest.mark.slow)]
)
def test_killed_runs_go_on_as_if_nothing_had_happened(
    tmp_path: Path, num_kills: int, seed: int
) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parent.parent)}
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(num_kills), str(seed)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    iterations = json.loads(done.stdout)
    assert len(iterations) == num_kills
    assert iterations == sorted(iterations)  # no checkpoint was ever lost
    killed, reference = tmp_path / "killed", tmp_path / "reference"
    assert differences(run_state(killed), run_state(reference)) == []
    assert logged(killed) == logged(reference)
    assert not list(killed.glob(".*"))
    assert not list(killed.glob("samples/.*"))

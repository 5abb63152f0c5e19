"""`python -m twobirds`."""

import subprocess
import sys

import twobirds


def test_python_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twobirds", "--version"], capture_output=True, text=True, check=True
    )
    assert twobirds.__version__ in done.stdout

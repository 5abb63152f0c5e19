"""`python -m twobirds`."""

import subprocess
import sys

import twobirds


def test_python_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twobirds", "--version"], capture_output=True, text=True, check=True
    )
    assert twobirds.__version__ in done.stdout


def test_it_needs_no_streams() -> None:
    close = "import os, sys; os.closerange(0, 3); os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-m", "twobirds"]
    for words, code in ((["--version"], 0), (["check", "/nonexistent"], 2)):
        done = subprocess.run([sys.executable, "-c", close, *command, *words], check=False)
        assert done.returncode == code

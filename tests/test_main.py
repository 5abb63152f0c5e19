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


def test_a_current_folder_that_is_gone_is_told() -> None:
    leave = "import os, sys, tempfile; os.chdir(f := tempfile.mkdtemp()); os.rmdir(f)"
    script = f"{leave}; os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", script, sys.executable, "-m", "twobirds", "check", "/"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "twobirds: error: the current folder is gone: change to one that is there\n"
    )

"""Trainings that do nothing but end in some way, for test_jobs.py; children import them."""

import os
import signal
import time
from pathlib import Path

from twobirds.errors import InputError
from twobirds.training.loop import stop_on_signals


def write_down(folder: Path, name: str) -> bool:
    """Note when it began and ended, and with how many threads."""
    import torch

    began = time.monotonic()
    time.sleep(0.2)
    (folder / name).write_text(f"{began} {time.monotonic()} {torch.get_num_threads()}")
    return True


def end_by_name(folder: Path, name: str) -> bool:
    """Fail, die, interrupt the parent, or wait for a signal and say so."""
    match name:
        case "fails":
            raise InputError("this one fails")
        case "dies":
            os._exit(1)
        case "interrupts":
            os.kill(os.getppid(), signal.SIGINT)
    with stop_on_signals() as stopping:
        (folder / f"{name} began").touch()
        while not stopping():
            time.sleep(0.02)
    (folder / f"{name} stopped").touch()
    return False

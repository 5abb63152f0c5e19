"""Pools of processes: how they are counted, interrupted and lost."""

import os
import signal
import time

import pytest

from twobirds.data.processes import num_workers, process_pool
from twobirds.errors import InputError


def test_the_number_of_processes_is_checked() -> None:
    assert num_workers(3) == 3
    assert num_workers(None) >= 1
    for wrong in (0, -3):
        with pytest.raises(InputError, match=f"workers must be at least 1, not {wrong}"):
            num_workers(wrong)


def test_an_interrupt_is_left_to_the_parent() -> None:
    with process_pool(1, "rendering") as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_a_process_that_dies_is_told_in_a_sentence() -> None:
    with (
        pytest.raises(InputError, match=r"a rendering process died.*: try --workers 1"),
        process_pool(1, "rendering") as pool,
    ):
        pool.submit(os._exit, 1).result()


def test_what_has_not_begun_is_dropped() -> None:
    with process_pool(1, "rendering") as pool:
        tasks = [pool.submit(time.sleep, 0.05) for _ in range(50)]
        tasks[0].result()
    assert sum(task.cancelled() for task in tasks) > 40

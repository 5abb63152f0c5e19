"""Pools of processes: how they are counted, interrupted and lost."""

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

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


def die_while_sending(num_bytes: int) -> bytes:
    """A result of which the process sends the first half, and is killed."""

    def send_half(self: Connection, content: bytes, _write: Any = None) -> None:
        os.write(self.fileno(), bytes(content)[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    vars(connection)["Connection"]._send = send_half
    return bytes(num_bytes)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes")
@pytest.mark.timeout(60)
def test_a_process_that_is_killed_while_it_sends_is_told_at_once() -> None:
    with (
        pytest.raises(InputError, match="a decoding process died"),
        process_pool(2, "decoding") as pool,
    ):
        pool.submit(die_while_sending, 100_000).result()


@pytest.mark.timeout(60)
def test_a_process_that_is_killed_as_it_starts_is_told_at_once() -> None:
    with process_pool(2, "decoding") as pool:
        children = multiprocessing.active_children()
        assert len(children) == 2
        for child in children:
            child.kill()
        with pytest.raises(InputError, match="a decoding process died"):
            pool.submit(abs, -1).result()


def test_what_a_task_raises_is_raised() -> None:
    with process_pool(1, "rendering") as pool:
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        assert list(pool.map(abs, [-1, 2])) == [1, 2]


def test_what_has_not_begun_is_dropped() -> None:
    with process_pool(1, "rendering") as pool:
        tasks = [pool.submit(time.sleep, 0.05) for _ in range(50)]
        tasks[0].result()
    assert sum(task.cancelled() for task in tasks) > 40

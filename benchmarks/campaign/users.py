"""Many users of the page's server at a time; what each does is in `visitors`."""

import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from campaign.visitors import MANNERS, Client, Tally

_PATIENCE_SECONDS = 30
_OF_ONNXRUNTIME = ".ses"  # its file for telemetry, which it makes when it is imported
MAX_GROWTH = 0.02
"""Of the server's memory, once it is warm."""


def serve_users(
    model: Path, folder: Path, *, users: int, seconds: float, pause: float, seed: int
) -> dict[str, Any]:
    """Start the server, let users come, and end it.

    Args:
        model: What it serves.
        folder: Scratch; the server's temporary files lie in it.
        users: How many at a time.
        seconds: For how long.
        pause: Between the visits of one user, in seconds.
        seed: Of what they do.

    Returns:
        Plain data, with `faults`.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["app", f"--model={model}", f"--port={port}", "--requests-per-minute=0"]
    environment = os.environ | {"TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"}
    with (folder / "log").open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "twobirds", *words],
            stdout=subprocess.DEVNULL,
            stderr=file,
            env=environment,
        )
    tally = Tally()
    try:
        _wait(port, server)
        memory = _visit(Client(port, tally), server.pid, users, seconds, pause, seed)
    finally:
        tally.errors += end_server(server)
    log = (folder / "log").read_text()
    return _judged(tally, memory, users, seconds, log, sorted(os.listdir(temporary)))  # noqa: PTH208


def end_server(server: "subprocess.Popen[bytes]", patience: float = _PATIENCE_SECONDS) -> list[str]:
    """End the server, by SIGKILL where SIGTERM does not end it in some seconds.

    Returns:
        The fault, if it had to be killed.
    """
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(patience)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        return [f"the server did not end {patience:g} s after SIGTERM"]
    return []


def _visit(
    client: Client, server: int, users: int, seconds: float, pause: float, seed: int
) -> list[int]:
    """Let users come and go; returns the server's memory in bytes, every second."""
    end, memory = time.monotonic() + seconds, []

    def use(number: int) -> None:
        rng = random.Random(f"{seed} user {number}")
        time.sleep(rng.uniform(0, pause))
        while time.monotonic() < end:
            manner = rng.choice(MANNERS)
            try:
                manner(client, rng)
            except Exception as error:  # whatever it is, the user saw no answer
                client.tally.errors.append(f"{manner.__name__}: {error!r}"[:300])
            time.sleep(max(0.0, min(rng.uniform(0, 2 * pause), end - time.monotonic())))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        pages = Path(f"/proc/{server}/statm").read_text().split()[1]
        memory.append(int(pages) * os.sysconf("SC_PAGE_SIZE"))
        time.sleep(1)
    return memory


def _judged(
    tally: Tally, memory: list[int], users: int, seconds: float, log: str, left: list[str]
) -> dict[str, Any]:
    """The figures, and which of them are faults."""
    middle, late = len(memory) // 2, max(1, len(memory) // 10)
    warm, last = max(memory[middle : middle + late]), max(memory[-late:])
    faults = [*tally.errors[:20]]
    faults += [f"memory grew by {last / warm - 1:.1%}"] if last > (1 + MAX_GROWTH) * warm else []
    faults += [f"left {name}" for name in left if name != _OF_ONNXRUNTIME]
    faults += ["the log has a traceback"] if "Traceback" in log else []
    return {
        "users": users,
        "seconds": seconds,
        "answers": {what: len(times) for what, times in tally.seconds.items()},
        "median_seconds": {w: round(statistics.median(t), 3) for w, t in tally.seconds.items()},
        "p99_seconds": {
            what: round(float(np.percentile(times, 99)), 3) for what, times in tally.seconds.items()
        },
        "refusals_of_hostile_requests": tally.refusals,
        "errors": len(tally.errors),
        "memory_megabytes": {"warm": warm >> 20, "last": last >> 20},
        "files_left": left,
        "faults": faults,
    }


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: If it ends.
    """
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("the server ended before anybody came")

"""Many users of the page's server at a time; what each does is in `visitors`."""

import random
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from campaign.server import Server
from campaign.settling import resident_bytes
from campaign.visitors import MANNERS, Client, Tally

MAX_GROWTH = 0.02
"""Of the memory that the server holds, once it is warm."""
_NOTES_EVERY_SECONDS = 10.0
_MIN_NOTES = 30  # five minutes: caches of a younger server are still being filled


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
    tally = Tally()
    with Server(model, folder) as server:
        peak = _visit(Client(server.port, tally), server, users, seconds, pause, seed)
    faults = [*tally.errors[:20], *server.faults, *_faults_of_memory(server.noted_bytes())]
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
        "memory_megabytes": _memory(server.noted_bytes()) | {"peak": peak >> 20},
        "files_left": server.files_left(),
        "faults": faults,
    }


def _visit(
    client: Client, server: Server, users: int, seconds: float, pause: float, seed: int
) -> int:
    """Let users come and go; returns the peak of the server's resident memory in bytes."""
    end, peak = time.monotonic() + seconds, 0

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
    noted = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, resident_bytes(server.process.pid))
        if time.monotonic() - noted > _NOTES_EVERY_SECONDS:
            noted = time.monotonic()
            server.note_memory()
        time.sleep(1)
    return peak


def _memory(held: Sequence[int]) -> dict[str, Any]:
    """Megabytes that the server held when it was warm and at the end, and every one noted.

    Each is the median of a fifth of the notes: requests at work hold memory, too.
    """
    fifth = max(1, len(held) // 5)
    warm, last = held[len(held) // 2 :][:fifth], held[-fifth:]
    return {
        "warm": round(statistics.median(warm) / 2**20, 1) if warm else None,
        "last": round(statistics.median(last) / 2**20, 1) if last else None,
        "held": [num_bytes >> 20 for num_bytes in held],
    }


def _faults_of_memory(held: Sequence[int]) -> list[str]:
    """Whether the server grew after it was warm, which it is not in the first minutes."""
    memory = _memory(held)
    if not held:
        return ["the memory of the server is not known"]
    if len(held) < _MIN_NOTES:
        return []
    growth = memory["last"] / memory["warm"] - 1
    return [f"memory grew by {growth:.1%}"] if growth > MAX_GROWTH else []

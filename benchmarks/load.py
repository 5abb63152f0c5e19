"""Many users of the page at a time, on the loopback address.

Usage: `twobirds app --requests-per-minute 0` in one window, and in another
`python benchmarks/load.py http://127.0.0.1:7860/ --pid PID --out benchmarks/results/load.json`.
Each user uploads scikit-image's astronaut and asks for an edit, again and again.
"""

import io
import json
import math
import statistics
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import tyro
from PIL import Image
from skimage.data import astronaut

from hardware import write_results
from twobirds.machine import describe_machine

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    address: tyro.conf.Positional[str]
    """Where the page is served; on this machine."""
    pid: int | None = None
    """Process of the server, whose memory is watched."""
    users: int = 30
    """How many ask at a time."""
    seconds: float = 120.0
    """For how long."""
    out: Path | None = None
    """Where the results go, as JSON."""


@dataclass
class Tally:
    """What all users saw."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    buffer = io.BytesIO()
    Image.fromarray(astronaut()).save(buffer, format="JPEG")
    tally, end = Tally(), time.monotonic() + settings.seconds
    users = [
        threading.Thread(target=use, args=(settings.address, buffer.getvalue(), end, tally))
        for _ in range(settings.users)
    ]
    memory = [memory_bytes(settings.pid)]
    for user in users:
        user.start()
    while any(user.is_alive() for user in users):
        time.sleep(5)
        memory.append(memory_bytes(settings.pid))
    late = len(memory) // 2  # once it is warm, with as many sessions as are kept
    held = [bytes_ for bytes_ in memory if bytes_ is not None]
    results = {
        "benchmark": "load",
        "hardware": describe_machine(torch.device("cpu")),
        "users": settings.users,
        "answers": len(tally.seconds),
        "errors": tally.errors[:20],
        "median_seconds": statistics.median(tally.seconds or [math.nan]),
        "slowest_seconds": max(tally.seconds, default=math.nan),
        "memory_bytes_warm": memory[late],
        "memory_bytes_last": memory[-1],
        "memory_megabytes_every_5_seconds": [round(bytes_ / 1e6) for bytes_ in held],
    }
    print(json.dumps(results, indent=2))
    write_results(settings.out, results)
    return 1 if tally.errors else 0


def use(address: str, photo: bytes, end: float, tally: Tally) -> None:
    """One user."""
    number = 0
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            file = {"path": upload(address, photo), "meta": {"_type": "gradio.FileData"}}
            answer = call(address, "edit", [file, {"Smiling": number % 2}, 1])
        except Exception as error:  # whatever it is, the user saw no answer
            tally.errors.append(repr(error))
            time.sleep(1)
            continue
        if "event: complete" in answer:
            tally.seconds.append(time.monotonic() - started)
        else:
            tally.errors.append(answer[:200])
            time.sleep(1)
        number += 1


def upload(address: str, content: bytes) -> str:
    """Where the server put a file."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    paths: list[str] = json.loads(post(f"{address}gradio_api/upload", body, kind))
    return paths[0]


def call(address: str, name: str, data: list[Any]) -> str:
    """The events of a call, to the last."""
    body = json.dumps({"data": data}).encode()
    url = f"{address}gradio_api/call/{name}"
    event = json.loads(post(url, body, "application/json"))["event_id"]
    with urllib.request.urlopen(f"{url}/{event}", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        return str(answer.read().decode())


def post(url: str, body: bytes, kind: str) -> str:
    """The answer to a POST."""
    request = urllib.request.Request(url, body, {"Content-Type": kind})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        return str(answer.read().decode())


def memory_bytes(pid: int | None) -> int | None:
    """Resident memory of a process, on Linux."""
    if pid is None:
        return None
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.exit(main())

"""Many users of the page's server at a time: patient, slow, gone in between, and hostile.

Each patient user's photo has a mark of its own colour, which the edited photo must have, too. The
sliders of the page are not moved: a user asks the HTTP API for two strengths of an edit instead.
"""

import http.client
import io
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.data import astronaut

_TIMEOUT_SECONDS = 120
_SIDE, _MARK = 256, 24  # pixels: of a photo, and of the mark in its corner
_PATIENCE_SECONDS = 30
_OF_ONNXRUNTIME = ".ses"  # its file for telemetry, which it makes when it is imported
MAX_GROWTH = 0.02
"""Of the server's memory, once it is warm."""


@dataclass
class Tally:
    """What all users saw."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refusals: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, what: str, started: float) -> None:
        """Count an answer."""
        self.seconds.setdefault(what, []).append(time.monotonic() - started)


class Client:
    """One user's requests to a server on the loopback address."""

    def __init__(self, port: int, tally: Tally) -> None:
        self.port, self.tally = port, tally

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_SECONDS)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def upload(self, content: bytes) -> str:
        """Where the server put a file."""
        body, kind = _form(content)
        status, answer = self.ask("POST", "/gradio_api/upload", body, Content_Type=kind)
        if status != 200:
            raise RuntimeError(f"upload: {status}")
        return str(json.loads(answer)[0])

    def call(self, name: str, data: list[Any]) -> Any:
        """What an endpoint answers."""
        started, place = time.monotonic(), f"/gradio_api/call/{name}"
        body = json.dumps({"data": data}).encode()
        status, answer = self.ask("POST", place, body, Content_Type="application/json")
        if status != 200:
            raise RuntimeError(f"{name}: {status} {answer[:100]!r}")
        status, events = self.ask("GET", f"{place}/{json.loads(answer)['event_id']}")
        last = events.decode().strip().rpartition("event: ")[2]
        if not last.startswith("complete"):
            raise RuntimeError(f"{name}: {events[-200:]!r}")
        self.tally.add(name, started)
        return json.loads(last.partition("data: ")[2])[0]


def be_patient(client: Client, rng: random.Random) -> None:
    """Upload a marked photo, edit it twice, download it, and generate a face.

    Raises:
        AssertionError: If the photo that comes back is another's.
    """
    color = tuple(rng.randrange(256) for _ in range(3))
    pixels = np.array(Image.fromarray(astronaut()).resize((_SIDE, _SIDE)))
    pixels[-_MARK:, -_MARK:] = color
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    file = {"path": client.upload(buffer.getvalue()), "meta": {"_type": "gradio.FileData"}}
    for value in (0, 1):
        edited = client.call("edit", [file, {"Smiling": value}, None, None])
        started = time.monotonic()
        status, content = client.ask("GET", f"/gradio_api/file={edited['path']}")
        assert status == 200, f"download: {status}"
        client.tally.add("download", started)
        seen = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[-_MARK:, -_MARK:]
        assert (seen == color).all(), "somebody else's photo"
    client.call("generate", [{"Male": rng.randrange(2)}, 1, rng.randrange(1000)])


def be_slow(client: Client, rng: random.Random) -> None:
    """Upload a photo in small parts."""
    _send_parts(client.port, rng.randbytes(4_000), parts=20, pause=0.2)


def break_off(client: Client, rng: random.Random) -> None:
    """Go in the midst of an upload, or before a call has its answer."""
    if rng.random() < 0.5:
        _send_parts(client.port, rng.randbytes(100_000), parts=3, pause=0.1, sent=2)
        return
    body = json.dumps({"data": [{}, 1, 0]}).encode()
    client.ask("POST", "/gradio_api/call/generate", body, Content_Type="application/json")


def be_hostile(client: Client, rng: random.Random) -> None:
    """Ask for what nobody may have; anything but a refusal is an error.

    Raises:
        AssertionError: If it is given.
    """
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    bad = json.dumps({"data": [file]}).encode()
    call, kind = "/gradio_api/call/recognize", "application/json"
    tricks: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("GET", "/gradio_api/file=/etc/passwd", b"", {}),
        ("GET", "/gradio_api/file=../../../../etc/passwd", b"", {}),
        ("GET", "/gradio_api/file=http://127.0.0.1:1/", b"", {}),
        ("GET", "/..%2f..%2f..%2fetc/passwd", b"", {}),
        ("POST", call, bad, {"Content_Type": kind}),
        ("POST", call, bad, {"Content_Type": "text/plain"}),
        ("POST", call, bad, {"Content_Type": "multipart/form-data; boundary=x"}),
        ("POST", call, bad.decode().encode("utf-16"), {"Content_Type": kind}),
        ("POST", call, b"[" * 200_000, {"Content_Type": kind}),
        ("POST", call, b'{"data": [', {"Content_Type": kind}),
        ("POST", call, bytes(1_100_000), {"Content_Type": kind}),
        ("POST", "/gradio_api/upload", bytes(26_000_000), {"Content_Type": _form(b"")[1]}),
        ("POST", call, bad, {"Content_Type": kind, "Host": "rebound.example"}),
        ("POST", call, b"{}", {"Content_Type": kind, "Sec_Fetch_Site": "cross-site"}),
        ("GET", "/", b"", {"Host": "rebound.example"}),
    ]
    method, path, body, headers = rng.choice(tricks)
    try:
        status, answer = client.ask(method, path, body, **headers)
    except (ConnectionError, http.client.HTTPException):
        client.tally.refusals += 1  # it hung up on a body that is too large
        return
    assert 400 <= status < 500, f"{method} {path} {headers}: {status} {answer[:80]!r}"
    assert b"root:" not in answer
    client.tally.refusals += 1


_MANNERS = (*[be_patient] * 6, be_slow, break_off, break_off, be_hostile, be_hostile)


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
    server = subprocess.Popen(
        [sys.executable, "-m", "twobirds", *words],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
        env=environment,
    )
    tally = Tally()
    try:
        _wait(port, server)
        memory = _visit(Client(port, tally), server.pid, users, seconds, pause, seed)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(_PATIENCE_SECONDS)
    log = (folder / "log").read_text()
    return _judged(tally, memory, users, seconds, log, sorted(os.listdir(temporary)))  # noqa: PTH208


def _visit(
    client: Client, server: int, users: int, seconds: float, pause: float, seed: int
) -> list[int]:
    """Let users come and go; returns the server's memory in bytes, every second."""
    end, memory = time.monotonic() + seconds, []

    def use(number: int) -> None:
        rng = random.Random(f"{seed} user {number}")
        time.sleep(rng.uniform(0, pause))
        while time.monotonic() < end:
            manner = rng.choice(_MANNERS)
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


def _form(content: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _send_parts(
    port: int, content: bytes, *, parts: int, pause: float, sent: int | None = None
) -> None:
    """Upload a file in parts, or the first of them."""
    body, kind = _form(content)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    length = -(-len(body) // parts)
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.sendall(head.encode())
        for start in range(0, len(body), length)[:sent]:
            connection.sendall(body[start : start + length])
            time.sleep(pause)
        if sent is None and not connection.recv(1_000).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("a slow upload was not taken")


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

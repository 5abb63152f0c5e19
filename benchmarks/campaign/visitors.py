"""What one user of the page's server does: patient, slow, gone in between, or hostile.

Each patient user's photo has a mark of its own colour, which the edited photo must have, too. The
sliders of the page are not moved: a user asks the HTTP API for two strengths of an edit instead.
"""

import contextlib
import http.client
import io
import json
import random
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from skimage.data import astronaut

_TIMEOUT_SECONDS = 120
_MAX_JSON_BYTES, _MAX_FORM_BYTES = 1_000_000, 25_100_000  # of docs/security.md
_SIDE, _MARK = 256, 24  # pixels: of a photo, and of the mark in its corner


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

    def exchange(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of an answer.

        Raises:
            ConnectionError: If the connection is closed before the end of one.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_SECONDS)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            with contextlib.suppress(ConnectionError):  # it may answer before it has read all
                connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.IncompleteRead as error:
            raise ConnectionResetError("the answer is cut off") from error
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        status, _, content = self.exchange(method, path, body, **headers)
        return status, content

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


def may_hang_up(method: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether a server may close the connection without having read all of a request.

    It need not read a body that is too large, or that the method has no use for. An answer sent
    before may then be lost on its way.
    """
    kinds = [v for k, v in headers.items() if k.replace("_", "-") == "Content-Type"]
    is_form = any(kind.startswith("multipart/form-data") for kind in kinds)
    max_bytes = _MAX_FORM_BYTES if is_form else _MAX_JSON_BYTES
    return len(body) > max_bytes or (bool(body) and method != "POST")


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
    except ConnectionError:
        assert may_hang_up(method, body, headers), f"{method} {path} {headers}: it hung up"
        client.tally.refusals += 1
        return
    assert 400 <= status < 500, f"{method} {path} {headers}: {status} {answer[:80]!r}"
    assert b"root:" not in answer
    client.tally.refusals += 1


MANNERS = (*[be_patient] * 6, be_slow, break_off, break_off, be_hostile, be_hostile)
"""What a user does at a visit, by chance; some more often than others."""


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

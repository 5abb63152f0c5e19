"""Requests to the HTTP API that no client should make, as many as wanted from a seed."""

import json
import random
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass

_CALLS = ("recognize", "edit", "generate")
_PATHS = ("queue/join", "upload", "component_server", "cancel", "reset", "run/edit", "api/predict")
_JSON, _FORM = "application/json", "multipart/form-data"
_KINDS = (
    "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-7",
    "application/json;;;", "image/png", _FORM, f"{_FORM}; boundary=", f"{_FORM}; boundary=x",
    f"{_FORM}; boundary={'x' * 300}", "a" * 5_000, "\x7f",
)  # fmt: skip
_NUMBERS = (
    "0", "-1", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 4_000, "1e-400", "0.1",
    "65", "9007199254740993", "-0", "1E5000", "018",
)  # fmt: skip
_TEXTS = (
    "", "Male", "\0", "\x1b[2J", "\u202e", "x" * 100_000, "/etc/passwd", "../../etc/passwd",
    "http://127.0.0.1:1/", "file:///etc/passwd", "{}", "null", "'\"<script>", "👓", "\ud800",
    "%s%n", "\n", "a\r\nX-Made-Up: 1", "\u2028", "two\nlines.png",
)  # fmt: skip
_NAMES = (
    "data", "fn_index", "session_hash", "event_id", "trigger_id", "event_data", "path", "url",
    "meta", "_type", "orig_name", "Male", "Smiling", "simple_format", "batched", "request",
    "__proto__",
)  # fmt: skip


_SHARES = {"values": 3}
"""How often a kind comes; 1 where nothing is said."""
_FILES = (
    '; filename="a.png"', '; filename=""', "", '; filename="../../x"', '; filename="a\nb.png"',
    '; filename="a\r\nX-Made-Up: 1.png"', "; filename*=UTF-8''a%0d%0aX-Made-Up:1.png",
    '; filename="\x1b[2J.png"', f'; filename="{"x" * 300}.png"',
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request."""

    kind: str
    """What is wrong with it."""
    method: str
    path: str
    body: bytes
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.headers} {self.body[:100]!r}"[:400]


def any_request(rng: random.Random) -> Request:
    """A request of which nothing need fit."""
    kind = rng.choices(KINDS, [_SHARES.get(kind, 1) for kind in KINDS])[0]
    if kind == "file":
        return Request(kind, "GET", f"/gradio_api/file={_place(rng)}", b"", {})
    where = rng.choice(_CALLS) if rng.random() < 0.7 else ""
    path = f"/gradio_api/call/{where}" if where else f"/gradio_api/{rng.choice(_PATHS)}"
    if kind == "form" and rng.random() < 0.7:
        path = "/gradio_api/upload"
    body, content_type = _MAKERS[kind](rng)
    headers = {"Content-Type": rng.choice(_KINDS) if rng.random() < 0.15 else content_type}
    if rng.random() < 0.05:
        headers["Content-Encoding"] = rng.choice(("gzip", "br", "x"))
    method = "POST" if rng.random() < 0.95 else rng.choice(("PUT", "PATCH", "DELETE", "GET", "X"))
    return Request(kind, method, path, body, headers)


def _wrong_values(rng: random.Random) -> tuple[bytes, str]:
    """A call with values of which most do not fit."""
    values = ", ".join(_value(rng, 3) for _ in range(rng.choice((0, 1, 2, 3, 3, 4, 4, 9))))
    more = f", {json.dumps(rng.choice(_NAMES))}: {_value(rng, 1)}" if rng.random() < 0.2 else ""
    return f'{{"data": [{values}]{more}}}'.encode(), _JSON


def _value(rng: random.Random, depth: int) -> str:
    """Some JSON, of which Python's parser takes more than the standard has."""
    within: list[Callable[[], str]] = [
        lambda: f"[{', '.join(_value(rng, depth - 1) for _ in range(rng.randrange(4)))}]",
        lambda: "{" + ", ".join(_entry(rng, depth - 1) for _ in range(rng.randrange(4))) + "}",
    ]
    path = json.dumps(rng.choice(_TEXTS))
    leaves: list[Callable[[], str]] = [
        lambda: rng.choice(_NUMBERS),
        lambda: json.dumps(rng.choice(_TEXTS)),
        lambda: rng.choice(("null", "true", "false", "{}", "[]")),
        lambda: f'{{"Male": {rng.choice(_NUMBERS)}}}',
        lambda: f'{{"path": {path}, "meta": {{"_type": "gradio.FileData"}}}}',
    ]
    return rng.choice([*leaves, *(within if depth else [])])()


def _entry(rng: random.Random, depth: int) -> str:
    """A name and a value of an object."""
    return f"{json.dumps(rng.choice((*_NAMES, *_TEXTS)))}: {_value(rng, depth)}"


def _any_json(rng: random.Random) -> tuple[bytes, str]:
    """JSON that is no call."""
    return _value(rng, 4).encode(), _JSON


def _broken_json(rng: random.Random) -> tuple[bytes, str]:
    """A call with bytes that are missing, foreign or in another encoding."""
    body = bytearray(_wrong_values(rng)[0])
    match rng.randrange(4):
        case 0:
            del body[rng.randrange(len(body)) :]
        case 1:
            body[rng.randrange(len(body))] = rng.randrange(256)
        case 2:
            return body.decode().encode(rng.choice(("utf-16", "utf-32", "utf-8-sig"))), _JSON
        case _:
            body += rng.randbytes(5)
    return bytes(body), _JSON


def _nested(rng: random.Random) -> tuple[bytes, str]:
    """Brackets within brackets, closed or not."""
    depth = rng.choice((50, 900, 1_100, 20_000, 400_000))
    inner = b'{"a":' if rng.random() < 0.5 else b"["
    closing = (b"}" if inner != b"[" else b"]") if rng.random() < 0.7 else b""
    nested = (inner * depth)[:900_000] + b"1" + closing * min(depth, 900_000 // len(inner))
    return (b'{"data": [' + nested + b"]}")[: rng.choice((10**9, 10**9, 1_000_000))], _JSON


def _broken_form(rng: random.Random) -> tuple[bytes, str]:
    """A multipart form as no browser sends it."""
    boundary = rng.choice((uuid.UUID(int=rng.getrandbits(128)).hex, "", "-", "x" * 71, "a b", "\\"))
    parts = []
    for _ in range(rng.choice((0, 1, 2, 50))):
        name = rng.choice(("files", "data", "", "x" * 3_000))
        file = rng.choice(_FILES)
        disposition = f'Content-Disposition: form-data; name="{name}"{file}'
        head = rng.choice(
            (disposition, disposition, "", f"{disposition}\r\n{'A: b' * 5_000}", ":::")
        )
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + rng.randbytes(20))
    body = b"\r\n".join(parts) + rng.choice((f"\r\n--{boundary}--\r\n".encode(), b"", b"\r\n--"))
    if body and rng.random() < 0.3:
        body = body[: rng.randrange(len(body))]
    said = boundary if rng.random() < 0.8 else "other"
    return body, f"{_FORM}; boundary={said}"


def _place(rng: random.Random) -> str:
    """A file that nobody may have, as it stands in an address."""
    text = rng.choice((*_TEXTS, "/etc/passwd\n", "/proc/self/environ", "/dev/zero", "~/.bashrc"))
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass")[:3_000])


_MAKERS: dict[str, Callable[[random.Random], tuple[bytes, str]]] = {
    "values": _wrong_values,
    "broken JSON": _broken_json,
    "nested JSON": _nested,
    "other JSON": _any_json,
    "form": _broken_form,
    "file": lambda _: (b"", ""),
}
KINDS = tuple(_MAKERS)
"""Of requests."""

"""What the server makes of hostile requests: each is answered by a result or a refusal."""

import contextlib
import http.client
import json
import random
import socket
import time
import urllib.parse
from collections import Counter
from pathlib import Path
from typing import Any

from campaign.requests import Request, any_request
from campaign.server import Server
from campaign.visitors import Client, Tally, may_hang_up

_MAX_SENTENCE = 1_000  # characters
_INJECTED = "x-made-up"
_SLOW_SECONDS = 60.0  # in which headers that do not end must be cut off
Answer = tuple[int, http.client.HTTPMessage, bytes]
"""Status, headers and body."""


def try_requests(model: Path, folder: Path, *, count: int, seed: int) -> dict[str, Any]:
    """Start the server, send it hostile requests and headers that do not end, and end it.

    Args:
        model: What it serves.
        folder: Scratch; the server's temporary files lie in it.
        count: How many requests; the same number of a seed is the same request.
        seed: Of the requests.

    Returns:
        Plain data, with `faults`.
    """
    ends: dict[str, Counter[str]] = {}
    with Server(model, folder) as server:
        client, faults = Client(server.port, Tally()), []
        for number in range(count):
            request = any_request(random.Random(f"{seed} request {number}"))
            end, fault = end_of(client, request)
            ends.setdefault(request.kind, Counter())[end] += 1
            faults += [f"{number}: {fault}: {request}"] if fault else []
        seconds = seconds_of_slow_headers(server.port, _SLOW_SECONDS)
    if seconds is None:
        faults.append(f"headers of a byte a second were taken for {_SLOW_SECONDS:g} s")
    return {
        "count": count,
        "ends": {kind: dict(sorted(found.items())) for kind, found in sorted(ends.items())},
        "slow_headers_cut_off_after_seconds": seconds and round(seconds, 1),
        "faults": [*faults, *server.faults],
    }


def end_of(client: Client, request: Request) -> tuple[str, str]:
    """Send a request; how it ended, and what is wrong with that, nothing if it may end so."""
    method, path, body = request.method, request.path, request.body
    try:
        status, headers, answer = client.exchange(method, path, body, **request.headers)
        if status == 200 and method == "POST" and "/call/" in path:
            fault = _fault_of_event(client, f"{path}/{json.loads(answer)['event_id']}")
            return "event", fault
        if status == 200 and path.endswith("/upload") and (paths := json.loads(answer)):
            place = urllib.parse.quote(str(paths[0]))
            status, headers, answer = client.exchange("GET", f"/gradio_api/file={place}")
    except ConnectionError as error:
        is_right = may_hang_up(method, body, request.headers)
        return "hung up", "" if is_right else f"it hung up: {error!r}"
    except (TimeoutError, http.client.HTTPException) as error:
        return "no answer", f"no answer: {error!r}"
    if status == 200 and request.kind == "file":
        return "200", f"200: a file that nobody may have: {answer[:200]!r}"
    return str(status), _fault_of_answer((status, headers, answer))


def _fault_of_answer(answer: Answer) -> str:
    """What is wrong with an answer."""
    status, headers, content = answer
    if _INJECTED in headers:
        return f"{status}: a header of the request's making"
    is_right = status == 200 or (400 <= status < 500 and _is_short(content))
    return "" if is_right else f"{status}: {content[:200]!r}"


def _fault_of_event(client: Client, path: str) -> str:
    """What is wrong with how a call ended, which is complete, or an error with a sentence."""
    status, _, events = client.exchange("GET", path)
    last = events.decode().strip().rpartition("event: ")[2]
    if status == 200 and last.startswith("complete"):
        return ""
    content: Any = json.loads(last.partition("data: ")[2] or "null")
    said = str(content.get("error") or "") if isinstance(content, dict) else ""
    is_sentence = 5 < len(said) < _MAX_SENTENCE and "Traceback" not in said
    return "" if status == 200 and is_sentence else f"{status}: the event says {last[:200]!r}"


def _is_short(answer: bytes) -> bool:
    """Whether a refusal says something, without code of the server in it."""
    return 0 < len(answer) < 5_000 and b"Traceback" not in answer and b"site-packages" not in answer


def seconds_of_slow_headers(port: int, max_seconds: float, pause: float = 1.0) -> float | None:
    """Send a byte of a header at a time; after how long that is cut off, None if it is not."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(pause)
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < max_seconds:
                connection.sendall(b"x")
                with contextlib.suppress(TimeoutError):  # nothing to read is as it should be
                    if not connection.recv(1_000):
                        break
            else:
                return None
    return time.monotonic() - started

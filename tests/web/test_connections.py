"""Connections of clients that take too long to send a request's headers."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from twobirds.apps.web.connections import PromptHeaders

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Impatient(PromptHeaders):
    """Waits as briefly as a test does."""

    max_header_seconds = 0.3


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
    )
    await send({"type": "http.response.body", "body": body or b"."})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server with little patience."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Impatient, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def answer_to(connection: socket.socket, seconds: float) -> bytes:
    """What comes within some seconds, until the server closes the connection.

    Raises:
        TimeoutError: If it does not.
    """
    connection.settimeout(seconds)
    said = b""
    while part := connection.recv(1000):
        said += part
    return said


def drip(connection: socket.socket, content: bytes) -> None:
    """Send byte after byte until the server has closed the connection."""
    with contextlib.suppress(ConnectionError):
        for byte in content:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)


def test_a_connection_without_a_request_is_closed(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert answer_to(connection, 5) == b""


@pytest.mark.parametrize("before", [b"", REQUEST])
def test_headers_that_come_slowly_are_cut_off(port: int, before: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(before)
        started = time.monotonic()
        drip(connection, b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 500)
        assert 0.2 < time.monotonic() - started < 5  # of 10 seconds
        with contextlib.suppress(ConnectionError):
            assert answer_to(connection, 5).count(b"200 OK") == bool(before)


def test_what_follows_the_headers_may_take_longer(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", "1")
    connection.endheaders()
    time.sleep(0.5)
    connection.send(b"a")
    assert connection.getresponse().read() == b"a"
    connection.request("GET", "/")  # on the same connection
    assert connection.getresponse().read() == b"."
    connection.close()

"""Requests that no client should make, from a seed: refused, without a fault or a hang."""

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from making_scripts import imported_scripts

_NUM_REQUESTS = 40  # of the 300 of the campaign


@pytest.fixture(scope="module")
def campaign() -> Iterator[Any]:
    """The campaign's modules that make requests, and look at their answers."""
    names = ("answers", "requests", "visitors")
    with imported_scripts(*(f"campaign.{name}" for name in names)) as modules:
        yield SimpleNamespace(**dict(zip(names, modules.values(), strict=True)))


def faults_of(campaign: Any, address: str, numbers: range) -> tuple[list[str], Counter[str]]:
    """What is wrong with the answers to requests, and how many there were of each kind."""
    client = campaign.visitors.Client(urlsplit(address).port, campaign.visitors.Tally())
    seen, faults = Counter[str](), []
    for number in numbers:
        request = campaign.requests.any_request(random.Random(f"0 request {number}"))
        seen[request.kind] += 1
        end, fault = campaign.answers.end_of(client, request)
        if fault:
            faults.append(f"{number}: {end}: {fault}: {request}")
    return faults, seen


@pytest.mark.timeout(300)
def test_hostile_requests_are_refused(campaign: Any, address: str, server_log: Path) -> None:
    faults, seen = faults_of(campaign, address, range(_NUM_REQUESTS))
    assert faults == []
    assert set(seen) == set(campaign.requests.KINDS)
    assert "Traceback" not in server_log.read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_more_hostile_requests_are_refused(campaign: Any, address: str, server_log: Path) -> None:
    faults, seen = faults_of(campaign, address, range(_NUM_REQUESTS, 300))
    assert faults == []
    assert min(seen[kind] for kind in campaign.requests.KINDS) > 15
    assert "Traceback" not in server_log.read_text()


def asking(campaign: Any, **answers: tuple[int, dict[str, str], bytes]) -> Any:
    """A client that is always given the same answers."""
    return SimpleNamespace(exchange=lambda method, *_, **__: answers[method])


def posted(campaign: Any, body: bytes = b"", method: str = "POST") -> Any:
    """A call."""
    return campaign.requests.Request("values", method, "/gradio_api/call/edit", body, {})


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, b'{"detail": "no"}', ""),
        (400, b"", "400: b''"),
        (422, b"Traceback (most recent call last)", "422: b'Traceback"),
        (500, b"Internal Server Error", "500: b'Internal"),
    ],
)
def test_a_wrong_answer_is_seen(campaign: Any, status: int, body: bytes, fault: str) -> None:
    end, found = campaign.answers.end_of(
        asking(campaign, POST=(status, {}, body)), posted(campaign)
    )
    assert end == str(status)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


def test_a_file_that_nobody_may_have_is_seen(campaign: Any) -> None:
    request = campaign.requests.Request("file", "GET", "/gradio_api/file=/etc/passwd", b"", {})
    client = asking(campaign, GET=(200, {}, b"root:x:0:0"))
    end, fault = campaign.answers.end_of(client, request)
    assert (end, fault) == ("200", "200: a file that nobody may have: b'root:x:0:0'")


def test_a_header_of_the_requests_making_is_seen(campaign: Any) -> None:
    client = asking(campaign, POST=(400, {"x-made-up": "1"}, b"no"))
    assert "header" in campaign.answers.end_of(client, posted(campaign))[1]


@pytest.mark.parametrize(
    ("events", "is_fault"),
    [
        (b"event: complete\ndata: [1]\n\n", False),
        (b'event: error\ndata: {"error": "Photo is missing."}\n\n', False),
        (b'event: error\ndata: {"error": null}\n\n', True),
        (b"event: error\ndata: null\n\n", True),
    ],
)
def test_an_event_without_a_sentence_is_seen(campaign: Any, events: bytes, is_fault: bool) -> None:
    client = asking(campaign, POST=(200, {}, b'{"event_id": "1"}'), GET=(200, {}, events))
    end, fault = campaign.answers.end_of(client, posted(campaign))
    assert (end, bool(fault)) == ("event", is_fault)


@pytest.mark.parametrize(
    ("method", "num_bytes", "is_fault"),
    [("POST", 10, True), ("POST", 1_000_001, False), ("PUT", 10, False), ("GET", 0, True)],
)
def test_a_dropped_connection_is_a_refusal_only_of_what_need_not_be_read(
    campaign: Any, method: str, num_bytes: int, is_fault: bool
) -> None:
    def hang_up(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    request = posted(campaign, bytes(num_bytes), method)
    end, fault = campaign.answers.end_of(SimpleNamespace(exchange=hang_up), request)
    assert (end, bool(fault)) == ("hung up", is_fault)


def test_a_server_that_takes_slow_headers_is_seen(campaign: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert campaign.answers.seconds_of_slow_headers(port, 0.1, pause=0.01) is None
        thread = threading.Thread(target=lambda: [listening.accept()[0].close() for _ in range(2)])
        thread.start()
        assert campaign.answers.seconds_of_slow_headers(port, 30, pause=0.01) < 30
        thread.join()

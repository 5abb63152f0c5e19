"""Requests that no client should make, from a seed: refused, without a fault or a hang."""

import importlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
_NUM_REQUESTS = 300


@pytest.fixture(scope="module")
def campaign() -> Iterator[Any]:
    """The campaign's modules that make requests."""
    sys.path.insert(0, str(FOLDER))
    names = ("requests", "visitors")
    try:
        yield SimpleNamespace(**{n: importlib.import_module(f"campaign.{n}") for n in names})
    finally:
        sys.path.remove(str(FOLDER))
        for name in [name for name in sys.modules if name.partition(".")[0] == "campaign"]:
            del sys.modules[name]


@pytest.mark.timeout(300)
def test_hostile_requests_are_refused(campaign: Any, address: str, server_log: Path) -> None:
    client = campaign.visitors.Client(urlsplit(address).port, campaign.visitors.Tally())
    seen, faults = Counter[str](), []
    for number in range(_NUM_REQUESTS):
        request = campaign.requests.any_request(random.Random(f"0 request {number}"))
        seen[f"{request.method} {request.headers['Content-Type'].partition(';')[0]}"] += 1
        if fault := campaign.requests.fault_of(client, request):
            faults.append(f"{number}: {fault}: {request}")
    assert faults == []
    assert seen["POST application/json"] > _NUM_REQUESTS / 2
    assert seen["POST multipart/form-data"] > _NUM_REQUESTS / 20
    assert "Traceback" not in server_log.read_text()


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
    client = SimpleNamespace(ask=lambda *_, **__: (status, body))
    request = campaign.requests.Request("POST", "/gradio_api/call/edit", b"", {})
    assert campaign.requests.fault_of(client, request).startswith(fault)
    assert bool(campaign.requests.fault_of(client, request)) == bool(fault)


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
    answers = {"POST": (200, b'{"event_id": "1"}'), "GET": (200, events)}
    client = SimpleNamespace(ask=lambda method, *_, **__: answers[method])
    request = campaign.requests.Request("POST", "/gradio_api/call/edit", b"", {})
    assert bool(campaign.requests.fault_of(client, request)) == is_fault

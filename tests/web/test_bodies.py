"""Bodies of requests that are too large, too slow, too many or broken off."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from twobirds.apps.web.bodies import Bodies, RefusedError

FOREVER = 3600.0


def received(
    bodies: Bodies,
    parts: Sequence[bytes | float | None],
    length: int | None = None,
    max_bytes: int = 100,
) -> bytes:
    """A body of parts, among which numbers are seconds of silence; None breaks off."""
    left = list(parts)
    headers = [] if length is None else [(b"content-length", b"%d" % length)]

    async def receive() -> dict[str, Any]:
        while isinstance(part := left.pop(0), float):
            await asyncio.sleep(part)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    return asyncio.run(bodies.receive({"headers": headers}, receive, max_bytes))


@pytest.mark.parametrize(
    ("parts", "length", "status"),
    [
        ([b"a" * 60, b"b" * 60], None, 413),
        ([FOREVER], 101, 413),  # before anything of it comes
        ([FOREVER], 10**40, 413),
        ([b"a", FOREVER, b"b"], 2, 408),
        ([b"a", 0.15, b"b", 0.15, b"c", 0.15, b"d"], 4, 408),
        ([b"a", None], 20, 400),
    ],
)
def test_a_body_is_refused(
    parts: list[bytes | float | None], length: int | None, status: int
) -> None:
    bodies = Bodies(1000, max_silent_seconds=0.2, max_seconds=0.4)
    with pytest.raises(RefusedError) as refusal:
        received(bodies, parts, length)
    assert refusal.value.status == status
    assert bodies.num_bytes == 0


def test_bodies_that_are_not_answered_count_together() -> None:
    bodies = Bodies(100)
    first = received(bodies, [b"a" * 30, b"b" * 30])
    assert first == b"a" * 30 + b"b" * 30
    with pytest.raises(RefusedError) as refusal:
        received(bodies, [b"c" * 50])
    assert refusal.value.status == 503
    bodies.release(first)
    assert received(bodies, [b"c" * 50]) == b"c" * 50
    assert bodies.num_bytes == 50

"""How many requests one address may make."""

import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
App = Callable[
    [Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]
]

_WINDOW_SECONDS = 60.0
_MOST_ADDRESSES = 10_000  # remembered; the longest silent are forgotten first
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'self'"
)
"""Nothing is fetched from elsewhere, whatever a part of the page would like."""


class RateLimit:
    """Counts the requests of each address over a minute.

    Args:
        per_minute: Requests allowed; 0 allows all.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, address: str, now: float) -> bool:
        """Whether an address may make a request at a time in seconds; counts it if so."""
        if self.per_minute <= 0:
            return True
        times = self._times.setdefault(address, deque())
        self._times.move_to_end(address)
        while times and times[0] <= now - _WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self.per_minute:
            return False
        times.append(now)
        while len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)
        return True


class Guard:
    """ASGI middleware: limits what is asked of the queue and uploaded, and forbids other hosts.

    Args:
        app: The application.
        per_minute: Uploads and calls allowed for an address a minute; 0 allows all.
    """

    def __init__(self, app: App, per_minute: int) -> None:
        self.app, self.limit = app, RateLimit(per_minute)

    async def __call__(
        self,
        scope: Scope,
        receive: Callable[..., Awaitable[Any]],
        send: Callable[..., Awaitable[Any]],
    ) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = (scope.get("client") or ("unknown",))[0]
        if scope["method"] == "POST" and not self.limit.allows(address, time.monotonic()):
            await _refuse(send)
            return

        async def send_with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", [])]
                headers.append((b"content-security-policy", _POLICY.encode()))
                headers.append((b"referrer-policy", b"no-referrer"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_policy)


async def _refuse(send: Callable[..., Awaitable[Any]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"60")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    body = b'{"detail": "too many requests: try again in a minute"}'
    await send({"type": "http.response.body", "body": body})

"""Connections to the web server: how long a client may take to send a request's headers."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PromptHeaders(H11Protocol):
    """HTTP/1.1 that closes a connection whose next request does not begin in time.

    Without it a client that sends one byte of a header a second keeps its connection, and the file
    descriptor of it, for hours. Between two requests uvicorn's own limit holds, until the second
    has begun.
    """

    max_header_seconds = 20.0
    """From the connection, or the first byte of a later request, to the end of the headers."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the headers are complete, or wrong
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.max_header_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

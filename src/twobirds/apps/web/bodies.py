"""Bodies of requests: how large, how slow and how many at a time they may be."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import anyio

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_MAX_SILENT_SECONDS = 20.0  # between two parts of a body
_MAX_SECONDS = 600.0  # from its first part to its last
_MEGABYTE = 1_000_000


class RefusedError(Exception):
    """A request that is not taken.

    Args:
        status: HTTP's.
        why: For whoever asked.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Bodies:
    """Receives bodies, and counts the bytes of those that are not answered yet.

    Args:
        max_bytes: Of all of them together; more are refused until some are answered.
        max_silent_seconds: How long a sender may send nothing.
        max_seconds: How long a sender may take in all.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        max_silent_seconds: float = _MAX_SILENT_SECONDS,
        max_seconds: float = _MAX_SECONDS,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_silent_seconds, self.max_seconds = max_silent_seconds, max_seconds
        self.num_bytes = 0

    async def receive(self, scope: Scope, receive: Receive, max_bytes: int) -> bytes:
        """A request's body, which counts until `release`.

        Args:
            scope: Of the request.
            receive: Its messages.
            max_bytes: How large it may be.

        Raises:
            RefusedError: If it is larger, slower, or one too many, or its sender is gone.
        """
        _require_length(scope, max_bytes)
        parts: list[bytes] = []
        size, is_whole = 0, False
        try:
            with anyio.fail_after(self.max_seconds):
                while not is_whole:
                    part, is_whole = await self._part(receive)
                    parts.append(part)
                    size += len(part)
                    self.num_bytes += len(part)
                    if size > max_bytes:
                        raise _too_large(max_bytes)
                    if self.num_bytes > self.max_bytes:
                        raise RefusedError(503, "too many requests at a time: try again later")
            return b"".join(parts)
        except BaseException as error:
            self.num_bytes -= size
            if isinstance(error, TimeoutError):
                raise RefusedError(408, "the request took too long to arrive") from error
            raise

    async def _part(self, receive: Receive) -> tuple[bytes, bool]:
        """A part of a body, and whether it is the last."""
        with anyio.fail_after(self.max_silent_seconds):
            message = await receive()
        if message["type"] != "http.request":
            raise RefusedError(400, "the request was broken off")
        return message.get("body", b""), not message.get("more_body")

    def release(self, body: bytes) -> None:
        """A request is answered."""
        self.num_bytes -= len(body)


def _require_length(scope: Scope, max_bytes: int) -> None:
    """Refuse by what a request says of its length, before anything of it is received."""
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > max_bytes:
            raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError(413, f"too large: at most {max_bytes // _MEGABYTE} megabytes")

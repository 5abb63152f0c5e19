"""What the server takes of whom: how often, how much, and nothing by address."""

import json
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from twobirds.apps.display import note
from twobirds.apps.web import calls
from twobirds.apps.web.bodies import Bodies, Message, Receive, RefusedError, Scope

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_WINDOW_SECONDS = 60.0
_MAX_ADDRESSES = 10_000  # remembered; the longest silent are forgotten first
_MAX_JSON_BYTES = 1_000_000
_FORM_BYTES = 100_000  # of a multipart form beside the file in it
_MIN_HELD_BYTES = 300_000_000  # of all requests that are not answered yet, and two of the largest
_CALL = "/gradio_api/call/"
_FORMS = ("/gradio_api/upload", "/gradio_api/component_server")  # the second sends what is painted
_MISFIT = (422, 500)  # by which Gradio refuses what does not fit its own protocol
MCP_PATH = "/mcp"
"""Where the MCP server is, whose messages hold files."""
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        b"style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        b"connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'self'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""The page may load nothing from elsewhere, whatever a part of it would like."""


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
        while len(self._times) > _MAX_ADDRESSES:
            self._times.popitem(last=False)
        return True


def max_message(max_bytes: int) -> int:
    """Largest MCP message in bytes: two files of so many bytes in base64, and what is said."""
    return 2 * (max_bytes * 4 // 3) + _MAX_JSON_BYTES


class Guard:
    """ASGI middleware that refuses what is too often, too large, or names files of others.

    Gradio fetches a file that a call names by its address, and opens one that it names by its path
    on this machine; a call may name what was uploaded or handed out, and nothing else.

    Args:
        app: The application.
        per_minute: Uploads and calls allowed for an address a minute; 0 allows all.
        max_bytes: Largest file.
        folder: Where uploads and downloads lie.
        defaults: Of the values of each named endpoint; a call may leave out the last ones.
        files: Which of these values are files.
        has_mcp: Whether the MCP server is there, whose messages may be larger.
    """

    def __init__(
        self,
        app: App,
        per_minute: int,
        max_bytes: int,
        folder: Path,
        defaults: Mapping[str, Sequence[Any]] | None = None,
        *,
        files: Mapping[str, Sequence[int]] | None = None,
        has_mcp: bool = False,
    ) -> None:
        self.app, self.limit, self.max_bytes = app, RateLimit(per_minute), max_bytes
        self.folder, self.defaults = folder.resolve(), defaults or {}
        self.files, self.has_mcp = files or {}, has_mcp
        self.bodies = Bodies(max(_MIN_HELD_BYTES, 2 * max_message(max_bytes)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        if scope["method"] != "POST":
            await self._pass_on(scope, receive, send_with_headers)
            return
        body = b""
        try:
            max_bytes = self._admit(scope)
            body = await self.bodies.receive(scope, receive, max_bytes)
            replayed = _replayed(self._checked(scope, body), receive)
            await self._pass_on(scope, replayed, send_with_headers)
        except RefusedError as refusal:
            await _answer(refusal, send_with_headers)
        finally:
            self.bodies.release(body)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer.

        Raises:
            RefusedError: If it cannot make anything of a request in the page's own protocol.
        """
        path, is_misfit = str(scope.get("path", "")), False
        is_of_page = scope["method"] == "POST" and not path.startswith((_CALL, MCP_PATH))

        async def send_fit(message: Message) -> None:
            nonlocal is_misfit
            if is_of_page and message["type"] == "http.response.start":
                is_misfit = message["status"] in _MISFIT
            if not is_misfit:
                await send(message)

        try:
            await self.app(scope, receive, send_fit)
        except Exception as error:
            if is_misfit:
                note(f"refused: POST {path}: {type(error).__name__}: {error}")
            elif isinstance(error, RuntimeError) and isinstance(error.__cause__, HTTPException):
                # The answer says so already, and only has to end: no reason for a traceback.
                await send({"type": "http.response.body", "body": b""})
            else:
                raise
        if is_misfit:
            raise RefusedError(400, "the page takes no such request")

    def _admit(self, scope: Scope) -> int:
        """Count a POST, and say how many bytes its body may have.

        Raises:
            RefusedError: If there were too many.
        """
        address = (scope.get("client") or ("unknown",))[0]
        if not self.limit.allows(address, time.monotonic()):
            raise RefusedError(429, "too many requests: try again in a minute")
        if self.has_mcp and scope.get("path") == MCP_PATH:
            return max_message(self.max_bytes)
        return self.max_bytes + _FORM_BYTES if _is_form(scope) else _MAX_JSON_BYTES

    def _checked(self, scope: Scope, body: bytes) -> bytes:
        """The body of a POST, found harmless, and completed.

        Raises:
            RefusedError: If it is not to be taken.
        """
        path, kinds = str(scope.get("path", "")), _values(scope, b"content-type")
        if _is_form(scope):
            if path.rstrip("/") not in _FORMS:
                raise RefusedError(415, "forms are for uploads: calls are application/json")
            return body
        name = path.removeprefix(_CALL)
        if not body and name not in self.defaults:
            return body
        content = calls.parsed(kinds, body, self.folder)
        if name not in self.defaults:
            return body
        return calls.completed(content, name, self.defaults[name], self.files.get(name, ()))


def _is_form(scope: Scope) -> bool:
    """Whether a request says that it is a multipart form, as uploads are."""
    kinds = _values(scope, b"content-type")
    return bool(kinds) and all(kind.startswith(b"multipart/form-data") for kind in kinds)


def _values(scope: Scope, header: bytes) -> list[bytes]:
    """What a request has in a header."""
    return [value for name, value in scope["headers"] if name == header]


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Messages that begin with a body that was received already."""
    rest = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return rest.pop() if rest else await receive()

    return replay


async def _answer(refusal: RefusedError, send: Send) -> None:
    body = json.dumps({"detail": str(refusal)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if refusal.status in (429, 503):
        headers.append((b"retry-after", b"60"))
    if refusal.status in (408, 413, 503):  # the rest of the body is not wanted
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

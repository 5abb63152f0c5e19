"""From where requests come: another site's page may not reach the server through a browser."""

import json
from collections.abc import Sequence

from twobirds.apps.web.bodies import Receive, Scope
from twobirds.apps.web.limits import App, Send

_OWN_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]", "::1"))
_OWN_SITES = frozenset(("same-origin", "none"))  # "none": the user's own doing, as a bookmark
_POLICY_VIOLATION = 1008  # of RFC 6455


class OwnSite:
    """ASGI middleware that refuses requests that a page of another site made a browser send.

    A site can let its name lead to 127.0.0.1 (DNS rebinding): its pages then count as this
    server's, but `Host` has the name. Where the server listens at a loopback address only,
    no such name is taken. Whatever may change something, and every WebSocket, is refused if
    `Sec-Fetch-Site` says that a page of another origin asked for it. Browsers send that header to
    https and localhost only; without it the host in `Origin` must be `Host`.

    Args:
        app: The application.
        host: Address that it listens at.
    """

    def __init__(self, app: App, host: str) -> None:
        self.app, self.is_local = app, host in _OWN_NAMES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] in ("http", "websocket") and (why := self._refusal(scope)):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": why})
                return
            start = {"type": "http.response.start", "status": 403}
            await send(start | {"headers": [(b"content-type", b"application/json")]})
            body = json.dumps({"detail": why}).encode()
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is not taken; None if it is."""
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        hosts = _values(headers, b"host")
        if self.is_local and not (hosts and all(_name(host) in _OWN_NAMES for host in hosts)):
            return "this server is for 127.0.0.1 and localhost: see twobirds app --host"
        if scope.get("method") in ("GET", "HEAD"):
            return None
        if sites := _values(headers, b"sec-fetch-site"):
            is_own = all(site in _OWN_SITES for site in sites)
        else:
            origins = _values(headers, b"origin")
            is_own = all([origin.partition("://")[2]] == hosts for origin in origins)
        return None if is_own else "a page of another site asked for this"


def _values(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """What a request has in a header, in lower case."""
    return [value.decode("latin-1").lower() for key, value in headers if key == name]


def _name(host: str) -> str:
    """The name in `Host`, without the port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]

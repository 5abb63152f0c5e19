"""From where requests come: another site's page may not reach the server through a browser."""

import json
from collections.abc import Sequence

from twobirds.apps.web.limits import App, Receive, Scope, Send

_OWN_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]", "::1"))


class OwnSite:
    """ASGI middleware that refuses requests that a page of another site made a browser send.

    A site can let its name lead to 127.0.0.1 (DNS rebinding): its pages then count as this
    server's, but `Host` has the name. Where the server listens at a loopback address only,
    no such name is taken. Whatever changes something is refused if the browser says that another
    site asked for it.

    Args:
        app: The application.
        host: Address that it listens at.
    """

    def __init__(self, app: App, host: str) -> None:
        self.app, self.is_local = app, host in _OWN_NAMES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] in ("http", "websocket") and (why := self._refusal(scope)):
            start = {"type": "http.response.start", "status": 403}
            await send(start | {"headers": [(b"content-type", b"application/json")]})
            body = json.dumps({"detail": why}).encode()
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is not taken; None if it is."""
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if self.is_local and not (hosts and all(_name(host) in _OWN_NAMES for host in hosts)):
            return "this server is for 127.0.0.1 and localhost: see twobirds app --host"
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if scope.get("method") not in ("GET", "HEAD") and b"cross-site" in sites:
            return "a page of another site asked for this"
        return None


def _name(host: str) -> str:
    """The name in `Host`, without the port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()

"""The page's guard: sizes, rates, origins, files and forms of calls."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from twobirds.apps.web import calls
from twobirds.apps.web.bodies import RefusedError
from twobirds.apps.web.limits import Guard, RateLimit
from twobirds.apps.web.origin import OwnSite


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """An application that answers 200, and 500 if the body does not come whole."""
    message = await receive()
    whole = message["body"].endswith(b"]}") or message["body"].startswith(b"--")
    await send({"type": "http.response.start", "status": 200 if whole else 500, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def asked(guard: Guard, body: bytes, *kinds: str, path: str = "/") -> int:
    """The status of a POST, with so many headers that say of what kind it is."""
    sent: list[dict[str, Any]] = []
    parts = [body[:10], body[10:]]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "client": ("1.2.3.4", 5),
        "headers": [(b"content-type", kind.encode()) for kind in kinds],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    assert b"content-security-policy" in dict(sent[0]["headers"])
    status: int = sent[0]["status"]
    return status


def test_the_guard_takes_files_of_its_folder_only(tmp_path: Path) -> None:
    guard = Guard(echo, per_minute=0, max_bytes=1000, folder=tmp_path / "own")

    def named(path: str) -> int:
        value = {"a": {"path": path, "url": "http://127.0.0.1/x"}}
        return asked(guard, json.dumps({"data": [[value]]}).encode(), "application/json")

    assert named(f"{tmp_path}/own/x/photo.jpg") == 200
    elsewhere = ["/etc/passwd", "photo.jpg", f"{tmp_path}/own/../x.jpg", f"{tmp_path}/owner/x.jpg"]
    for path in (*elsewhere, "http://example.com/x", "ftp://x", "a\0b", "x" * 9000):
        assert named(path) == 400, path
    escaped = b'{"data": [[{"path": "\\u002fetc/passwd"}]]}'
    assert asked(guard, escaped, "application/json") == 400
    # As a form to whoever reads the last of two headers, as JSON to whoever reads the first.
    assert asked(guard, escaped, "application/json", "multipart/form-data; boundary=x") == 400


def test_the_guard_refuses_size_and_haste(tmp_path: Path) -> None:
    guard = Guard(echo, per_minute=2, max_bytes=1000, folder=tmp_path)
    form, upload = "multipart/form-data; boundary=x", "/gradio_api/upload"
    assert asked(guard, b"--" + bytes(1_200_000), form, path=upload) == 413
    assert asked(guard, b"--" + bytes(900), form, path=upload) == 200
    assert asked(guard, b'{"data": []}', "application/json") == 429


def test_the_guard_takes_a_megabyte_of_json(tmp_path: Path) -> None:
    guard = Guard(echo, per_minute=0, max_bytes=10**9, folder=tmp_path)
    for num_bytes, status in ((1_000_000, 200), (1_000_001, 413)):
        body = b'{"data": ["' + b"a" * (num_bytes - 14) + b'"]}'
        assert len(body) == num_bytes
        assert asked(guard, body, "application/json") == status


def test_larger_messages_are_for_the_mcp_server_alone(tmp_path: Path) -> None:
    body = b'{"data": ["' + b"a" * 1_500_000 + b'"]}'
    for has_mcp, path, status in ((True, "/mcp", 200), (False, "/mcp", 413), (True, "/", 413)):
        guard = Guard(echo, 0, 10**6, tmp_path, has_mcp=has_mcp)
        assert asked(guard, body, "application/json", path=path) == status


@pytest.mark.parametrize(
    ("listens", "method", "headers", "status"),
    [
        ("127.0.0.1", "GET", {"host": "127.0.0.1:7860"}, 200),
        ("127.0.0.1", "GET", {"host": "LOCALHOST"}, 200),
        ("::1", "GET", {"host": "[::1]:7860"}, 200),
        ("127.0.0.1", "GET", {"host": "rebound.example:7860"}, 403),
        ("127.0.0.1", "GET", {"host": "127.0.0.1.example"}, 403),
        ("127.0.0.1", "GET", {}, 403),
        ("0.0.0.0", "GET", {"host": "faces.example"}, 200),
        ("0.0.0.0", "POST", {"host": "faces.example", "sec-fetch-site": "same-origin"}, 200),
        ("0.0.0.0", "POST", {"host": "faces.example", "sec-fetch-site": "cross-site"}, 403),
        ("127.0.0.1", "POST", {"host": "localhost", "sec-fetch-site": "cross-site"}, 403),
        ("127.0.0.1", "GET", {"host": "localhost", "sec-fetch-site": "cross-site"}, 200),  # a link
        ("127.0.0.1", "POST", {"host": "localhost:7860", "sec-fetch-site": "same-site"}, 403),
        ("0.0.0.0", "POST", {"host": "faces.example"}, 200),  # no browser
        ("0.0.0.0", "POST", {"host": "a.example:7860", "origin": "http://A.example:7860"}, 200),
        ("0.0.0.0", "POST", {"host": "a.example:7860", "origin": "http://a.example"}, 403),
        ("0.0.0.0", "POST", {"host": "a.example", "origin": "http://b.example"}, 403),
        ("0.0.0.0", "DELETE", {"host": "a.example", "origin": "null"}, 403),
        ("0.0.0.0", "GET", {"host": "a.example", "origin": "http://b.example"}, 200),
        # A proxy with TLS that asks under another name.
        (
            "127.0.0.1",
            "POST",
            {
                "host": "127.0.0.1:7860",
                "origin": "https://a.example",
                "sec-fetch-site": "same-origin",
            },
            200,
        ),
    ],
)
def test_pages_of_other_sites_are_refused(
    listens: str, method: str, headers: dict[str, str], status: int
) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"--", "more_body": False}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "headers": pairs}
    asyncio.run(OwnSite(echo, listens)(scope, receive, send))
    assert sent[0]["status"] == status


@pytest.mark.parametrize("origin", ["http://b.example", "http://a.example"])
def test_a_web_socket_is_for_pages_of_the_same_origin(origin: str) -> None:
    sent: list[dict[str, Any]] = []
    taken: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def accept(scope: Any, _receive: Any, _send: Any) -> None:
        taken.append(scope["type"])

    headers = [(b"host", b"a.example"), (b"origin", origin.encode())]
    scope = {"type": "websocket", "path": "/", "headers": headers}
    asyncio.run(OwnSite(accept, "0.0.0.0")(scope, receive, send))
    if origin == "http://a.example":
        assert (sent, taken) == ([], ["websocket"])
    else:
        assert (sent[0]["type"], sent[0]["code"], taken) == ("websocket.close", 1008, [])


def test_an_address_may_ask_so_often_a_minute() -> None:
    limit = RateLimit(2)
    assert [limit.allows("a", now) for now in (0, 1, 2)] == [True, True, False]
    assert limit.allows("b", 2)
    assert limit.allows("a", 60.5)
    assert not limit.allows("a", 60.6)
    assert all(RateLimit(0).allows("a", 0) for _ in range(5))


def test_the_guard_completes_calls(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    async def keep(_scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(keep, 0, 1000, tmp_path, defaults={"edit": (None, {}, 7)})

    def answer(path: str, content: Any) -> int:
        body = json.dumps(content).encode()
        return asked(guard, body, "application/json", path=f"/gradio_api/call/{path}")

    for content, completed in (
        ({"data": [1]}, {"data": [1, {}, 7]}),
        ({"data": [], "session_hash": "a"}, {"data": [None, {}, 7]}),
        ({"data": [1, 2, 3]}, {"data": [1, 2, 3]}),
    ):
        assert answer("edit", content) == 200
        assert json.loads(bodies[-1]) == completed
    for content in ({"data": [1, 2, 3, 4]}, {"data": [], "x": 2}, {"data": 3}, [3], {}):
        assert answer("edit", content) == 422
    assert answer("other", {"data": [1]}) == 200
    assert json.loads(bodies[-1]) == {"data": [1]}


def test_files_of_a_call_are_paths_alone(tmp_path: Path) -> None:
    folder, name = tmp_path.resolve(), "recognize"
    file = {"path": f"{folder}/a.png", "url": "http://127.0.0.1", "size": "large"}
    body = calls.completed({"data": [file]}, name, (None,), files=(0,))
    plain = {"path": file["path"], "meta": {"_type": "gradio.FileData"}}
    assert json.loads(body) == {"data": [plain]}
    for wrong in ("a.png", 3, [], {"path": 3}, {}):
        with pytest.raises(RefusedError, match="recognize takes files as"):
            calls.completed({"data": [wrong]}, name, (None,), files=(0,))


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"{no json", 400, "not JSON"),
        ('{"a": "\u00e9"}'.encode("utf-16"), 400, "not JSON in UTF-8"),
        (b'{"a": NaN}', 400, "finite"),
        (b'{"a": 1e999}', 400, "finite"),
        (b'{"a": ' + b"9" * 30 + b"}", 400, "64 bits"),
        (b'{"a": ' + b"9" * 9_000 + b"}", 400, "not JSON"),
        (b"[" * 60 + b"]" * 60, 400, "nested deeper than 40"),
        (b"[" * 9_000 + b"]" * 9_000, 400, "nested deeper than 40"),
        (b'{"a": "\\ud800"}', 400, "no Unicode"),
        (b'{"\\ud800": 1}', 400, "no Unicode"),
        (b'{"path": "/etc/passwd"}', 400, "uploaded first"),
    ],
)
def test_json_that_is_refused(tmp_path: Path, body: bytes, status: int, why: str) -> None:
    with pytest.raises(RefusedError, match=why) as refusal:
        calls.parsed([b"application/json"], body, tmp_path)
    assert refusal.value.status == status


def test_json_is_sent_as_json(tmp_path: Path) -> None:
    for kinds in ([b"application/json"], [b"Application/JSON; charset=UTF-8"]):
        assert calls.parsed(kinds, b'{"a": [1, "\xc3\xa9"]}', tmp_path) == {"a": [1, "é"]}
    for kinds in ([], [b"text/plain"], [b"application/json", b"application/json"]):
        with pytest.raises(RefusedError, match="Content-Type") as refusal:
            calls.parsed(kinds, b"{}", tmp_path)
        assert refusal.value.status == 415


def test_what_the_page_cannot_take_is_no_fault_of_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        raise KeyError("component_id")

    guard = Guard(fail, 0, 1000, tmp_path, defaults={"edit": ()})
    assert asked(guard, b"{}", "application/json", path="/gradio_api/component_server") == 400
    assert "refused: POST /gradio_api/component_server: KeyError" in capsys.readouterr().err
    with pytest.raises(KeyError):  # an endpoint of our own may not fail
        asked(guard, b'{"data": []}', "application/json", path="/gradio_api/call/edit")

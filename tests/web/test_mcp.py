"""The page's functions as tools of an MCP server."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from mcp.server.fastmcp.exceptions import ToolError
from PIL import Image
from starlette.testclient import TestClient

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel
from twobirds.apps.web.mcp_server import _MAX_WAITING, _Tools
from twobirds.apps.web.serve import make_app

PHOTO = encoded(noise(110, 230))
HOST = {"host": "127.0.0.1:7860", "accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The whole application, with lifespan, guard and page."""
    model = FaceModel.load("celeba64-paper", device="cpu")
    options = SimpleNamespace(
        embedder=None,
        identity_threshold=None,
        host="127.0.0.1",
        port=7860,
        max_upload=1,
        requests_per_minute=0,
        mcp=True,
    )
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    folder = tmp_path_factory.mktemp("app")

    async def lay_out() -> FastAPI:
        return make_app(options, model, detector, folder)  # Gradio takes the loop that runs

    app = asyncio.run(lay_out())
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield client


def asked(client: TestClient, method: str, **parameters: Any) -> Any:
    """The result of a request."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = client.post("/mcp", json=message, headers=HOST)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def called(client: TestClient, name: str, **arguments: Any) -> Any:
    """What a tool gives."""
    result = asked(client, "tools/call", name=name, arguments=arguments)
    assert not result["isError"], result
    return result


def refused(client: TestClient, name: str, **arguments: Any) -> str:
    """Why a tool refuses."""
    result = asked(client, "tools/call", name=name, arguments=arguments)
    assert result["isError"]
    text: str = result["content"][0]["text"]
    return text


def picture(result: Any) -> tuple[Image.Image, str]:
    (content,) = result["content"]
    assert content["type"] == "image"
    return decoded(base64.b64decode(content["data"])), content["mimeType"]


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_tools_are_typed_and_described(client: TestClient) -> None:
    tools = {tool["name"]: tool for tool in asked(client, "tools/list")["tools"]}
    assert set(tools) == {"list_attributes", "recognize", "edit", "generate"}
    for tool in tools.values():
        assert tool["description"].endswith(".")
        for parameter in tool["inputSchema"]["properties"].values():
            assert parameter["description"]
    edit = tools["edit"]["inputSchema"]
    assert edit["required"] == ["photo"]
    assert edit["properties"]["strength"]["maximum"] == 3
    values, _ = edit["properties"]["changes"]["anyOf"]
    assert values["additionalProperties"]["maximum"] == 1
    faces = tools["recognize"]["outputSchema"]["$defs"]["Recognized"]
    assert set(faces["properties"]) == {"face", "box", "attributes"}
    names = {name for tool in tools.values() for name in tool["inputSchema"]["properties"]}
    assert names == {
        "photo", "changes", "face", "strength", "protect",
        "attributes", "description", "count", "seed",
    }  # fmt: skip


def test_faces_are_recognized(client: TestClient) -> None:
    for text in (text_of(PHOTO), f"data:image/png;base64,{text_of(PHOTO)}"):
        faces = called(client, "recognize", photo=text)["structuredContent"]["result"]
        assert [face["face"] for face in faces] == [1, 2]
        assert faces[1]["box"] == [90, 15, 70, 70]
        names = called(client, "list_attributes")["structuredContent"]["result"]
        assert list(faces[0]["attributes"]) == names


def test_a_face_is_edited(client: TestClient) -> None:
    arguments = {"photo": text_of(PHOTO), "changes": {"Bald": 1}, "face": 2}
    image, kind = picture(called(client, "edit", **arguments))
    assert kind == "image/png"
    assert "Bald=1" in image.info["Description"]
    changed = (np.asarray(image) != noise(110, 230)).any(axis=2)
    assert changed[:, 90:160].any()
    assert not changed[:, :89].any()
    mask = np.zeros((110, 230), bool)
    mask[40:60] = True
    protected, _ = picture(
        called(client, "edit", **arguments, protect=text_of(encoded(Image.fromarray(mask))))
    )
    assert (np.asarray(protected)[mask] == noise(110, 230)[mask]).all()
    words = {"photo": text_of(PHOTO), "description": "make her bald", "face": 2}
    assert (np.asarray(picture(called(client, "edit", **words))[0]) == np.asarray(image)).all()
    answer = called(client, "edit", **words, changes={"Blond_Hair": 1})
    assert answer["content"].pop() == {
        "type": "text",
        "text": "Overruled by the values given: bald: Bald 1.",
    }
    assert picture(answer)[0].info["Description"].endswith("): Blond_Hair=1.")
    jpeg = {**arguments, "photo": text_of(encoded(noise(110, 230), "JPEG"))}
    assert picture(called(client, "edit", **jpeg))[1] == "image/jpeg"


def test_faces_are_generated(client: TestClient) -> None:
    image, kind = picture(called(client, "generate", attributes={"Male": 1}, count=4, seed=3))
    assert kind == "image/png"
    assert min(image.size) > 2 * 192
    assert "Male=1" in image.info["Description"]
    words, _ = picture(called(client, "generate", description="a man", count=4, seed=3))
    assert (np.asarray(words) == np.asarray(image)).all()


def test_what_is_wrong_is_said(client: TestClient, tmp_path: Path) -> None:
    photo = text_of(PHOTO)
    for name, arguments, complaint in (
        ("edit", {"photo": photo, "changes": {"Bold": 1}}, "'Bold': did you mean Bald?"),
        ("edit", {"photo": photo, "changes": {}}, "Neither changes nor description says"),
        ("edit", {"photo": photo}, "Neither changes nor description says what to change."),
        ("edit", {"photo": photo, "description": "a scar"}, "Description: not understood: scar."),
        (
            "edit",
            {"photo": photo, "description": "keep the hat"},
            "Description: nothing in it names an attribute;",
        ),
        (
            "edit",
            {"photo": photo, "description": "blond and black hair"},
            "Black_Hair=1 and Blond_Hair=1 exclude each other",
        ),
        ("edit", {"photo": photo, "changes": {"Bald": 2}}, "less than or equal to 1"),
        ("edit", {"photo": photo, "changes": {"Bald": 1}, "face": 3}, "There is no face 3"),
        (
            "edit",
            {"photo": photo, "changes": {"Bald": 1, "Bangs": 1}},
            "Bald=1 and Bangs=1 exclude each other",
        ),
        (
            "generate",
            {"attributes": {"Bald": 1, "Bangs": 1}},
            "Bald=1 and Bangs=1 exclude each other",
        ),
        ("generate", {"description": "a blarf"}, "Description: not understood: blarf."),
        ("generate", {"count": 17}, "less than or equal to 16"),
    ):
        assert complaint in refused(client, name, **arguments), name


def test_no_file_and_no_address_can_be_named(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PHOTO)
    for named in (
        f"{tmp_path}/photo.png",
        f"file://{tmp_path}/photo.png",
        "http://127.0.0.1:1/photo.png",
        "/etc/passwd",
        "caf\u00e9.jpg",
    ):
        said = refused(client, "recognize", photo=named)
        assert "Photo must be the file itself as base64, not a path or an address." in said
    assert "ot a JPEG" in refused(client, "recognize", photo="/etc/passwd1")  # it is base64


def test_calls_wait_up_to_a_number() -> None:
    tools, begun, go_on = _Tools(SimpleNamespace()), threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert go_on.wait(10)
        return "done"

    async def crowd() -> list[Any]:
        calls = [asyncio.create_task(tools._done(work)) for _ in range(_MAX_WAITING + 1)]
        while not begun.is_set() or tools._limiter.statistics().tasks_waiting < _MAX_WAITING:
            await asyncio.sleep(0.01)
        with pytest.raises(ToolError, match="Too many calls are waiting"):
            await tools._done(work)
        go_on.set()
        return await asyncio.gather(*calls)

    assert asyncio.run(crowd()) == ["done"] * (_MAX_WAITING + 1)


def test_other_hosts_and_large_messages_are_refused(client: TestClient) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = client.post("/mcp", json=message, headers={**HOST, "host": "evil.example"})
    assert answer.status_code == 403
    large = json.dumps({**message, "x": "a" * 3_700_000})
    answer = client.post(
        "/mcp", content=large, headers={**HOST, "content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_the_page_is_still_there(client: TestClient) -> None:
    assert "TwoBirds" in client.get("/", headers={"host": HOST["host"]}).text

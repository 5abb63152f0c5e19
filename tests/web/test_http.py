"""The HTTP API as docs/guide/http-api.md shows it, and what it makes of hostile uploads."""

import dataclasses
import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from photos.making_photos import encoded
from twobirds.apps.web.endpoints import DEFAULTS, EditCall

DOCUMENT = Path(__file__).parents[2] / "docs/guide/http-api.md"


def examples(language: str) -> str:
    """The document's code in a language."""
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(astronaut()).save(tmp_path / "photo.jpg")
    return tmp_path


def assert_edited(path: Path) -> None:
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (512, 512))
        assert b"Blond_Hair=1" in image.info["xmp"]


@pytest.mark.timeout(120)
def test_the_curl_example(address: str, folder: Path) -> None:
    script = "set -euo pipefail\n" + examples("sh").replace("http://127.0.0.1:7860/", address)
    subprocess.run(["bash", "-c", script], cwd=folder, check=True, capture_output=True)
    assert_edited(folder / "edited.jpg")


@pytest.mark.timeout(120)
def test_the_python_example(address: str, folder: Path) -> None:
    script = examples("python").replace("http://127.0.0.1:7860/", address)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, check=True, capture_output=True, text=True
    )
    assert 0 <= float(done.stdout) <= 1
    assert_edited(folder / "edited.jpg")
    assert (folder / "faces.png").is_file()


def upload(address: str, name: str, content: bytes) -> str:
    """Where the server put a file."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{address}gradio_api/upload",
        body,
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        paths: list[str] = json.load(answer)
    return paths[0]


def call(address: str, name: str, data: list[Any]) -> str:
    """The last event of a call."""
    request = urllib.request.Request(
        f"{address}gradio_api/call/{name}",
        json.dumps({"data": data}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}gradio_api/call/{name}/{event}", timeout=60) as answer:
        return str(answer.read().decode())


def test_the_api_names_its_values(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=30) as answer:
        endpoints = json.load(answer)["named_endpoints"]
    assert set(endpoints) == {"/recognize", "/edit", "/generate"}
    for name, endpoint in endpoints.items():
        parameters = [value["parameter_name"] for value in endpoint["parameters"]]
        assert len(parameters) == len(DEFAULTS[name.strip("/")])
    edit = endpoints["/edit"]["parameters"]
    names = [value["parameter_name"] for value in edit]
    assert names == [field.name for field in dataclasses.fields(EditCall)]
    assert [value["parameter_has_default"] for value in edit[2:]] == [True] * 7
    described = re.findall(r"^\| `(\w+)` \| [^|]*\| [^|]*\|$", DOCUMENT.read_text(), re.MULTILINE)
    assert described[-7:] == names[2:]


@pytest.mark.timeout(120)
def test_a_call_may_leave_out_the_last_values(address: str) -> None:
    path = upload(address, "photo.jpg", encoded(astronaut(), "JPEG"))
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert "complete" in call(address, "edit", [file, {"Smiling": 0}, None, None, 0.5])
    like = [file, {}, None, None, None, file, ["Bald"]]
    assert "complete" in call(address, "edit", like)
    assert "complete" in call(address, "edit", [file, {}, *[None] * 6, "not smiling"])
    assert "not understood: scar" in call(address, "edit", [file, {}, *[None] * 6, "a scar"])
    refused = call(address, "edit", [file, {"Smiling": 0}, None, None, -1])
    assert "Strength must lie in [0, 10], not -1." in refused


def test_no_file_of_the_machine_can_be_named(address: str, folder: Path) -> None:
    for path in (folder / "photo.jpg", Path("/etc/passwd")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(address, "recognize", [{"path": str(path), "meta": {"_type": "gradio.FileData"}}])
        assert caught.value.code == 400
        assert "files are uploaded first" in caught.value.read().decode()


def hostile_files() -> list[tuple[str, bytes]]:
    """Two hundred uploads, with names: damaged, cut, bombs, in disguise."""
    rng = np.random.default_rng(0)
    sources = [encoded(astronaut()[:200, :200], kind) for kind in ("JPEG", "PNG", "WEBP", "BMP")]
    files = [
        ("bomb.png", encoded(Image.new("1", (30_000, 30_000)))),
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("zip.jpg", sources[0] + b"PK\x03\x04" + bytes(100)),
        ("code.png", b"\x89PNG\r\n\x1a\n<?php system('id'); ?>"),
        ("empty.jpg", b""),
        ("wrong.webp", sources[1]),
        ("..%2f..%2fetc%2fpasswd.jpg", sources[0][:50]),
        ("../../outside.jpg", sources[0][:50]),
        ("a\\..\\b.jpg", sources[0][:50]),
        ("x" * 200 + ".jpg", sources[0][:50]),
    ]
    while len(files) < 200:
        data = bytearray(sources[len(files) % 4])
        for _ in range(int(rng.integers(1, 30))):
            data[rng.integers(len(data))] = rng.integers(256)
        if len(files) % 3 == 0:
            data = data[: rng.integers(1, len(data))]
        files.append((f"{len(files)}.jpg", bytes(data)))
    return files


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_hostile_uploads_are_refused_and_the_server_stays(address: str) -> None:
    outside = Path(tempfile.gettempdir())
    before = set(outside.iterdir())
    refused = 0
    for name, content in hostile_files():
        path = upload(address, name, content)
        assert "twobirds-" in path
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        answer = call(address, "recognize", [file])
        assert "Traceback" not in answer
        if "event: error" in answer:
            refused += 1
            assert len(json.loads(answer.split("data: ", 1)[1])["error"]) > 10, (name, answer)
        else:
            assert "event: complete" in answer, (name, answer)
    assert refused > 50
    assert set(outside.iterdir()) - before == set()
    assert "complete" in call(address, "generate", [{"Male": 1}, 2, 0])


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("generate", [{"Male": 2}, 2, 0], "Male"),
        ("generate", [["Male"], 2, 0], "attributes must be an object"),
        ("generate", [{}, None, 0], "count must be a whole number"),
        ("generate", [{}, 2, -1], "seed must be a whole number"),
        ("edit", [None, {"Male": 1}, None, None], "photo is missing"),
        ("edit", [None, {"Male": 1}, "all", None], "photo is missing"),
        ("edit", [None, {"Male": 1}, "first", None], "face must be a whole number from 1 to 10000"),
        ("edit", [None, {"Male": 1}, 0, None], "null the most plausible one"),
        ("edit", [None, {}, 1, None], "neither changes nor description says"),
        ("recognize", [None], "photo is missing"),
        ("recognize", [], "photo is missing"),
        ("edit", [None, {"Male": 1}], "photo is missing"),
        ("edit", [], "neither changes nor description says"),
        ("generate", [{"Bold": 1}], "no attribute 'Bold': did you mean Bald?\""),
        ("generate", [{"Bald": 1, "Bangs": 1}], "Bald=1 and Bangs=1 exclude each other"),
    ],
)
def test_wrong_arguments(address: str, name: str, data: list[Any], complaint: str) -> None:
    answer = call(address, name, data)
    assert "event: error" in answer
    assert complaint.lower() in answer.lower()


def test_values_that_are_left_out_and_too_many(address: str) -> None:
    assert "event: complete" in call(address, "generate", [])
    with pytest.raises(urllib.error.HTTPError) as caught:
        call(address, "generate", [{}, 1, 0, 0])
    assert caught.value.code == 422
    assert "generate takes 3 values, not 4" in caught.value.read().decode()
    caught.value.close()


def test_python_may_leave_values_out(address: str) -> None:
    script = (
        "import sys; from gradio_client import Client;"
        "print(Client(sys.argv[1], verbose=False).predict({'Male': 1}, api_name='/generate'))"
    )
    command = [sys.executable, "-c", script, address]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip().endswith("generated.png")


def test_an_unknown_call_leaves_no_traceback(address: str, server_log: Path) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/call/generate/none", timeout=30) as answer:
        assert "404" in answer.read().decode()
    assert "Traceback" not in server_log.read_text()


@pytest.mark.parametrize("path", ["run/edit", "api/edit", "run/generate"])
def test_the_queue_cannot_be_passed_by(address: str, path: str) -> None:
    request = urllib.request.Request(
        f"{address}gradio_api/{path}",
        json.dumps({"data": [{}, 1, 0]}).encode(),
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert 400 <= caught.value.code < 500
    caught.value.close()


def test_files_are_not_named_by_address(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call(address, "recognize", [{"path": "http://127.0.0.1:1/x.jpg"}])
    assert caught.value.code == 400
    caught.value.close()

"""The page behind a server of its own, with the default model; and its tabs without one."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looking_at_tabs import PHOTO

from photos.making_photos import PlacedFaces
from twobirds.api import FaceModel
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import FaceService


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server prints."""
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="session")
def address(server_log: Path) -> Iterator[str]:
    """Where the page is served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = server_log
    words = ["app", f"--port={port}", "--requests-per-minute=0"]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "twobirds", *words],
            stdout=file,
            stderr=file,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
    try:
        _wait(f"http://127.0.0.1:{port}/", server, log)
        yield f"http://127.0.0.1:{port}/"
        assert server.poll() is None, log.read_text()  # it survived everything
    finally:
        server.terminate()
        server.wait(20)


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(log.read_text())
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.25)
        else:
            return
    pytest.fail(f"the page does not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return FaceModel.load("celeba64-paper", device="cpu")


@pytest.fixture(scope="session")
def service(model: FaceModel) -> FaceService:
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    return FaceService(model, detector, lambda a, b: (a - b).abs().mean((1, 2, 3)))


@pytest.fixture
def edit_tab(service: FaceService, tmp_path: Path) -> EditTab:
    return EditTab(service, Files(tmp_path), 1.0)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return str(path)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from using_browser import FLAGS, playwright

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address: str) -> Iterator[Any]:
    """The page at a desktop's size; it must ask no other host for anything."""
    from using_browser import SIZES

    page = browser.new_page(viewport=dict(zip(("width", "height"), SIZES["desktop"], strict=True)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    yield page
    page.close()
    assert asked
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go, to be looked at."""
    folder = Path(os.environ.get("TWOBIRDS_SCREENSHOTS", "runs/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

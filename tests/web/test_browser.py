"""The page in a browser: Debian's Chromium, driven by Playwright."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
Page = playwright.Page

pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address: str) -> Iterator[Page]:
    """The page at a desktop's size; it must ask no other host for anything."""
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


def encoded(pixels: np.ndarray, file_format: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=file_format)
    return buffer.getvalue()


def upload(page: Page, content: bytes, name: str = "photo.jpg") -> None:
    file = {"name": name, "mimeType": "image/jpeg", "buffer": content}
    page.set_input_files("#photo input[type=file]", files=[file])


def open_astronaut(page: Page) -> None:
    upload(page, encoded(astronaut()))
    page.wait_for_function("document.querySelectorAll('#shown img').length >= 2")


def after(page: Page) -> bytes:
    """The picture at the right of the divider."""
    addresses = page.eval_on_selector_all("#shown img", "all => all.map(one => one.src)")
    return b"".join(page.request.get(address).body() for address in set(addresses))


def move(page: Page, name: str, steps: int = 30) -> None:
    """A slider, with the keyboard."""
    slider = page.get_by_role("slider", name=name)
    slider.focus()
    key = "ArrowRight" if steps > 0 else "ArrowLeft"
    for _ in range(abs(steps)):
        page.keyboard.press(key)


def test_a_photo_is_edited_and_downloaded(page: Page, pictures: Path) -> None:
    open_astronaut(page)
    before = after(page)
    move(page, "Blond Hair", 60)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Blond Hair')")
    page.wait_for_timeout(1000)
    assert after(page) != before
    page.screenshot(path=pictures / "edit-desktop.png", full_page=True)
    page.get_by_role("button", name="Make the file").first.click()
    page.wait_for_selector("#result a")
    with page.expect_download() as download:
        page.locator("#result a").first.click()
    assert download.value.suggested_filename == "photo.edited.jpg"
    with Image.open(download.value.path()) as image:
        edited = np.asarray(image.convert("RGB")).astype(int)
        assert b"compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]
    assert edited.shape == (512, 512, 3)
    with Image.open(io.BytesIO(encoded(astronaut()))) as image:
        change = np.abs(edited - np.asarray(image))
    assert change[:250].max() > 40
    assert change[300:].mean() < 1


def test_reset_puts_the_sliders_back(page: Page) -> None:
    open_astronaut(page)
    slider = page.get_by_role("slider", name="Blond Hair")
    stood = slider.input_value()
    move(page, "Blond Hair", 20)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Blond Hair')")
    assert slider.input_value() != stood
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function("!document.querySelector('#said').innerText.includes('Blond Hair')")
    assert slider.input_value() == stood


def refused(page: Page) -> str:
    """What the page says of an upload."""
    page.wait_for_selector(".toast-body", timeout=60_000)
    said: str = page.locator(".toast-body").first.inner_text()
    return said


def test_what_is_no_image_is_refused(page: Page) -> None:
    upload(page, b"<html>no image</html>")
    assert "not a JPEG, PNG, WebP" in refused(page)


def test_sixty_megapixels_are_refused(page: Page) -> None:
    upload(page, encoded(np.zeros((7500, 8000), np.uint8), "PNG"), "large.png")
    assert "8000x7500 pixels are too many: at most 50 megapixels" in refused(page)


def test_a_photo_without_a_face_is_refused(page: Page) -> None:
    upload(page, encoded(np.full((300, 300, 3), 100, np.uint8)))
    assert "no face is found in this photo" in refused(page)


def test_faces_are_generated_from_words_and_one_is_kept(page: Page, pictures: Path) -> None:
    page.get_by_role("tab", name="Generate").click()
    page.locator("#words textarea").fill("a bald man with glasses and a blarf")
    page.locator("#words textarea").press("Enter")
    page.wait_for_selector("#gallery img")
    said = page.locator("#understood").inner_text()
    assert "bald" in said
    assert "Not understood: blarf" in said
    page.locator("#gallery button img").nth(2).click()
    page.get_by_role("button", name="Make the file").last.wait_for(state="visible")
    page.wait_for_timeout(1000)
    page.screenshot(path=pictures / "generate-desktop.png", full_page=True)


def test_two_faces_are_compared(page: Page, pictures: Path) -> None:
    page.get_by_role("tab", name="Compare").click()
    files = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": encoded(astronaut())}
    for name in ("one", "other"):
        page.set_input_files(f"#{name} input[type=file]", files=[files])
        page.wait_for_selector(f"#{name} a")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('embedder')")
    page.screenshot(path=pictures / "compare-desktop.png", full_page=True)


def test_it_can_be_read_on_a_phone(page: Page, pictures: Path) -> None:
    width, height = SIZES["phone"]
    page.set_viewport_size({"width": width, "height": height})
    open_astronaut(page)
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=pictures / "edit-phone.png", full_page=True)

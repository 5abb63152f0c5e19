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
    return b"".join(page.request.get(address).body() for address in set(addresses(page)))


def addresses(page: Page) -> list[str]:
    """Of the pictures before and after; each edit has new ones."""
    found: list[str] = page.eval_on_selector_all("#shown img", "all => all.map(one => one.src)")
    return found


def settled(page: Page) -> list[str]:
    """The addresses of the pictures once no edit is on its way."""
    found: list[str] = []
    while found != addresses(page):
        found = addresses(page)
        page.wait_for_timeout(3000)
    return found


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
    move(page, "Blond hair", 60)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Blond hair')")
    page.wait_for_timeout(1000)
    assert after(page) != before
    page.screenshot(path=pictures / "edit-desktop.png", full_page=True)
    page.screenshot(path=pictures / "page.png")
    page.get_by_role("button", name="Make the file").first.click()
    page.wait_for_selector("#result a")
    assert page.evaluate("window.scrollY") == 0
    for part in ("#shown", "#said", "#result a"):
        assert is_in_sight(page, part)
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


def is_in_sight(page: Page, selector: str) -> bool:
    """Whether all of it is on the screen as it is scrolled."""
    box, size = page.locator(selector).first.bounding_box(), page.viewport_size
    return (
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= size["width"]
        and box["y"] + box["height"] <= size["height"]
    )


def test_the_picture_stays_in_sight_while_the_last_sliders_are_moved(page: Page) -> None:
    open_astronaut(page)
    page.get_by_role("button", name="Impression").click()
    slider = page.get_by_role("slider", name="Male")
    move(page, "Male", -40 if float(slider.input_value()) > 0.5 else 40)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Male')")
    assert page.evaluate("window.scrollY") > 300
    assert is_in_sight(page, "#shown")


def test_a_photo_is_taken_away_again(page: Page) -> None:
    open_astronaut(page)
    page.locator("#photo button[aria-label='Clear']").click()
    page.wait_for_function("document.querySelectorAll('#shown img').length == 0")


def test_a_generated_face_is_edited(page: Page) -> None:
    open_astronaut(page)
    page.locator("#example").click()
    page.wait_for_selector("#photo a", state="detached")
    page.wait_for_function("document.querySelectorAll('#shown img').length >= 2")
    move(page, "Blond hair", 60)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Blond hair')")


def test_a_photo_is_edited_by_words(page: Page) -> None:
    open_astronaut(page)
    page.locator("#edit-words textarea, #edit-words input").fill("black hair, no hat and a blarf")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#said').innerText.includes('Black hair: more')")
    assert page.get_by_role("slider", name="Black hair").input_value() == "1"
    assert "Not understood: blarf" in page.locator("#edit-understood").inner_text()


def paint(page: Page) -> None:
    """A stroke over the middle of the brush's canvas."""
    page.get_by_role("button", name="Keep a part as it is").click()
    page.wait_for_selector("#brush canvas")
    page.wait_for_timeout(1500)  # it grows to its picture
    canvas = page.locator("#brush canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 30, y)
    page.mouse.down()
    for step in range(-30, 31, 5):
        page.mouse.move(x + step, y)
    page.mouse.up()


def test_what_is_painted_over_stays(page: Page, pictures: Path) -> None:
    upload(page, encoded(astronaut(), "PNG"), "photo.png")
    page.wait_for_function("document.querySelectorAll('#shown img').length >= 2")
    move(page, "Smiling", -90)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Smiling')")
    whole = settled(page)
    paint(page)
    for _ in range(120):  # the brush uploads the canvas several times
        page.wait_for_timeout(500)
        if addresses(page) != whole:
            break
    assert settled(page) != whole
    page.screenshot(path=pictures / "keep-desktop.png", full_page=True)
    page.get_by_role("button", name="Make the file").first.click()
    page.wait_for_selector("#result a")
    with page.expect_download() as download:
        page.locator("#result a").first.click()
    assert download.value.suggested_filename == "photo.edited.png"
    with Image.open(download.value.path()) as image:
        kept = (np.asarray(image.convert("RGB")) == astronaut()).all(axis=2)
    centre = kept[115:125, 210:245]  # of the face, where the stroke went
    assert centre.mean() > 0.5
    assert not kept[60:180, 180:270].all()


def test_a_move_that_changes_nothing_is_said(page: Page) -> None:
    open_astronaut(page)
    move(page, "Smiling", 1)  # the model sees a smile
    page.wait_for_function("document.querySelector('#said').innerText.includes('Nothing changes')")
    move(page, "Strength", 5)
    page.wait_for_timeout(1000)
    assert "Nothing changes yet" in page.locator("#said").inner_text()


def test_reset_puts_the_sliders_back(page: Page) -> None:
    open_astronaut(page)
    slider = page.get_by_role("slider", name="Blond hair")
    stood = slider.input_value()
    move(page, "Blond hair", 20)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Blond hair')")
    assert slider.input_value() != stood
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function("!document.querySelector('#said').innerText.includes('Blond hair')")
    assert slider.input_value() == stood


def refused(page: Page) -> str:
    """What the page says of an upload."""
    page.wait_for_function("document.querySelector('#problem').innerText.includes('⚠')")
    said: str = page.locator("#problem").inner_text()
    return said


def test_what_is_no_image_is_refused(page: Page) -> None:
    upload(page, b"<html>no image</html>")
    assert "Not a JPEG, PNG, WebP" in refused(page)


def test_sixty_megapixels_are_refused(page: Page) -> None:
    upload(page, encoded(np.zeros((7500, 8000), np.uint8), "PNG"), "large.png")
    assert "8000x7500 pixels are too many: at most 50 megapixels" in refused(page)


def test_a_photo_without_a_face_is_refused(page: Page) -> None:
    upload(page, encoded(np.full((300, 300, 3), 100, np.uint8)))
    assert "No face is found in this photo" in refused(page)


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
    page.wait_for_timeout(1500)
    assert is_in_sight(page, "#kept")
    page.screenshot(path=pictures / "generate-desktop.png", full_page=True)


def test_complaints_about_wishes_are_no_modals(page: Page) -> None:
    page.get_by_role("tab", name="Generate").click()
    for button, seed in (("Generate", -7), ("New faces", -8)):
        page.locator("#seed input").fill(str(seed))
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_function(
            f"document.querySelector('#understood').innerText.includes('not {seed}')"
        )
    page.locator("#answer textarea").fill("the first")
    page.locator("#answer textarea").press("Enter")
    page.wait_for_function("document.querySelector('#answered').innerText.includes('⚠')")
    assert page.locator(".toast-body").count() == 0
    assert page.locator("#gallery img").count() == 0


def test_without_an_embedder_nothing_is_uploaded_to_be_compared(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('embedder')")
    assert page.locator("#one input[type=file]").count() == 0


def test_a_phone_shows_picture_and_sliders_together(page: Page, pictures: Path) -> None:
    width, height = SIZES["phone"]
    page.set_viewport_size({"width": width, "height": height})
    open_astronaut(page)
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=pictures / "edit-phone.png", full_page=True)
    move(page, "Mustache", 40)
    page.wait_for_function("document.querySelector('#said').innerText.includes('Mustache')")
    slider = page.get_by_role("slider", name="Mustache").bounding_box()
    for part in ("#shown", "#said"):
        assert is_in_sight(page, part)
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= slider["y"] <= height
    page.screenshot(path=pictures / "sliders-phone.png")


def test_a_phone_shows_every_generated_face(page: Page, pictures: Path) -> None:
    width, height = SIZES["phone"]
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("tab", name="Generate").click()
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_selector("#gallery img")
    page.wait_for_timeout(1500)
    assert is_in_sight(page, "#gallery")
    faces = page.locator("#gallery button img")
    assert faces.count() == 12
    boxes = [faces.nth(number).bounding_box() for number in range(12)]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    frame = page.locator("#gallery").bounding_box()
    last = max(box["y"] + box["height"] for box in boxes)
    assert last <= frame["y"] + frame["height"]
    page.screenshot(path=pictures / "generate-phone.png", full_page=True)

"""A photo is opened, edited and downloaded in a browser."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut
from using_browser import (
    Page,
    addresses,
    after,
    is_in_sight,
    move,
    needs_browser,
    open_astronaut,
    settled,
    upload,
)

from photos.making_photos import encoded

pytestmark = needs_browser


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
    with Image.open(io.BytesIO(encoded(astronaut(), "JPEG"))) as image:
        change = np.abs(edited - np.asarray(image))
    assert change[:250].max() > 40
    assert change[300:].mean() < 1


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
    upload(page, encoded(np.full((300, 300, 3), 100, np.uint8), "JPEG"))
    assert "No face is found in this photo" in refused(page)

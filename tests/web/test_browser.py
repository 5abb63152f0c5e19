"""The page's other tabs, and the page on a phone, in a browser."""

from pathlib import Path

from using_browser import (
    SIZES,
    Page,
    is_in_sight,
    move,
    needs_browser,
    open_astronaut,
)

pytestmark = needs_browser


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

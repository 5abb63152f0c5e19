"""Debian's Chromium, driven by Playwright, at the page: what tests do in it."""

import shutil

import pytest
from skimage.data import astronaut

from photos.making_photos import encoded

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
Page = playwright.Page

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}

needs_browser = [
    pytest.mark.web,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]


def upload(page: Page, content: bytes, name: str = "photo.jpg") -> None:
    file = {"name": name, "mimeType": "image/jpeg", "buffer": content}
    page.set_input_files("#photo input[type=file]", files=[file])


def open_astronaut(page: Page) -> None:
    upload(page, encoded(astronaut(), "JPEG"))
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


def is_in_sight(page: Page, selector: str) -> bool:
    """Whether all of it is on the screen as it is scrolled."""
    box, size = page.locator(selector).first.bounding_box(), page.viewport_size
    return (
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= size["width"]
        and box["y"] + box["height"] <= size["height"]
    )

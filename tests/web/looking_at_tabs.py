"""What tests of the page's tabs look at, and the photo that they open."""

import asyncio
from typing import Any

import gradio as gr

from photos.making_photos import encoded, noise
from twobirds.apps.web.edit_tab import EditTab
from twobirds.data.attributes import CELEBA_ATTRIBUTES

PHOTO = encoded(noise(110, 230))
K = len(CELEBA_ATTRIBUTES)


def labels(tab: Any) -> list[str]:
    """Of everything in a tab, from above."""

    async def lay_out() -> gr.Blocks:
        with gr.Blocks() as page:  # takes the event loop that runs, or leaves one open
            tab.build()
        return page

    blocks = asyncio.run(lay_out()).blocks.values()
    said = [getattr(block, "label", None) or getattr(block, "value", None) for block in blocks]
    return [str(label) for label in said if label]


def is_hidden(result: dict[str, Any]) -> bool:
    """Whether there is no file to download."""
    return not result["visible"] and result["value"] is None


def moved(tab: EditTab, stood: list[float], name: str, value: float) -> list[float]:
    """The sliders with one of them moved."""
    stood = list(stood)
    stood[tab.names.index(name)] = value
    return stood

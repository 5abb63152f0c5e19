"""The page as a whole."""

import gradio as gr

from twobirds.apps.web.compare_tab import CompareTab
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.endpoints import add_endpoints
from twobirds.apps.web.files import Files
from twobirds.apps.web.generate_tab import GenerateTab
from twobirds.apps.web.service import FaceService

_INTRODUCTION = """# TwoBirds
Change attributes of a face in a photo, or generate faces that nobody has. Photos go to the machine
that serves this page, to no other, and are forgotten a quarter of an hour after their last use.
What comes out is synthetic, and its file says so.
"""
_FONTS = ["system-ui", "sans-serif"]
CSS = """
#gauge meter { width: 100%; height: 1.2em }
footer { display: none !important }
"""


def build_page(service: FaceService, files: Files, threshold: float | None) -> gr.Blocks:
    """Lay out the tabs and the endpoints.

    Args:
        service: Which does the work.
        files: Where downloads are put.
        threshold: Identity distance above which faces count as two people's; None where unknown.
    """
    page: gr.Blocks
    with gr.Blocks(title="TwoBirds", analytics_enabled=False) as page:
        gr.Markdown(_INTRODUCTION)
        with gr.Tab("Edit"):
            EditTab(service, files, threshold).build()
        with gr.Tab("Generate"):
            GenerateTab(service, files).build()
        with gr.Tab("Compare"):
            CompareTab(service, threshold).build()
        add_endpoints(page, service, files)
    return page


def theme() -> gr.themes.Base:
    """Gradio's plain theme with the fonts of the system: none is fetched from elsewhere."""
    return gr.themes.Base(font=_FONTS, font_mono=["ui-monospace", "monospace"])

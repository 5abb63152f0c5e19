"""The page as a whole."""

import gradio as gr

from twobirds.apps.web.compare_tab import CompareTab
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.endpoints import add_endpoints
from twobirds.apps.web.files import Files
from twobirds.apps.web.generate_tab import GenerateTab
from twobirds.apps.web.service import FaceService

_INTRODUCTION = """# TwoBirds
Edit a face in a photo, or generate new faces. Photos stay on this server and are forgotten after 15
minutes without use. Results are marked as synthetic.
"""
_FONTS = ["system-ui", "sans-serif"]
CSS = """
.gradio-container { overflow: clip !important }  /* hidden, nothing in it would be sticky */
#gauge meter { width: 100%; height: 1.2em }
#gauge:not(:has(meter)), #problem:not(:has(p)), #said:not(:has(p)) { display: none }
#gallery .grid-wrap { max-height: none !important }
#shown:not(.fullscreen) { width: 100%; max-width: 480px; margin: 0 auto }
#kept img { width: 100%; height: 100%; object-fit: contain }
/* The picture stays in sight while sliders are moved, beside them or, on a phone, above. */
@media (min-width: 641px) {
  .in-sight { position: sticky !important; top: 8px; align-self: flex-start }
}
@media (max-width: 640px) {
  .unpacked { display: contents }
  .first { order: -1 }
  .last { order: 1 }
  #pinned, #kept:not(.fullscreen) {
    position: sticky !important; top: 0; z-index: 100; width: 100%; margin: 0 auto;
    background: var(--body-background-fill)
  }
  #pinned { gap: 4px; padding-bottom: 4px }  /* what is said stays below the picture */
  #said { max-height: 6em; overflow-y: auto }
  #shown:not(.fullscreen), #kept:not(.fullscreen) { max-width: 40vh; margin: 0 auto }
  #gallery .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important }
}
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

"""The tab that compares two faces."""

from pathlib import Path
from typing import Any

import gradio as gr

from twobirds.apps.web.controls import PHOTO_TYPES, QUIET, complaint
from twobirds.apps.web.kept_face import enlarged
from twobirds.apps.web.service import FaceService
from twobirds.errors import InputError

_NO_EMBEDDER = "Comparing needs a face embedder: start the page with --embedder FILE.onnx."


class CompareTab:
    """Whether two photos show one person, as far as an embedder tells.

    Args:
        service: Which does the work.
        threshold: Identity distance above which faces count as two people's; None where unknown.
    """

    def __init__(self, service: FaceService, threshold: float | None) -> None:
        self.service, self.threshold = service, threshold

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        if not self.service.has_embedder:
            gr.Markdown(_NO_EMBEDDER, elem_id="verdict")
            return
        with gr.Row():
            files = [
                gr.File(label=label, file_types=PHOTO_TYPES, elem_id=label.lower())
                for label in ("One", "Other")
            ]
        compare = gr.Button("Compare", variant="primary")
        verdict = gr.Markdown(elem_id="verdict")
        with gr.Row():
            faces = [gr.Image(label="The face", interactive=False, buttons=[]) for _ in files]
        compare.click(self._compare, files, [*faces, verdict], **QUIET)

    def _compare(self, first: str | None, second: str | None) -> list[Any]:
        if first is None or second is None:
            return [None, None, "⚠ Open two photos first."]
        data = [Path(path).read_bytes() for path in (first, second)]
        try:
            one, other, distance = self.service.compare(*data)
        except InputError as error:
            return [None, None, complaint(error)]
        return [enlarged(one), enlarged(other), self._verdict(distance)]

    def _verdict(self, distance: float | None) -> str:
        if distance is None:
            return _NO_EMBEDDER
        line = f"Identity distance {distance:.2f} of 4"
        if self.threshold is None:
            return f"{line}: the smaller, the more similar."
        same = "one person" if distance <= self.threshold else "two people"
        return f"{line}: {same} (threshold {self.threshold:g})."

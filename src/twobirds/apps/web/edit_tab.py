"""The tab that edits a photo."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from twobirds.apps.web.files import Files
from twobirds.apps.web.parts import (
    PHOTO_TYPES,
    STATE_SECONDS,
    attribute_sliders,
    in_words,
    told,
)
from twobirds.apps.web.service import Edited, FaceService, OpenPhoto


class EditTab:
    """A photo, its faces, sliders, before and after.

    Args:
        service: Which does the work.
        files: Where downloads are put.
        threshold: Identity distance above which a face counts as another person's; None where
            unknown.
    """

    def __init__(self, service: FaceService, files: Files, threshold: float | None) -> None:
        self.service, self.files, self.threshold = service, files, threshold
        self.names = service.model.attributes

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        opened = gr.State(None, time_to_live=STATE_SECONDS)
        file = gr.File(label="Photo", file_types=PHOTO_TYPES, height=120, elem_id="photo")
        face = gr.Radio(label="Face, from the left", choices=[], visible=False)
        with gr.Row():
            with gr.Column(min_width=280):
                shown = gr.ImageSlider(
                    label="Before and after", interactive=False, format="jpeg", elem_id="shown"
                )
                gauge = gr.HTML(elem_id="gauge")
                said = gr.Markdown(elem_id="said")
                noted = gr.Checkbox(label="Write “AI-edited” into the picture")
                with gr.Row():
                    reset = gr.Button("Reset", min_width=100)
                    make = gr.Button("Make the file", variant="primary", min_width=100)
                result = gr.File(
                    label="The edited photo", interactive=False, height=120, elem_id="result"
                )
            with gr.Column(min_width=280):
                sliders = attribute_sliders(self.names)
        seen = [shown, gauge, said]
        quiet: dict[str, Any] = {"api_visibility": "private"}
        file.change(self._open, [file], [opened, face, *seen, *sliders], **quiet)
        for changed in (face.input, reset.click):
            changed(self._choose, [opened, face], [*seen, *sliders], **quiet)
        for slider in sliders:
            slider.input(
                self._edit,
                [opened, face, *sliders],
                seen,
                show_progress="hidden",
                trigger_mode="always_last",
                **quiet,
            )
        make.click(self._make, [file, opened, face, noted, *sliders], [result], **quiet)

    def _open(self, path: str | None) -> list[Any]:
        """A photo was dropped, or taken away."""
        if path is None:
            return [None, gr.Radio(choices=[], visible=False), *self._nothing()]
        photo = told(lambda: self.service.open(Path(path).read_bytes()))
        numbers = list(range(1, len(photo.found) + 1))
        faces = gr.Radio(choices=numbers, value=1, visible=len(numbers) > 1)
        return [photo, faces, *self._choose(photo, 1)]

    def _choose(self, photo: OpenPhoto | None, number: int | None) -> list[Any]:
        """Show a face as it is, with the sliders where the recognizer reads them."""
        if photo is None:
            return self._nothing()
        index = (number or 1) - 1
        doubts = photo.found[index].doubts
        lines = [f"⚠ {doubt}" for doubt in (*doubts.refusals, *doubts.warnings)]
        values = [round(value, 2) for value in photo.read[index].tolist()]
        before = photo.views[index].pixels
        return [(before, before), "", "  \n".join(lines), *values]

    def _edit(self, photo: OpenPhoto | None, number: int | None, *values: float) -> list[Any]:
        """A slider was moved."""
        if photo is None:
            raise gr.Error("Drop a photo first.", print_exception=False)
        index = (number or 1) - 1
        changes = self._changes(photo, index, values)
        edited = told(lambda: self.service.edit(photo, index, changes))
        shown = (photo.views[index].pixels, edited.pixels)
        return [shown, self._gauge(edited), self._said(changes, edited)]

    def _make(
        self,
        path: str | None,
        photo: OpenPhoto | None,
        number: int | None,
        noted: bool,
        *values: float,
    ) -> str:
        """The edit at the photo's full size, as a file."""
        if path is None or photo is None:
            raise gr.Error("Drop a photo first.", print_exception=False)
        index = (number or 1) - 1
        changes = self._changes(photo, index, values)
        data, source = Path(path).read_bytes(), Path(path)
        content = told(lambda: self.service.edit_file(data, index, changes, noted=noted))
        return str(self.files.write(f"{source.stem}.edited{source.suffix.lower()}", content))

    def _changes(self, photo: OpenPhoto, index: int, values: tuple[float, ...]) -> dict[str, float]:
        """What the sliders ask for, of those that were moved."""
        stood = photo.read[index].round(2)
        return self.service.changes(stood, np.array(values, np.float32))

    def _said(self, changes: dict[str, float], edited: Edited) -> str:
        """What was changed, and what the recognizer reads there now."""
        read = {name: edited.read[self.names.index(name)] for name in changes}
        parts = [f"{in_words(n)} → {v:.2f} (reads {read[n]:.2f})" for n, v in changes.items()]
        return "; ".join(parts)

    def _gauge(self, edited: Edited) -> str:
        """How far the face is from what it was, in HTML."""
        if edited.identity is None:
            return ""
        line = f"Identity distance {edited.identity:.2f} of 4"
        if self.threshold is not None:
            same = edited.identity <= self.threshold
            verdict = "the same person" if same else "another person"
            line += f": {verdict} (threshold {self.threshold:g})"
        meter = f'<meter min="0" max="4" value="{edited.identity:.3f}" aria-label="{line}"></meter>'
        return f"<label>{line}<br>{meter}</label>"

    def _nothing(self) -> list[Any]:
        """The tab without a photo."""
        return [None, "", "", *[0.0] * len(self.names)]

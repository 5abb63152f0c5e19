"""The tab that edits a photo."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from twobirds.apps.web.controls import (
    MAX_BYTES,
    MAX_PHOTOS,
    PHOTO_TYPES,
    QUIET,
    STATE_SECONDS,
    attribute_sliders,
    in_words,
    refuse_on_page,
)
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import EditedView, FaceService, view_of
from twobirds.apps.web.shelf import Shelf
from twobirds.errors import InputError
from twobirds.photos import OpenPhoto


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
        self.photos: Shelf[OpenPhoto] = Shelf(
            STATE_SECONDS,
            MAX_PHOTOS,
            weigh=lambda photo: photo.photo.num_bytes,
            max_weight=MAX_BYTES,
        )

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        opened = gr.State(None)
        file = gr.File(label="Photo", file_types=PHOTO_TYPES, height=120, elem_id="photo")
        face = gr.Radio(label="Face, from the left", choices=[], visible=False)
        with gr.Row():
            with gr.Column(min_width=280):
                shown = gr.ImageSlider(
                    label="Before and after",
                    interactive=False,
                    format="jpeg",
                    buttons=["fullscreen"],  # a download there would be unmarked
                    elem_id="shown",
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
        file.change(self._open, [file, opened], [opened, face, *seen, *sliders], **QUIET)
        for changed in (face.input, reset.click):
            changed(self._choose, [opened, face], [*seen, *sliders], **QUIET)
        for slider in sliders:
            slider.input(
                self._edit,
                [opened, face, *sliders],
                seen,
                show_progress="hidden",
                trigger_mode="always_last",
                **QUIET,
            )
        make.click(self._make, [opened, face, noted, *sliders], [result], **QUIET)

    def _open(self, path: str | None, key: str | None) -> list[Any]:
        """A photo was dropped, or taken away."""
        self.photos.drop(key)
        hidden = gr.Radio(choices=[], visible=False)
        if path is None:
            return [None, hidden, *self._nothing("")]
        try:
            photo = self.service.open(Path(path).read_bytes())
        except InputError as error:
            gr.Warning(f"{error}.")
            return [None, hidden, *self._nothing(f"{error}.")]
        numbers = list(range(1, photo.num_faces + 1))
        faces = gr.Radio(choices=numbers, value=1, visible=len(numbers) > 1)
        return [self.photos.put(photo), faces, *self._show(photo, 0)]

    def _choose(self, key: str | None, number: int | None) -> list[Any]:
        """Show a face as it is, with the sliders at the predicted probabilities."""
        photo = self.photos.get(key)
        return self._nothing("") if photo is None else self._show(photo, (number or 1) - 1)

    def _show(self, photo: OpenPhoto, index: int) -> list[Any]:
        doubts, left_out = photo.found[index].doubts, photo.photo.left_out
        lines = [f"⚠ {doubt}" for doubt in (*doubts.refusals, *doubts.warnings)]
        lines += [] if left_out is None else [f"⚠ the photo {left_out}"]
        values = [round(value, 2) for value in photo.attributes[index].tolist()]
        before = view_of(photo, index).pixels
        return [(before, before), "", "  \n".join(lines), *values]

    def _edit(self, key: str | None, number: int | None, *values: float) -> list[Any]:
        """A slider was moved."""
        photo, index = self._photo(key), (number or 1) - 1
        changes = self._changes(photo, index, values)
        edited = refuse_on_page(lambda: self.service.edit(photo, index, changes))
        shown = (edited.before, edited.after)
        return [shown, self._gauge(edited), self._report(changes, edited)]

    def _make(self, key: str | None, number: int | None, noted: bool, *values: float) -> str:
        """The edit at the photo's full size, as a file."""
        photo, index = self._photo(key), (number or 1) - 1
        changes = self._changes(photo, index, values)
        name, content = refuse_on_page(
            lambda: self.service.edit_file(photo, index, changes, noted=noted)
        )
        return str(self.files.write(name, content))

    def _photo(self, key: str | None) -> OpenPhoto:
        """The photo that is open."""
        photo = self.photos.get(key)
        if photo is None:
            raise gr.Error("Drop a photo first: none is open.", print_exception=False)
        return photo

    def _changes(self, photo: OpenPhoto, index: int, values: tuple[float, ...]) -> dict[str, float]:
        """What the sliders ask for, of those that were moved."""
        stood = photo.attributes[index].numpy().round(2)
        return self.service.changes(stood, np.array(values, np.float32))

    def _report(self, changes: dict[str, float], edited: EditedView) -> str:
        """What was changed, and what the recognizer predicts there now."""
        predicted = {name: edited.attributes[self.names.index(name)] for name in changes}
        parts = [
            f"{in_words(name)} → {value:.2f} (recognized: {predicted[name]:.2f})"
            for name, value in changes.items()
        ]
        return "; ".join(parts)

    def _gauge(self, edited: EditedView) -> str:
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

    def _nothing(self, line: str) -> list[Any]:
        """The tab without a photo, and why."""
        return [None, "", line, *[0.0] * len(self.names)]

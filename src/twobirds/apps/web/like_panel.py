"""The part of the page that takes attribute values from the face of another photo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from twobirds.apps.web.controls import PHOTO_TYPES, QUIET, complaint
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.words import in_words
from twobirds.errors import InputError
from twobirds.photos.reference import Taken, face_of, take

_NO_PHOTO = "⚠ Open the photo to take from first."
_NO_NAMES = "⚠ Choose what to take."


class LikePanel:
    """Another photo, what to take from it, and what was taken.

    Args:
        service: Which recognizes the face.
    """

    def __init__(self, service: FaceService) -> None:
        self.service, self.names = service, service.model.attributes

    def build(self) -> None:
        """Lay it out."""
        with gr.Accordion("Like another photo", open=False, elem_id="like"):
            self.file = gr.File(
                label="The other photo", file_types=PHOTO_TYPES, height=120, elem_id="like-photo"
            )
            self.face = gr.Radio(label="Its face, from the left", choices=[], visible=False)
            choices = [(in_words(name), name) for name in self.names]
            self.wanted = gr.Dropdown(
                choices,
                multiselect=True,
                label="Take",
                info="Whether it is there, not its style: bangs, but not which.",
                elem_id="take-what",
            )
            self.button = gr.Button("Take", elem_id="take")
            self.said = gr.Markdown(elem_id="taken")

    def wire(self, sliders: Sequence[gr.Slider]) -> Any:
        """Have the button set the sliders, in the order of the attributes; returns its event."""
        for changed in (self.file.upload, self.file.clear):
            changed(self._forget, None, [self.said, self.face], **QUIET)
        inputs = [self.file, self.face, self.wanted]
        return self.button.click(self._take, inputs, [self.said, self.face, *sliders], **QUIET)

    def _forget(self) -> list[Any]:
        """Another photo, or none."""
        return ["", gr.Radio(choices=[], value=None, visible=False)]

    def _take(self, path: str | None, number: int | None, wanted: list[str]) -> list[Any]:
        """Set the sliders of what is taken to 0 or 1, and leave the others."""
        if path is None:
            return self._said(_NO_PHOTO)
        if not wanted:
            return self._said(_NO_NAMES)
        try:
            photo = self.service.open(Path(path).read_bytes())
            numbers = list(range(1, photo.num_faces + 1))
            if number is None and len(numbers) > 1:
                faces = gr.Radio(choices=numbers, value=None, visible=True)
                return self._said(f"⚠ It has {len(numbers)} faces: choose one.", faces)
            taken = take(photo, wanted, face_of(photo, number) + 1)
        except InputError as error:
            return self._said(complaint(error))
        values = {n: v for n, v in taken.values.items() if n not in taken.unsure}
        sliders = [values.get(name, gr.skip()) for name in self.names]
        return [_report(taken), gr.skip(), *sliders]

    def _said(self, line: str, faces: Any = None) -> list[Any]:
        """A line, and the sliders as they are."""
        return [line, gr.skip() if faces is None else faces, *[gr.skip()] * len(self.names)]


def _report(taken: Taken) -> str:
    """What was taken and how sure the model is, and what was not, in lines."""
    parts = []
    sure = [
        f"{in_words(name)}: {'yes' if value else 'no'} ({taken.probabilities[name]:.2f})"
        for name, value in taken.values.items()
        if name not in taken.unsure
    ]
    if sure:
        parts.append(f"**Taken:** {', '.join(sure)}")
    unsure = [f"{in_words(name)} ({p:.2f})" for name, p in taken.unsure.items()]
    if unsure:
        parts.append(f"**The model is not sure, so not taken:** {', '.join(unsure)}")
    return "  \n".join(parts)

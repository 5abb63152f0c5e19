"""The tab that edits a photo."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from twobirds.api import Limits
from twobirds.apps.web.brush import brush, canvas, painted_mask
from twobirds.apps.web.controls import (
    MAX_BYTES,
    MAX_PHOTOS,
    PHOTO_TYPES,
    QUIET,
    STATE_SECONDS,
    complaint,
    download,
    other_sliders,
    popular_sliders,
    when_moved,
)
from twobirds.apps.web.files import Files
from twobirds.apps.web.like_panel import LikePanel
from twobirds.apps.web.service import EditedView, FaceService, most_plausible, view_of
from twobirds.apps.web.shelf import Shelf
from twobirds.apps.web.words import KEEP, QUALITY, in_words, outcome
from twobirds.apps.web.words_panel import WordsPanel
from twobirds.data.attributes import contradictions
from twobirds.errors import InputError
from twobirds.photos import EditRequest, OpenPhoto
from twobirds.photos.credentials import has_credentials

_NO_PHOTO = "⚠ Open a photo first."
_UNCHANGED = "Nothing changes yet: the model sees this in the face already, or no slider was moved."
_LOST_CREDENTIALS = (
    "⚠ The photo's Content Credentials (C2PA) are not kept in the file: "
    "`twobirds edit` with --c2pa-cert and --c2pa-key keeps them."
)


class _Result(NamedTuple):
    """The components of the column with the picture."""

    shown: gr.ImageSlider
    gauge: gr.HTML
    said: gr.Markdown
    noted: gr.Checkbox
    reset: gr.Button
    make: gr.Button
    file: gr.File


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
            weigh=_num_bytes,
            max_weight=MAX_BYTES,
        )

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        opened = gr.State(None)
        with gr.Row():
            with gr.Column(min_width=280, elem_classes="unpacked"):
                with gr.Column(elem_classes="first"):
                    file = gr.File(
                        label="Photo", file_types=PHOTO_TYPES, height=120, elem_id="photo"
                    )
                    example = gr.Button("Try it with a generated face", elem_id="example")
                    problem = gr.Markdown(elem_id="problem")
                    face = gr.Radio(label="Face, from the left", choices=[], visible=False)
                with gr.Column(elem_classes="last"):
                    gr.Markdown(QUALITY)
                    words = WordsPanel(self.names)
                    words.build()
                    strength = gr.Slider(0, 3, 1, step=0.05, label="Strength", buttons=[])
                    search = gr.Checkbox(label="As strong as it takes for the model to see it")
                    made = popular_sliders(self.names)
                    with gr.Accordion("Keep a part as it is", open=False, elem_id="keep"):
                        gr.Markdown(KEEP)
                        painted = brush()
                    like = LikePanel(self.service)
                    like.build()
                    made |= other_sliders(self.names)
                    sliders = [made[name] for name in self.names]
            result = self._build_result()
        seen = [result.shown, result.gauge, result.said, result.file]
        wishes = [opened, face, strength, search, *sliders]
        shown = [*seen, painted, *sliders]
        show = [opened, face, problem, *shown]
        for changed in (file.upload, file.clear):
            changed(self._open, [file, opened], show, **QUIET)
        example.click(self._open_example, [opened], [file, *show], **QUIET)
        for changed in (face.input, result.reset.click):
            changed(self._choose, [opened, face], shown, **QUIET)
        when_moved([*sliders, strength, search], self._edit, wishes, seen)
        for panel in (words, like):
            panel.wire(sliders).then(self._edit, wishes, seen, **QUIET)
        when_moved([painted], self._protect, [painted, *wishes], seen)
        result.make.click(self._make, [result.noted, *wishes], [result.said, result.file], **QUIET)

    def _build_result(self) -> _Result:
        """Lay out the column with the picture."""
        with gr.Column(min_width=280, elem_classes=["unpacked", "in-sight"]):
            with gr.Column(elem_id="pinned"):
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
            file = gr.File(
                label="The edited photo",
                interactive=False,
                height=80,
                visible=False,
                elem_id="result",
            )
        return _Result(shown, gauge, said, noted, reset, make, file)

    def _open(self, path: str | None, key: str | None) -> list[Any]:
        """A photo was dropped, or taken away."""
        if path is None:
            return self._opened(key, None)
        return self._opened(key, Path(path).read_bytes)

    def _open_example(self, key: str | None) -> list[Any]:
        """A generated face was asked for; it takes the place of an uploaded photo."""
        return [None, *self._opened(key, self.service.example_photo)]

    def _opened(self, key: str | None, load: Callable[[], bytes] | None) -> list[Any]:
        """A photo instead of the one that was open, or why there is none."""
        self.photos.drop(key)
        hidden = gr.Radio(choices=[], visible=False)
        if load is None:
            return [None, hidden, "", *self._nothing()]
        try:
            photo = self.service.open(load())
        except InputError as error:
            return [None, hidden, complaint(error), *self._nothing()]
        numbers, index = list(range(1, photo.num_faces + 1)), most_plausible(photo)
        faces = gr.Radio(choices=numbers, value=index + 1, visible=len(numbers) > 1)
        return [self.photos.put(photo), faces, "", *self._show(photo, index)]

    def _choose(self, key: str | None, number: int | None) -> list[Any]:
        """Show a face as it is, nothing of it painted, the sliders at the probabilities."""
        photo, index = self.photos.get(key), (number or 1) - 1
        if key is None or photo is None:
            return self._nothing()
        self.photos.replace(key, self.service.protect(photo, index, None))
        return self._show(photo, index)

    def _show(self, photo: OpenPhoto, index: int) -> list[Any]:
        doubts, lost = photo.found[index].doubts, (photo.photo.left_out, *photo.photo.lost)
        lines = [f"⚠ {doubt}" for doubt in (*doubts.refusals, *doubts.warnings)]
        lines += [f"⚠ the photo {what}" for what in lost if what is not None]
        values = [round(value, 2) for value in photo.attributes[index].tolist()]
        view = view_of(photo, index).pixels
        before = _no_taller_than_wide(view)
        said = "  \n".join(lines)
        return [(before, before), "", said, download(), canvas(view), *values]

    def _edit(
        self, key: str | None, number: int | None, strength: float, search: bool, *values: float
    ) -> list[Any]:
        """A slider was moved; a file that was made is no longer of what is shown."""
        photo, index = self.photos.get(key), (number or 1) - 1
        if photo is None:
            return [gr.skip(), "", _NO_PHOTO, download()]
        try:
            request = self._request(photo, index, strength, search, values)
            edited = self.service.edit(photo, index, request)
        except InputError as error:
            return [gr.skip(), "", complaint(error), download()]
        shown = tuple(map(_no_taller_than_wide, (edited.before, edited.after)))
        said = self._report(request.changes, photo, index, edited) or _UNCHANGED
        return [shown, self._gauge(edited), said, download()]

    def _protect(
        self, layer: bytes | None, key: str | None, number: int | None, *wishes: Any
    ) -> list[Any]:
        """Something was painted: the edit without it."""
        photo, index = self.photos.get(key), (number or 1) - 1
        if key is None or photo is None:
            return [gr.skip(), "", _NO_PHOTO, download()]
        height, width = view_of(photo, index).pixels.shape[:2]
        try:
            painted = painted_mask(layer, height, width)
            self.photos.replace(key, self.service.protect(photo, index, painted))
        except InputError as error:
            return [gr.skip(), "", complaint(error), download()]
        return self._edit(key, number, *wishes)

    def _make(
        self,
        noted: bool,
        key: str | None,
        number: int | None,
        strength: float,
        search: bool,
        *values: float,
    ) -> list[Any]:
        """The edit at the photo's full size, as a file."""
        photo, index = self.photos.get(key), (number or 1) - 1
        if photo is None:
            return [_NO_PHOTO, download()]
        try:
            request = self._request(photo, index, strength, search, values)
            name, content = self.service.edit_file(photo, index + 1, request, noted=noted)
        except InputError as error:
            return [complaint(error), download()]
        said = _LOST_CREDENTIALS if has_credentials(photo.data) else gr.skip()
        return [said, download(self.files.write(name, content))]

    def _request(
        self,
        photo: OpenPhoto,
        index: int,
        strength: float,
        search: bool,
        values: tuple[float, ...],
    ) -> EditRequest:
        """What the sliders ask for, of those that were moved.

        Raises:
            InputError: If no face has all of it.
        """
        predicted = photo.attributes[index].numpy().round(2)
        changes = self.service.changes(predicted, np.array(values, np.float32))
        for pair in contradictions(changes):
            one, other = map(in_words, pair)
            raise InputError(f"{one} and {other} exclude each other: move one of the two back")
        if search:
            return EditRequest(changes, limits=Limits())
        return EditRequest(changes, strength)

    def _report(
        self, changes: Mapping[str, float], photo: OpenPhoto, index: int, edited: EditedView
    ) -> str:
        """What was changed, and whether the recognizer sees it."""
        columns = {name: self.names.index(name) for name in changes}
        before = {name: round(float(photo.attributes[index, k]), 2) for name, k in columns.items()}
        after = {name: float(edited.attributes[k]) for name, k in columns.items()}
        return outcome(changes, before, after)

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

    def _nothing(self) -> list[Any]:
        """The tab without a photo."""
        return [None, "", "", download(), None, *[0.0] * len(self.names)]


def _num_bytes(photo: OpenPhoto) -> int:
    """What an open photo and its mask take of memory."""
    return photo.photo.num_bytes + (0 if photo.protected is None else photo.protected.nbytes)


def _no_taller_than_wide(pixels: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` uint8 with white at its sides, so that what stands below stays on the screen."""
    height, width = pixels.shape[:2]
    missing = max(0, height - width)
    sides = (missing // 2, missing - missing // 2)
    return np.pad(pixels, ((0, 0), sides, (0, 0)), constant_values=255)

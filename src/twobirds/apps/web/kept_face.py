"""A generated face that is kept: changed by sliders, and made into a file."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from twobirds.apps.pictures import picture_bytes
from twobirds.apps.web.controls import (
    QUIET,
    STATE_SECONDS,
    attribute_sliders,
    download,
    when_moved,
)
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import NUM_DIRECTIONS, FaceService
from twobirds.photos import Marks

FORGOTTEN = "⚠ These faces are forgotten: generate again."
SHOW_KEPT = "() => document.querySelector('#keeping')?.scrollIntoView({behavior: 'smooth'})"
"""Brings the face into sight, in JavaScript."""
_HEIGHT = 380  # pixels
_SHOWN_SIDE = 192  # pixels; faces of 64 would be stamps on a screen


class KeptFace:
    """The face, its sliders and its file.

    Args:
        service: Which does the work.
        files: Where downloads are put.
    """

    def __init__(self, service: FaceService, files: Files) -> None:
        self.service, self.files = service, files
        self.names = service.model.attributes

    def build(self) -> list[Any]:
        """Lay it out, within a row; returns the components that `keep` fills."""
        latents = gr.State(None, time_to_live=STATE_SECONDS)
        with gr.Column(min_width=280, elem_classes=["unpacked", "in-sight"]):
            face = gr.Image(
                label="The face kept",
                interactive=False,
                height=_HEIGHT,
                format="png",
                buttons=["fullscreen"],
                elem_id="kept",
            )
            noted = gr.Checkbox(label="Write “AI-generated” into the picture")
            make = gr.Button("Make the file", variant="primary")
            problem = gr.Markdown(elem_id="kept-problem")
            result = gr.File(label="The face", interactive=False, height=80, visible=False)
        with gr.Column(min_width=280, elem_classes="last"):
            sliders = attribute_sliders(self.names)
            with gr.Accordion("The face itself", open=False):
                sliders += [
                    gr.Slider(-1, 1, 0, step=0.01, label=f"Direction {n}", buttons=[])
                    for n in range(1, NUM_DIRECTIONS + 1)
                ]
        when_moved(sliders, self._show, [latents, *sliders], [face, problem, result])
        make.click(self._make, [latents, noted, *sliders], [problem, result], **QUIET)
        return [latents, face, problem, result, *sliders]

    def keep(self, latents: Tensor, rows: Tensor) -> list[Any]:
        """A face: its latents `[1, Z]`, and its attributes `[1, K]` on the sliders."""
        pixels = enlarged(self.service.decode(latents, rows)[0])
        return [latents, pixels, "", download(), *rows[0].tolist(), *[0.0] * NUM_DIRECTIONS]

    def nothing(self) -> list[Any]:
        """No face."""
        return [None, None, "", download(), *[0.0] * (len(self.names) + NUM_DIRECTIONS)]

    def _show(self, latents: Tensor | None, *values: float) -> list[Any]:
        """A slider was moved; a file that was made is no longer of what is shown."""
        if latents is None:
            return [gr.skip(), FORGOTTEN, download()]
        return [enlarged(self._decode(latents, values)), "", download()]

    def _make(self, latents: Tensor | None, noted: bool, *values: float) -> list[Any]:
        """The face as a file."""
        if latents is None:
            return [FORGOTTEN, download()]
        pixels = self._decode(latents, values)
        marks = Marks("generated", is_visible=noted)
        content = picture_bytes(marks.shown_on(pixels), marks.provenance(self.service.model))
        return ["", download(self.files.write("generated.png", content))]

    def _decode(self, latents: Tensor, values: Sequence[float]) -> np.ndarray:
        """The face `[S, S, 3]` uint8 from its latents `[1, Z]` and the sliders' values."""
        row, steps = values[: len(self.names)], values[len(self.names) :]
        latents = self.service.moved(latents, steps)
        face: np.ndarray = self.service.decode(latents, torch.tensor([list(row)]).float())[0]
        return face


def enlarged(face: np.ndarray) -> np.ndarray:
    """A face `[S, S, 3]` uint8 for a screen."""
    side = max(_SHOWN_SIDE, len(face))
    return np.asarray(Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC))

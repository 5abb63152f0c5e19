"""The tab that generates faces, from attributes or words."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from twobirds.apps.describe import Understanding, understand
from twobirds.apps.pictures import picture_bytes
from twobirds.apps.web.controls import QUIET, STATE_SECONDS, attribute_sliders, refuse_on_page
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import NUM_DIRECTIONS, FaceService
from twobirds.apps.witness import Candidates, first_candidates, refine, understand_refinement
from twobirds.photos import Marks

_COUNT = 12  # faces at a time
_SHOWN_SIDE = 192  # pixels; faces of 64 would be stamps on a screen


class _Kept(NamedTuple):
    """The components of a face that was kept."""

    latents: gr.State
    face: gr.Image
    sliders: list[gr.Slider]
    """Of the attributes, then of the directions of z."""


class _Shown(NamedTuple):
    """The candidates in the gallery."""

    candidates: Candidates
    turn: int
    """How many answers there were to them."""


class GenerateTab:
    """Faces that nobody has; one of them can be kept and changed.

    Args:
        service: Which does the work.
        files: Where downloads are put.
    """

    def __init__(self, service: FaceService, files: Files) -> None:
        self.service, self.files = service, files
        self.names = service.model.attributes

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        shown = gr.State(None, time_to_live=STATE_SECONDS)
        with gr.Row():
            with gr.Column(min_width=280):
                words = gr.Textbox(
                    label="In words",
                    placeholder="a bald man of about 40 with arched eyebrows and a big nose",
                    elem_id="words",
                )
                having = gr.Dropdown(self.names, multiselect=True, label="With")
                lacking = gr.Dropdown(self.names, multiselect=True, label="Without")
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31)
                generate = gr.Button("Generate", variant="primary")
                understood = gr.Markdown(elem_id="understood")
            with gr.Column(min_width=280):
                gallery = gr.Gallery(
                    label="Choose one to keep it",
                    columns=4,
                    format="png",
                    allow_preview=False,
                    buttons=[],
                    elem_id="gallery",
                )
                answer = gr.Textbox(
                    label="And now? (after Generate)",
                    placeholder="more like the third, with a beard",
                    elem_id="answer",
                )
        with gr.Row(visible=False) as keeping:
            kept = self._build_kept()
        inputs = [words, having, lacking, seed]
        for asked in (generate.click, words.submit):
            asked(self._generate, inputs, [gallery, shown, understood, keeping], **QUIET)
        answer.submit(
            self._refine, [answer, shown, seed], [gallery, shown, understood, keeping], **QUIET
        )
        seen = [kept.latents, keeping, kept.face, *kept.sliders]
        gallery.select(self._keep, [shown], seen, **QUIET)

    def _build_kept(self) -> _Kept:
        """Lay out what is done with a face that was kept."""
        latents = gr.State(None, time_to_live=STATE_SECONDS)
        with gr.Column(min_width=280):
            face = gr.Image(
                label="The face kept",
                interactive=False,
                format="png",
                buttons=["fullscreen"],
                elem_id="kept",
            )
            noted = gr.Checkbox(label="Write “AI-generated” into the picture")
            make = gr.Button("Make the file", variant="primary")
            result = gr.File(label="The face", interactive=False, height=120)
        with gr.Column(min_width=280):
            sliders = attribute_sliders(self.names)
            with gr.Accordion("The face itself", open=False):
                sliders += [
                    gr.Slider(-1, 1, 0, step=0.01, label=f"Direction {n}", buttons=[])
                    for n in range(1, NUM_DIRECTIONS + 1)
                ]
        for slider in sliders:
            slider.input(
                self._show_kept,
                [latents, *sliders],
                [face],
                show_progress="hidden",
                trigger_mode="always_last",
                **QUIET,
            )
        make.click(self._make, [latents, noted, *sliders], [result], **QUIET)
        return _Kept(latents, face, sliders)

    def _generate(
        self, words: str, having: list[str], lacking: list[str], seed: float | None
    ) -> list[Any]:
        """Candidates that have what was asked for."""
        wanted, line = {}, ""
        if words.strip():
            understanding = understand(words, self.names)
            wanted, line = dict(understanding.attributes), _report(understanding)
        wanted |= dict.fromkeys(having, 1.0) | dict.fromkeys(lacking, 0.0)
        shown = refuse_on_page(
            lambda: first_candidates(self.service.model, _COUNT, wanted, int(seed or 0))
        )
        return self._show(_Shown(shown, 0), line)

    def _refine(self, answer: str, shown: _Shown | None, seed: float | None) -> list[Any]:
        """What was said of the candidates."""
        if shown is None:
            raise gr.Error("Generate some faces first.", print_exception=False)
        refinement = refuse_on_page(lambda: understand_refinement(answer, self.names, _COUNT))
        turn = shown.turn + 1
        refined = refuse_on_page(
            lambda: refine(shown.candidates, refinement, self.names, int(seed or 0) + turn)
        )
        return self._show(_Shown(refined, turn), _report(refinement.understanding))

    def _show(self, shown: _Shown, line: str) -> list[Any]:
        """Candidates in the gallery."""
        pixels = self.service.decode(*shown.candidates)
        pictures = [(enlarged(face), str(n)) for n, face in enumerate(pixels, 1)]
        return [pictures, shown, line, gr.Row(visible=False)]

    def _keep(self, shown: _Shown | None, choice: gr.SelectData) -> list[Any]:
        """A candidate was chosen: its attributes on the sliders."""
        if shown is None:
            raise gr.Error("Generate again: these faces are forgotten.", print_exception=False)
        latents, rows = (part[choice.index : choice.index + 1] for part in shown.candidates)
        pixels = enlarged(self.service.decode(latents, rows)[0])
        return [latents, gr.Row(visible=True), pixels, *rows[0].tolist(), *[0.0] * NUM_DIRECTIONS]

    def _show_kept(self, latents: Tensor | None, *values: float) -> np.ndarray:
        """A slider of the face kept was moved."""
        if latents is None:
            raise gr.Error("Choose a face first.", print_exception=False)
        return enlarged(self._decode_kept(latents, values))

    def _decode_kept(self, latents: Tensor, values: Sequence[float]) -> np.ndarray:
        """A face `[S, S, 3]` uint8 from its latents `[1, Z]` and the sliders' values."""
        row, steps = values[: len(self.names)], values[len(self.names) :]
        latents = self.service.moved(latents, steps)
        face: np.ndarray = self.service.decode(latents, torch.tensor([list(row)]).float())[0]
        return face

    def _make(self, latents: Tensor | None, noted: bool, *values: float) -> str:
        """The face kept, as a file."""
        if latents is None:
            raise gr.Error("Choose a face first.", print_exception=False)
        pixels = self._decode_kept(latents, values)
        marks = Marks("generated", is_visible=noted)
        content = picture_bytes(marks.shown_on(pixels), marks.provenance(self.service.model))
        return str(self.files.write("generated.png", content))


def enlarged(face: np.ndarray) -> np.ndarray:
    """A face `[S, S, 3]` uint8 for a screen."""
    side = max(_SHOWN_SIDE, len(face))
    return np.asarray(Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC))


def _report(understanding: Understanding) -> str:
    """What was understood of a description, and what not."""
    meanings = [f"{said}: {meaning}" for said, meaning in understanding.understood]
    parts = (
        ("Understood", meanings),
        ("Not understood", understanding.ignored),
        ("Not known to the model", understanding.unavailable),
    )
    return "  \n".join(f"**{title}:** {'; '.join(words)}" for title, words in parts if words)

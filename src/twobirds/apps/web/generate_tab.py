"""The tab that generates faces, from attributes or words."""

from typing import Any, NamedTuple

import gradio as gr

from twobirds.apps.web.controls import QUIET, STATE_SECONDS, complaint, whole_number
from twobirds.apps.web.files import Files
from twobirds.apps.web.kept_face import FORGOTTEN, SHOW_KEPT, KeptFace, enlarged
from twobirds.apps.web.service import TRUNCATION, FaceService
from twobirds.apps.web.words import in_words, understood
from twobirds.apps.witness import Candidates, first_candidates, refine, understand_refinement
from twobirds.data.attributes import contradictions, overruled, overruled_names
from twobirds.errors import InputError
from twobirds.language.description import understand

_COUNT = 12  # faces at a time
_MAX_SEED = 2**31
_EXAMPLE = "a bald man of about 40 with arched eyebrows and a big nose"
_SHOW_GALLERY = """() => {
    const isRefused = document.querySelector('#understood').innerText.includes('⚠')
    const gallery = document.querySelector('#gallery:has(img)')
    if (!isRefused) gallery?.scrollIntoView({behavior: 'smooth', block: 'nearest'})
}"""
"""Brings new faces into sight, which on a phone lie below the screen; in JavaScript."""
_NOTHING_SAID = (
    "⚠ Nothing in it says what a face looks like: try words such as bald, young woman, glasses, "
    "black hair, no beard."
)


class _Shown(NamedTuple):
    """The candidates in the gallery."""

    candidates: Candidates
    seed: int
    """Which they were made with."""


class GenerateTab:
    """Faces that nobody has; one of them can be kept and changed.

    Args:
        service: Which does the work.
        files: Where downloads are put.
    """

    def __init__(self, service: FaceService, files: Files) -> None:
        self.service = service
        self.kept = KeptFace(service, files)
        self.names = service.model.attributes

    def build(self) -> None:
        """Lay the tab out, within that of the page."""
        shown = gr.State(None, time_to_live=STATE_SECONDS)
        with gr.Row():
            with gr.Column(min_width=280):
                words = gr.Textbox(label="In words", placeholder=_EXAMPLE, elem_id="words")
                choices = [(in_words(name), name) for name in self.names]
                having = gr.Dropdown(choices, multiselect=True, label="With")
                lacking = gr.Dropdown(choices, multiselect=True, label="Without")
                seed = gr.Number(0, label="Seed", elem_id="seed")
                with gr.Row():
                    generate = gr.Button("Generate", variant="primary", min_width=100)
                    renew = gr.Button("New faces", min_width=100, elem_id="renew")
                reported = gr.Markdown(elem_id="understood")
            with gr.Column(min_width=280):
                gr.Markdown("Choose a face to keep it and change it.")
                gallery = gr.Gallery(
                    show_label=False,  # it would cover the first face
                    columns=4,
                    format="png",
                    allow_preview=False,
                    buttons=[],
                    elem_id="gallery",
                )
                answered = gr.Markdown(elem_id="answered")
                answer = gr.Textbox(
                    label="Change these faces, in words",
                    placeholder="more like the third, with a beard",
                    elem_id="answer",
                )
        with gr.Row(visible=False, elem_id="keeping") as keeping:
            kept = self.kept.build()
        inputs = [words, having, lacking, seed]
        found = [gallery, shown, reported, answered, keeping]
        for asked in (generate.click, words.submit):
            asked(self._generate, inputs, found, **QUIET).then(None, js=_SHOW_GALLERY)
        renewed = renew.click(self._renew, inputs, [seed, *found], **QUIET)
        renewed.then(None, js=_SHOW_GALLERY)
        answer.submit(self._refine, [answer, shown], found, **QUIET)
        chosen = gallery.select(self._keep, [shown], [answered, keeping, *kept], **QUIET)
        chosen.then(None, js=SHOW_KEPT)

    def _generate(
        self, words: str, having: list[str], lacking: list[str], seed: float | None
    ) -> list[Any]:
        """Candidates that have what was asked for."""
        wanted, line = {}, ""
        if words.strip():
            understanding = understand(words, self.names)
            wanted, line = dict(understanding.attributes), understood(understanding)
            if not wanted:
                return _refused(f"{_NOTHING_SAID}  \n{line}")
        if both := [in_words(name) for name in having if name in lacking]:
            return _refused(f"⚠ Both with and without: {', '.join(both)}. Choose one.")
        chosen = dict.fromkeys(having, 1.0) | dict.fromkeys(lacking, 0.0)
        if names := overruled_names(wanted, chosen):
            line += f"  \n**Overruled by your choice:** {', '.join(map(in_words, names))}"
        wanted = overruled(wanted, chosen)
        if pairs := contradictions(wanted):
            one, other = map(in_words, pairs[0])
            return _refused(f"⚠ {one} and {other} exclude each other. Choose one.")
        try:
            number = whole_number("seed", seed or 0, 0, _MAX_SEED)
        except InputError as error:
            return _refused(complaint(error))
        candidates = first_candidates(
            self.service.model, _COUNT, wanted, number, truncation=TRUNCATION
        )
        return self._show(_Shown(candidates, number), reported=line, answered="")

    def _renew(
        self, words: str, having: list[str], lacking: list[str], seed: float | None
    ) -> list[Any]:
        """Other candidates that have what was asked for."""
        try:
            other = whole_number("seed", seed or 0, 0, _MAX_SEED - 1) + 1
        except InputError as error:
            return [gr.skip(), *_refused(complaint(error))]
        return [other, *self._generate(words, having, lacking, other)]

    def _refine(self, answer: str, shown: _Shown | None) -> list[Any]:
        """What was said of the candidates."""
        if shown is None:
            return _refused_answer("⚠ Generate some faces first.")
        seed = shown.seed + 1
        try:
            refinement = understand_refinement(answer, self.names, _COUNT)
            candidates = refine(shown.candidates, refinement, self.names, seed)
        except InputError as error:
            return _refused_answer(complaint(error))
        answered = understood(refinement.understanding)
        return self._show(_Shown(candidates, seed), reported=gr.skip(), answered=answered)

    def _show(self, shown: _Shown, *, reported: Any, answered: str) -> list[Any]:
        """Candidates in the gallery."""
        pixels = self.service.decode(*shown.candidates)
        pictures = [(enlarged(face), str(n)) for n, face in enumerate(pixels, 1)]
        return [pictures, shown, reported, answered, gr.Row(visible=False)]

    def _keep(self, shown: _Shown | None, choice: gr.SelectData) -> list[Any]:
        """A candidate was chosen."""
        if shown is None:
            return [FORGOTTEN, gr.Row(visible=False), *self.kept.nothing()]
        latents, rows = (part[choice.index : choice.index + 1] for part in shown.candidates)
        return [gr.skip(), gr.Row(visible=True), *self.kept.keep(latents, rows)]


def _refused(line: str) -> list[Any]:
    """Everything as it is, and beside what was asked for why."""
    return [gr.skip(), gr.skip(), line, "", gr.skip()]


def _refused_answer(line: str) -> list[Any]:
    """Everything as it is, and beside the candidates why."""
    return [gr.skip(), gr.skip(), gr.skip(), line, gr.skip()]

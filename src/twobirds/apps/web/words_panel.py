"""The part of the page that edits a photo by words."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from twobirds.apps.web.controls import QUIET, as_sentence
from twobirds.apps.web.words import understood
from twobirds.data.attributes import is_there
from twobirds.language.description import NOTHING_TO_CHANGE, understand_edit


class WordsPanel:
    """A line of text that moves the sliders, and what was understood of it.

    Args:
        names: The attributes, in the order of the sliders.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def build(self) -> None:
        """Lay it out."""
        self.text = gr.Textbox(
            label="In words",
            placeholder="blond hair, no glasses, less makeup",
            elem_id="edit-words",
        )
        self.said = gr.Markdown(elem_id="edit-understood")

    def wire(self, sliders: Sequence[gr.Slider]) -> Any:
        """Have the text set the sliders, in the order of the attributes; returns its event."""
        inputs = [self.text, *sliders]
        return self.text.submit(self._set, inputs, [self.said, *sliders], **QUIET)

    def _set(self, text: str, *values: float) -> list[Any]:
        """Set the sliders of what the text asks for, and leave the others.

        Args:
            text: English words.
            *values: Where the sliders stand, from 0 to 1.
        """
        found = understand_edit(text, self.names)
        said = understood(found)
        if not found.attributes:
            said = f"⚠ {as_sentence(NOTHING_TO_CHANGE)}  \n{said}"
        stood = dict(zip(self.names, values, strict=True))
        wanted = {n: v for n, v in found.attributes.items() if not is_there(v, stood[n])}
        return [said, *(wanted.get(name, gr.skip()) for name in self.names)]

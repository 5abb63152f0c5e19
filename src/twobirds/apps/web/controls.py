"""What the tabs of the page share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from twobirds.apps.web.words import POPULAR, in_words
from twobirds.data.attributes import GROUPS
from twobirds.data.provenance import PHOTO_FORMATS
from twobirds.errors import InputError

_MAX_QUOTED = 60  # characters of a value in a message
PHOTO_TYPES = list(PHOTO_FORMATS)
STATE_SECONDS = 900
"""How long the page remembers a photo after its last use."""
MAX_PHOTOS, MAX_BYTES = 200, 2_000_000_000
"""It remembers at a time, of all users: photos, and bytes of their decoded pixels."""
QUIET: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "work"}
"""Of every event: no endpoint of the API, and in one queue with all others."""


def attribute_sliders(names: Sequence[str]) -> list[gr.Slider]:
    """One for each attribute, in the order of `names`, the popular ones first, then by groups."""
    made = popular_sliders(names) | other_sliders(names)
    return [made[name] for name in names]


def popular_sliders(names: Sequence[str]) -> dict[str, gr.Slider]:
    """Those of the popular attributes by name, which all can see."""
    return _group("Popular", [name for name in POPULAR if name in names], is_open=True)


def other_sliders(names: Sequence[str]) -> dict[str, gr.Slider]:
    """Those of the other attributes by name, in groups that can be opened."""
    known = {name for members in GROUPS.values() for name in members}
    groups = {**GROUPS, "Further": tuple(name for name in names if name not in known)}
    made: dict[str, gr.Slider] = {}
    for title, members in groups.items():
        present = [name for name in members if name in names and name not in POPULAR]
        made |= _group(title, present, is_open=False)
    return made


def _group(title: str, names: Sequence[str], *, is_open: bool) -> dict[str, gr.Slider]:
    """A slider for each attribute, under a title; nothing where there is none."""
    if not names:
        return {}
    with gr.Accordion(title, open=is_open):
        return {
            name: gr.Slider(0, 1, 0, step=0.01, label=in_words(name), interactive=True, buttons=[])
            for name in names
        }


def when_moved(
    controls: Sequence[gr.Slider | gr.Checkbox | gr.ImageEditor],
    answer: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Have every move of some controls answered; of moves that wait only the last one is."""
    for control in controls:
        control.input(
            answer,
            inputs,
            outputs,
            show_progress="hidden",
            trigger_mode="always_last",
            **QUIET,
        )


def complaint(error: InputError) -> str:
    """What is wrong with the input, to be shown beside it."""
    return f"⚠ {as_sentence(str(error))}"


def as_sentence(words: str) -> str:
    """Words with a capital at the beginning and a stop at the end."""
    stop = "" if words.endswith((".", "?", "!")) else "."
    return f"{words[:1].upper()}{words[1:]}{stop}"


def download(path: Path | None = None) -> dict[str, Any]:
    """What a hidden `gr.File` becomes: a file to be downloaded, or hidden again."""
    update: dict[str, Any] = gr.update(
        value=None if path is None else str(path), visible=path is not None
    )
    return update


def whole_number(what: str, value: Any, minimum: int, maximum: int) -> int:
    """A whole number that a user gave.

    Raises:
        InputError: If it is none, or out of its range.
    """
    is_number = not isinstance(value, bool) and isinstance(value, int | float)
    if not is_number or value != value // 1 or not minimum <= value <= maximum:
        raise InputError(
            f"{what} must be a whole number from {minimum} to {maximum}, not {brief(value)}"
        )
    return int(value)


def brief(value: Any) -> str:
    """A value that a user gave, for a message."""
    text = repr(value)
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"

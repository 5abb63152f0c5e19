"""What the tabs of the page share."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gradio as gr

from twobirds.data.attributes import GROUPS
from twobirds.data.provenance import PHOTO_FORMATS
from twobirds.errors import InputError

T = TypeVar("T")

PHOTO_TYPES = list(PHOTO_FORMATS)
STATE_SECONDS = 900
"""How long the page remembers a photo after its last use."""
MAX_PHOTOS, MAX_BYTES = 200, 2_000_000_000
"""It remembers at a time, of all users: photos, and bytes of their decoded pixels."""
QUIET: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "work"}
"""Of every event: no endpoint of the API, and in one queue with all others."""


def attribute_sliders(names: Sequence[str]) -> list[gr.Slider]:
    """One for each attribute, in the order of `names`, grouped as a person would look for them."""
    made: dict[str, gr.Slider] = {}
    known = {name for members in GROUPS.values() for name in members}
    groups = GROUPS | {"Further": tuple(name for name in names if name not in known)}
    for number, (title, members) in enumerate(groups.items()):
        present = [name for name in members if name in names]
        if not present:
            continue
        with gr.Accordion(title, open=number == 0):
            for name in present:
                made[name] = gr.Slider(
                    0, 1, 0, step=0.01, label=in_words(name), interactive=True, buttons=[]
                )
    return [made[name] for name in names]


def in_words(name: str) -> str:
    """An attribute's name for people."""
    return name.replace("_", " ")


def refuse_on_page(work: Callable[[], T]) -> T:
    """Do it; what is wrong with the input is told on the page."""
    try:
        return work()
    except InputError as error:
        raise gr.Error(f"{error}.", print_exception=False) from error

"""The HTTP API: recognize, edit and generate, under /gradio_api/call/NAME."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from twobirds.apps.pictures import near_square_grid, picture_bytes
from twobirds.apps.web.controls import refuse_on_page
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.sessions import CallSessions
from twobirds.data.provenance import listed_values
from twobirds.errors import InputError
from twobirds.photos import Marks

T = TypeVar("T")
_MAX_FACES = 64  # of one call of generate
_MAX_SEED = 2**53  # that JSON holds exactly


def add_endpoints(page: gr.Blocks, service: FaceService, files: Files) -> None:
    """Add the named endpoints to the page that is being laid out; none of them is seen on it."""
    sessions = CallSessions(page)

    def answer_to(request: gr.Request, work: Callable[[], T]) -> T:
        try:
            return refuse_on_page(work)
        finally:
            sessions.answered(request.session_hash)

    def recognize(photo: str | None, request: gr.Request) -> list[dict[str, Any]]:
        return answer_to(request, lambda: _recognize(service, photo))

    def edit(photo: str | None, changes: Any, face: Any, request: gr.Request) -> str:
        return str(answer_to(request, lambda: _edit(service, files, photo, changes, face)))

    def generate(attributes: Any, count: Any, seed: Any, request: gr.Request) -> str:
        work = partial(_generate, service, files, attributes, count, seed)
        return str(answer_to(request, work))

    with gr.Row(visible=False):
        photo, picture = gr.File(label="photo"), gr.File(label="picture")
        values = gr.JSON(label="changes", value={})
        number, seed = gr.Number(1, label="face"), gr.Number(0, label="seed")
        answer = gr.JSON(label="faces")
        call = gr.Button("call")
    for function, inputs, output in (
        (recognize, [photo], answer),
        (edit, [photo, values, number], picture),
        (generate, [values, number, seed], picture),
    ):
        call.click(function, inputs, [output], api_name=function.__name__, concurrency_id="work")


def _recognize(service: FaceService, photo: str | None) -> list[dict[str, Any]]:
    opened = service.open(_uploaded(photo), is_still=True)
    names = service.model.attributes
    return [
        {"face": number, "attributes": dict(zip(names, row, strict=True))}
        for number, row in enumerate(opened.attributes.tolist(), 1)
    ]


def _edit(service: FaceService, files: Files, photo: str | None, changes: Any, face: Any) -> Path:
    targets = _values("changes", changes)
    if not targets:
        raise InputError("changes names no attribute")
    index = _whole("face", face, 1, 10_000) - 1
    opened = service.open(_uploaded(photo), is_still=True)
    return files.write(*service.edit_file(opened, index, targets))


def _generate(service: FaceService, files: Files, attributes: Any, count: Any, seed: Any) -> Path:
    wanted = _values("attributes", attributes)
    number = _whole("count", count, 1, _MAX_FACES)
    pixels = service.generate(number, wanted, _whole("seed", seed, 0, _MAX_SEED))
    provenance = Marks("generated", listed_values(wanted)).provenance(service.model)
    return files.write("generated.png", picture_bytes(near_square_grid(pixels), provenance))


def _uploaded(photo: str | None) -> bytes:
    """The content of an upload."""
    if photo is None:
        raise InputError("photo is missing")
    return Path(photo).read_bytes()


def _values(what: str, values: Any) -> dict[str, float]:
    """A JSON object of numbers."""
    if not isinstance(values, Mapping):
        raise InputError(f"{what} must be an object such as {{'Smiling': 1}}")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{what}: {name} must be a number from 0 to 1, not {value!r}")
    return dict(values)


def _whole(what: str, value: Any, minimum: int, maximum: int) -> int:
    """A whole number of JSON."""
    is_number = isinstance(value, int | float) and math.isfinite(value) and value == int(value)
    if not is_number or not minimum <= value <= maximum:
        raise InputError(
            f"{what} must be a whole number from {minimum} to {maximum}, not {value!r}"
        )
    return int(value)

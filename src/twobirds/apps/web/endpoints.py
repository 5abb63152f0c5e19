"""The HTTP API: recognize, edit and generate, under /gradio_api/call/NAME."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from twobirds.apps.pictures import near_square_grid, picture_bytes
from twobirds.apps.web.controls import as_sentence, whole_number
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.sessions import CallSessions
from twobirds.data.attributes import require_consistent
from twobirds.data.provenance import listed_values
from twobirds.errors import InputError
from twobirds.photos import EditRequest, FaceChoice, Marks

T = TypeVar("T")
_MAX_FACES = 64  # of one call of generate
_MAX_SEED = 2**53  # that JSON holds exactly
_MAX_NUMBER = 10_000  # of a face

DEFAULTS: Mapping[str, Sequence[Any]] = {
    "recognize": (None,),
    "edit": (None, {}, None, None),
    "generate": ({}, 1, 0),
}
"""The values of each endpoint where a call leaves them out."""


def add_endpoints(page: gr.Blocks, service: FaceService, files: Files) -> None:
    """Add the named endpoints to the page that is being laid out; none of them is seen on it."""
    sessions = CallSessions(page)

    def answer_to(request: gr.Request, work: Callable[[], T]) -> T:
        try:
            return work()
        except InputError as error:
            raise gr.Error(as_sentence(str(error)), print_exception=False) from error
        finally:
            sessions.answered(request.session_hash)

    def recognize(photo: str | None, request: gr.Request) -> list[dict[str, Any]]:
        return answer_to(request, lambda: _recognize(service, photo))

    def edit(
        photo: str | None, changes: Any, face: Any, protect: str | None, request: gr.Request
    ) -> str:
        work = partial(_edit, service, files, photo, changes, face, protect)
        return str(answer_to(request, work))

    def generate(attributes: Any, count: Any, seed: Any, request: gr.Request) -> str:
        work = partial(_generate, service, files, attributes, count, seed)
        return str(answer_to(request, work))

    with gr.Row(visible=False):
        photo, picture = gr.File(label="photo"), gr.File(label="picture")
        mask = gr.File(label="protect")
        values = gr.JSON(label="changes", value={})
        which = gr.JSON(label="face", value=None)
        number, seed = gr.Number(1, label="count"), gr.Number(0, label="seed")
        answer = gr.JSON(label="faces")
        call = gr.Button("call")
    for function, inputs, output in (
        (recognize, [photo], answer),
        (edit, [photo, values, which, mask], picture),
        (generate, [values, number, seed], picture),
    ):
        call.click(function, inputs, [output], api_name=function.__name__, concurrency_id="work")


def _recognize(service: FaceService, photo: str | None) -> list[dict[str, Any]]:
    opened = service.open(_uploaded(photo), is_still=True)
    names = service.model.attributes
    return [
        {
            "face": number,
            "box": [round(x, 1) for x in found.face.box],
            "attributes": dict(zip(names, row, strict=True)),
        }
        for number, (found, row) in enumerate(
            zip(opened.found, opened.attributes.tolist(), strict=True), 1
        )
    ]


def _edit(
    service: FaceService,
    files: Files,
    photo: str | None,
    changes: Any,
    face: Any,
    protect: str | None = None,
) -> Path:
    targets = _values("changes", changes)
    if not targets:
        raise InputError("changes names no attribute")
    choice = _face(face)
    opened = service.open(_uploaded(photo), is_still=True)
    if protect is not None:
        opened = opened.protect(_uploaded(protect))
    return files.write(*service.edit_file(opened, choice, EditRequest(targets)))


def _generate(service: FaceService, files: Files, attributes: Any, count: Any, seed: Any) -> Path:
    wanted = _values("attributes", attributes)
    require_consistent(wanted)
    number = whole_number("count", count, 1, _MAX_FACES)
    pixels = service.generate(number, wanted, whole_number("seed", seed, 0, _MAX_SEED))
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


def _face(value: Any) -> FaceChoice:
    """Which face of a photo, as the command line's --face."""
    if value is None or value == "all":
        return None if value is None else "all"
    try:
        return whole_number("face", value, 1, _MAX_NUMBER)
    except InputError as error:
        raise InputError(f'{error}; "all" means all, null the most plausible one') from error

"""The HTTP API: recognize, edit and generate, under /gradio_api/call/NAME."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from twobirds.api.rows import require_strength
from twobirds.apps.pictures import near_square_grid, picture_bytes
from twobirds.apps.web.controls import as_sentence, brief, whole_number
from twobirds.apps.web.description import Wanted, wanted_values
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.sessions import CallSessions
from twobirds.data.attributes import require_consistent
from twobirds.data.provenance import listed_values
from twobirds.errors import InputError
from twobirds.language.description import understand_edit
from twobirds.photos import EditRequest, FaceChoice, Marks
from twobirds.photos.reference import (
    Taken,
    merged,
    require_names,
    require_together,
    take_surely,
)

T = TypeVar("T")
_MAX_FACES = 64  # of one call of generate
_MAX_SEED = 2**53  # that JSON holds exactly
_MAX_NUMBER = 10_000  # of a face

DEFAULTS: Mapping[str, Sequence[Any]] = {
    "recognize": (None,),
    "edit": (None, {}, None, None, None, None, None, None, None),
    "generate": ({}, 1, 0),
}
"""The values of each endpoint where a call leaves them out."""
FILES: Mapping[str, Sequence[int]] = {"recognize": (0,), "edit": (0, 3, 5)}
"""Which of them are files."""


@dataclass(frozen=True)
class EditCall:
    """The values of a call of `edit`, most of them as JSON has them; None is the default."""

    photo: str | None
    """Where the upload lies."""
    changes: Any
    """Target in [0, 1] by attribute."""
    face: Any = None
    """Its number, or all."""
    protect: str | None = None
    """Where a mask lies."""
    strength: Any = None
    like: str | None = None
    """Where a photo to take values from lies."""
    take: Any = None
    """Attributes to take from it."""
    like_face: Any = None
    """Number of the face there."""
    description: Any = None
    """What to change in English words; `changes` overrule it."""


def add_endpoints(page: gr.Blocks, service: FaceService, files: Files) -> None:
    """Add the named endpoints to the page that is being laid out; none of them is seen on it."""
    endpoints = _Endpoints(page, service, files)
    with gr.Row(visible=False):
        photo, picture = gr.File(label="photo"), gr.File(label="picture")
        values = gr.JSON(label="changes", value={})
        which, mask = gr.JSON(label="face", value=None), gr.File(label="protect")
        strength = gr.JSON(label="strength", value=None)
        like, take = gr.File(label="like"), gr.JSON(label="take", value=None)
        like_face = gr.JSON(label="like_face", value=None)
        words = gr.JSON(label="description", value=None)
        number, seed = gr.JSON("1", label="count"), gr.JSON("0", label="seed")
        answer = gr.JSON(label="faces")
        call = gr.Button("call")
    for function, inputs, output in (
        (endpoints.recognize, [photo], answer),
        (
            endpoints.edit,
            [photo, values, which, mask, strength, like, take, like_face, words],
            picture,
        ),
        (endpoints.generate, [values, number, seed], picture),
    ):
        call.click(function, inputs, [output], api_name=function.__name__, concurrency_id="work")


class _Endpoints:
    """The functions that Gradio calls, whose names and arguments are those of the API.

    Args:
        page: Which has the endpoints.
        service: Which does the work.
        files: Where pictures go.
    """

    def __init__(self, page: gr.Blocks, service: FaceService, files: Files) -> None:
        self._service, self._files, self._sessions = service, files, CallSessions(page)

    def recognize(self, request: gr.Request, photo: str | None) -> list[dict[str, Any]]:
        """The faces of a photo."""
        return self._answer(request, lambda: _recognize(self._service, photo))

    def edit(
        self,
        request: gr.Request,
        photo: str | None,
        changes: Any,
        face: Any = None,
        protect: str | None = None,
        strength: Any = None,
        like: str | None = None,
        take: Any = None,
        like_face: Any = None,
        description: Any = None,
    ) -> str:
        """Where the edited photo lies; see `EditCall`. Clients may leave out what has a default."""
        call = EditCall(photo, changes, face, protect, strength, like, take, like_face, description)
        return str(self._answer(request, lambda: _edit(self._service, self._files, call)))

    def generate(self, request: gr.Request, attributes: Any, count: Any, seed: Any) -> str:
        """Where a picture of generated faces lies."""
        work = partial(_generate, self._service, self._files, attributes, count, seed)
        return str(self._answer(request, work))

    def _answer(self, request: gr.Request, work: Callable[[], T]) -> T:
        """Do the work of a call; what is wrong with its input becomes its answer."""
        try:
            return work()
        except InputError as error:
            raise gr.Error(as_sentence(str(error)), print_exception=False) from error
        finally:
            self._sessions.answered(request.session_hash)


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


def _edit(service: FaceService, files: Files, call: EditCall) -> Path:
    wanted, choice = _wanted(service, call), _face(call.face)
    if not wanted.values and call.like is None:
        raise InputError("neither changes nor description says what to change")
    strength = 1.0 if call.strength is None else call.strength
    if isinstance(strength, bool):  # which Python takes for a number
        raise InputError(f"strength must be a number, not {brief(strength)}")
    require_strength(strength)
    request = EditRequest(merged(wanted.values, _taken(service, call)), strength)
    opened = service.open(_uploaded(call.photo), is_still=True)
    if call.protect is not None:
        opened = opened.protect(_uploaded(call.protect))
    return files.write(*service.edit_file(opened, choice, request, overruled=wanted.overruled))


def _wanted(service: FaceService, call: EditCall) -> Wanted:
    """What is to change, in values and in words."""
    values = _values("changes", call.changes)
    words = "" if call.description is None else call.description
    if not isinstance(words, str):
        raise InputError(f"description must be text such as 'blond hair', not {brief(words)}")
    return wanted_values(words, understand_edit, service.model.attributes, values)


def _taken(service: FaceService, call: EditCall) -> Taken:
    """What is taken from another photo; nothing where there is none."""
    require_together(
        has_photo=call.like is not None,
        has_names=call.take is not None,
        has_face=call.like_face is not None,
    )
    if call.like is None:
        return Taken({})
    if not isinstance(call.take, list) or not all(isinstance(name, str) for name in call.take):
        raise InputError("take must be a list of names such as ['Bangs']")
    require_names(call.take, service.model.attributes)
    number = call.like_face
    if number is not None:
        number = whole_number("like_face", number, 1, _MAX_NUMBER)
    try:
        photo = service.open(_uploaded(call.like), is_still=True)
        return take_surely(photo, call.take, number)
    except InputError as error:
        hint = " (like_face)" if "say which one" in str(error) else ""
        raise InputError(f"like: {error}{hint}") from error


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
            raise InputError(
                f"{what}: {brief(name)} must be a number from 0 to 1, not {brief(value)}"
            )
    return dict(values)


def _face(value: Any) -> FaceChoice:
    """Which face of a photo, as the command line's --face."""
    if value is None or value == "all":
        return None if value is None else "all"
    try:
        return whole_number("face", value, 1, _MAX_NUMBER)
    except InputError as error:
        raise InputError(f'{error}; "all" means all, null the most plausible one') from error

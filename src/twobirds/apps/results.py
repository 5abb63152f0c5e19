"""What commands print as JSON, as types; `tools/write_schemas.py` makes JSON schemas of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import numpy as np
from typing_extensions import TypedDict  # pydantic takes that of typing from Python 3.12 on

from twobirds.data.attributes import is_there
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.apps.photo_files import PhotoFile
    from twobirds.apps.photo_protocols import SeenPhoto
    from twobirds.photos import EditRequest, FaceEdits


class Within:
    """Bounds of a number, for the schema.

    Args:
        minimum: The least value.
        maximum: The largest value; None sets none.
    """

    def __init__(self, minimum: float, maximum: float | None = None) -> None:
        self.bounds = {"minimum": minimum}
        if maximum is not None:
            self.bounds["maximum"] = maximum

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """The schema of the number with its bounds, for pydantic."""
        return {**handler(schema), **self.bounds}


Probability = Annotated[float, Within(0, 1)]
FaceNumber = Annotated[int, Within(1)]
Box = tuple[float, float, float, float]


class RecognizedFace(TypedDict):
    """A face of `twobirds recognize --json`, which prints a list of them."""

    image: str
    """The file, as it was named."""
    face: NotRequired[FaceNumber]
    """Number of the face in the photo, from the left; absent of a face that was cut already."""
    box: NotRequired[Box]
    """Left, top, width and height, in pixels of the upright photo."""
    attributes: Mapping[str, Probability]
    """Predicted probability of each attribute of the model."""


class EditedFace(TypedDict):
    """A face after its edit."""

    face: NotRequired[FaceNumber]
    """Number of the face in the photo, from the left; absent of a face that was cut already."""
    box: NotRequired[Box]
    """Left, top, width and height, in pixels of the upright photo."""
    strength: Annotated[float, Within(0)]
    """How strong the edit is; with `--until` the strength that was found."""
    reason: NotRequired[Literal["reached", "already", "strength", "identity"]]
    """With `--until`: why the search ended. The recognizer agrees; it sees all of it in the source;
    no strength is enough; or a stronger edit would exceed the identity distance."""
    identity_distance: NotRequired[Annotated[float, Within(0, 4)]]
    """With `--max-identity-distance`: the embedder's distance from the source."""
    before: Mapping[str, Probability]
    """Predicted probability of each attribute that was to change, in the source."""
    after: Mapping[str, Probability]
    """The same in the result."""


class EditedPhoto(TypedDict):
    """A photo of `twobirds edit PHOTO... --json`, which prints a list of them."""

    image: str
    """The file, as it was named."""
    output: str
    """The file that was written."""
    changes: Mapping[str, Probability]
    """Target of each attribute, those taken from another photo among them."""
    faces: list[EditedFace]
    """The faces that were edited, from the left."""


class EditedOfFolder(TypedDict):
    """A photo of `twobirds edit FOLDER --json`, which prints a list of them, sorted by path."""

    image: str
    """The photo: the folder as it was named, and the path within it."""
    status: Literal["edited", "unchanged", "refused"]
    """`unchanged` if the edit changes no pixel: the result is the photo itself."""
    output: NotRequired[str]
    """The file that was written; absent of a photo that is refused."""
    changes: NotRequired[Mapping[str, Probability]]
    """Target of each attribute, those taken from another photo among them; absent if refused."""
    faces: NotRequired[list[EditedFace]]
    """The faces that were edited, from the left; absent of a photo that is refused."""
    reason: NotRequired[str]
    """Why it is refused, in words."""


class FaceOfVideo(TypedDict):
    """A face that is followed through a video."""

    face: FaceNumber
    """Number of the face, in the order in which they come into view."""
    first_frame: Annotated[int, Within(0)]
    """The first frame that shows it, counted from 0."""
    last_frame: Annotated[int, Within(0)]
    """The last one."""
    status: Literal["edited", "left"]
    """`left` if it stays as it is."""
    reason: NotRequired[str]
    """Why it is left, in words."""
    strength: NotRequired[Annotated[float, Within(0)]]
    """How strong the edit is in every frame; with `--until` the strength that was found."""
    before: NotRequired[Mapping[str, Probability]]
    """Predicted probability of each attribute that was to change, the mean of several frames."""


class EditedVideo(TypedDict):
    """A video of `twobirds edit VIDEO --json`, which prints a list of this one."""

    video: str
    """The file, as it was named."""
    output: str
    """The file that was written."""
    num_frames: Annotated[int, Within(1)]
    """How many pictures it has."""
    changes: Mapping[str, Probability]
    """Target of each attribute, those taken from another photo among them."""
    faces: list[FaceOfVideo]
    """The faces that were followed."""
    num_brief_faces: Annotated[int, Within(0)]
    """Faces that were found in too few frames to be followed; they stay as they are."""


def recognized_faces(file: "PhotoFile[SeenPhoto]") -> Iterator[RecognizedFace]:
    """What is predicted of each face of a photo.

    Args:
        file: The photo, with the faces that are meant.

    Raises:
        InputError: If the model predicts what is no number.
    """
    model, rows = file.photo.model, file.photo.probabilities[list(file.indices)]
    _require_finite(file, rows)
    for place, row in zip(file.places(), rows.tolist(), strict=True):
        predicted = dict(zip(model.attributes, row, strict=True))
        result = RecognizedFace(image=str(file.path), attributes=predicted)
        if "face" in place:
            result["face"], result["box"] = place["face"], place["box"]
        yield result


def edited_faces(
    file: "PhotoFile", edits: "FaceEdits", request: "EditRequest"
) -> Iterator[EditedFace]:
    """What became of each face of a photo.

    Args:
        file: The photo, with the faces that were edited.
        edits: What was done.
        request: What was asked for.

    Raises:
        InputError: If the model predicts what is no number.
    """
    model, search = file.photo.model, edits.search
    columns = {name: model.attributes.index(name) for name in request.changes}
    for number, (place, index) in enumerate(zip(file.places(), file.indices, strict=True)):
        before = after = file.photo.attributes[index]
        if not all(
            is_there(request.changes[name], float(before[k])) for name, k in columns.items()
        ):
            face = file.photo.edited_face(index, edits.by_index[index])
            after = model.recognize(face[None])[0]
        _require_finite(file, before.numpy(), after.numpy())
        result = EditedFace(
            strength=request.strength if search is None else float(search.strength[number]),
            before={name: float(before[k]) for name, k in columns.items()},
            after={name: float(after[k]) for name, k in columns.items()},
        )
        if "face" in place:
            result["face"], result["box"] = place["face"], place["box"]
        if search is not None:
            result["reason"] = search.reasons[number]
            if search.distance is not None:
                result["identity_distance"] = float(search.distance[number])
        yield result


def _require_finite(file: "PhotoFile[SeenPhoto]", *probabilities: np.ndarray) -> None:
    """Refuse probabilities of which one is no number."""
    if not all(np.isfinite(values).all() for values in probabilities):
        raise InputError(
            f"{file.path}: model {file.photo.model.name} predicts what is no number: verify it "
            "with twobirds check"
        )

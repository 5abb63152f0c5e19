"""Photos of any kind: find and align their faces, edit them, and give the photo back."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twobirds.data.provenance import Provenance
    from twobirds.photos.choice import FaceChoice
    from twobirds.photos.edits import EditRequest, FaceEdit, FaceEdits
    from twobirds.photos.encode import encode_photo
    from twobirds.photos.marks import Marks
    from twobirds.photos.photo import MAX_PHOTO_PIXELS, Photo, read_photo
    from twobirds.photos.photo_edit import PhotoEdit, PhotoOptions, edit_photo
    from twobirds.photos.session import EditedPhoto, OpenPhoto, PhotoSession

__all__ = [
    "MAX_PHOTO_PIXELS",
    "EditRequest",
    "EditedPhoto",
    "FaceChoice",
    "FaceEdit",
    "FaceEdits",
    "Marks",
    "OpenPhoto",
    "Photo",
    "PhotoEdit",
    "PhotoOptions",
    "PhotoSession",
    "Provenance",
    "edit_photo",
    "encode_photo",
    "read_photo",
]

_LAZY = {
    "Provenance": "twobirds.data.provenance",
    "EditRequest": "twobirds.photos.edits",
    "FaceEdit": "twobirds.photos.edits",
    "FaceEdits": "twobirds.photos.edits",
    "encode_photo": "twobirds.photos.encode",
    "Marks": "twobirds.photos.marks",
    "MAX_PHOTO_PIXELS": "twobirds.photos.photo",
    "Photo": "twobirds.photos.photo",
    "read_photo": "twobirds.photos.photo",
    "PhotoEdit": "twobirds.photos.photo_edit",
    "PhotoOptions": "twobirds.photos.photo_edit",
    "edit_photo": "twobirds.photos.photo_edit",
    "EditedPhoto": "twobirds.photos.session",
    "FaceChoice": "twobirds.photos.choice",
    "OpenPhoto": "twobirds.photos.session",
    "PhotoSession": "twobirds.photos.session",
}
"""Public names by module, imported when used: some need PyTorch, ONNX files do without."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

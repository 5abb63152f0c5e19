"""Photos of any kind: find and align their faces, edit them, and give the photo back."""

from typing import TYPE_CHECKING

from twobirds.lazy import lazy_names

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
__getattr__, __dir__ = lazy_names(__name__, _LAZY)

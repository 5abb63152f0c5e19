"""Photos of any kind: find and align their faces, edit them, and give the photo back."""

from twobirds.data.provenance import Provenance
from twobirds.photos.edits import EditRequest, FaceEdit, FaceEdits
from twobirds.photos.encode import encode_photo
from twobirds.photos.marks import Marks
from twobirds.photos.photo import MAX_PHOTO_PIXELS, Photo, read_photo
from twobirds.photos.photo_edit import PhotoEdit, PhotoOptions, edit_photo
from twobirds.photos.session import EditedPhoto, FaceChoice, OpenPhoto, PhotoSession

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

"""Photos of any kind: find and align their faces, edit them, and give the photo back."""

from twobirds.data.provenance import Provenance
from twobirds.photos.detectors import find_detector
from twobirds.photos.editing import (
    FoundFace,
    cut_faces,
    edit_photo,
    paste_faces,
    require_usable,
)
from twobirds.photos.photo import MAX_PHOTO_PIXELS, Photo, encode_photo, read_photo

__all__ = [
    "MAX_PHOTO_PIXELS",
    "FoundFace",
    "Photo",
    "Provenance",
    "cut_faces",
    "edit_photo",
    "encode_photo",
    "find_detector",
    "paste_faces",
    "read_photo",
    "require_usable",
]

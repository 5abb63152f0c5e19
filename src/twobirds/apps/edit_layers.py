"""The option `edit --layers`: what an edit did, one picture for each operation."""

from collections.abc import Iterator
from pathlib import Path

from twobirds.apps.photo_files import PhotoFile
from twobirds.apps.pictures import picture_bytes
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError
from twobirds.photos.edits import FaceEdits, LayeredEdit


def layer_pictures(
    folder: Path, file: PhotoFile, edits: FaceEdits, provenance: Provenance | None
) -> Iterator[tuple[Path, bytes]]:
    """What was done to each face of a photo, step by step, as files to write.

    `NAME.N.source.png` is face N as it was, `NAME.N.flow.png` with its pixels moved,
    `NAME.N.colour.png` these recoloured, `NAME.N.edited.png` these painted over, and
    `NAME.N.paint.png` the paint alone, transparent where there is none.

    Raises:
        InputError: If the model's edits are not made of layers.
    """
    for index, edit in edits.by_index.items():
        if not isinstance(edit, LayeredEdit):
            raise InputError(
                f"model {file.photo.model.name} generates the pixels of an edit: it has no layers "
                "to write; leave out --layers"
            )
        for name, pixels in edit.stages().items():
            path = folder / f"{file.path.stem}.{index + 1}.{name}.png"
            yield path, picture_bytes(pixels, provenance)

"""Commands on faces: recognize and reconstruct; what they share with edit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import numpy as np
import tyro

from twobirds.apps.display import note, say, say_attributes, say_json
from twobirds.apps.face_files import (
    Aligned,
    DetectorFile,
    FaceNumber,
    OnPhotos,
    read_face_files,
)
from twobirds.apps.marks import Marks, NoMetadata, VisibleNote
from twobirds.apps.options import (
    Device,
    ImagePaths,
    ModelName,
    load_model,
    optional,
    require_images,
)

if TYPE_CHECKING:
    from torch import Tensor

    from twobirds.api import FaceModel

OutOfFaces = Annotated[Path | None, optional("FILE.png|FOLDER", "the current folder")]

RefineSteps = Annotated[
    int,
    tyro.conf.arg(metavar="STEPS", help="Steps of optimizing each face's code first, such as 100."),
]


@dataclass(frozen=True)
class Recognize:
    """Print the probability of each attribute of the faces in photos."""

    images: ImagePaths
    aligned: Aligned = False
    detector: DetectorFile = None
    face: FaceNumber = None
    model: ModelName = None
    json: bool = False
    """Print JSON: a list of images with their attributes."""
    device: Device = "auto"

    def run(self) -> int:
        """Recognize; returns the exit code."""
        require_images(self.images)
        model = load_model(self.model, self.device)
        files = read_face_files(self, model, for_edits=False)
        rows = model.recognize(np.concatenate([file.crops for file in files])).tolist()
        read = [dict(zip(model.attributes, row, strict=True)) for row in rows]
        if self.json:
            faces = [place for file in files for place in file.places()]
            pairs = zip(faces, read, strict=True)
            say_json([place | {"attributes": values} for place, values in pairs])
        else:
            labels = [label for file in files for label in file.labels]
            for label, values in zip(labels, read, strict=True):
                say_attributes(label, values)
        return 0


@dataclass(frozen=True)
class Reconstruct:
    """Rebuild the faces of photos through their own code and attributes alone."""

    images: ImagePaths
    aligned: Aligned = False
    detector: DetectorFile = None
    face: FaceNumber = None
    model: ModelName = None
    refine: RefineSteps = 0
    out: OutOfFaces = None
    """Where results go: a file for one image, or a folder; NAME.reconstructed.EXTENSION there."""
    visible_note: VisibleNote = False
    no_metadata: NoMetadata = False
    device: Device = "auto"

    def run(self) -> int:
        """Reconstruct; returns the exit code."""

        def reconstruct(
            model: "FaceModel", faces: np.ndarray, _labels: Sequence[str]
        ) -> "tuple[Tensor, Tensor]":
            from twobirds.data.faces import to_images

            return to_images(faces, model.size), model.reconstruct(faces, refine_steps=self.refine)

        transform(self, "reconstructed", "rebuilt from its code", reconstruct)
        return 0


Transform = Callable[["FaceModel", np.ndarray, Sequence[str]], "tuple[Tensor, Tensor]"]
"""From a model, faces `[N, S, S, 3]` uint8 and what to call them to faces `[N, 3, S, S]` in [-1, 1]
twice: as they are drawn with nothing changed, and changed."""


class _Redraws(OnPhotos, Protocol):
    """A command that makes one picture of each image."""

    @property
    def out(self) -> Path | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def visible_note(self) -> bool: ...
    @property
    def no_metadata(self) -> bool: ...
    @property
    def device(self) -> str: ...


def transform(command: _Redraws, kind: str, details: str, function: Transform) -> None:
    """Read the faces of a command, send them through a model, write and name the results."""
    from twobirds.apps.pictures import name_outputs, write_bytes

    require_images(command.images)
    outputs = name_outputs(command.images, command.out, kind, as_png=command.aligned)
    model = load_model(command.model, command.device)
    files = read_face_files(command, model, for_edits=True)
    labels = [label for file in files for label in file.labels]
    before, after = function(model, np.concatenate([file.crops for file in files]), labels)
    counts = [len(file.crops) for file in files]
    drawn = zip(files, outputs, before.split(counts), after.split(counts), strict=True)
    marks = Marks("edited", details, command.visible_note, not command.no_metadata)
    provenance = marks.provenance(model)
    for file, path, old, new in drawn:
        whole = file.whole()
        pixels = whole.redrawn(old, new)
        if whole.is_as_it_was(pixels):
            note(f"{file.path}: nothing is drawn; {path} is not marked as synthetic")
            content = whole.encoded(pixels, None, path.suffix)
        else:
            content = whole.encoded(marks.shown_on(pixels), provenance, path.suffix)
        write_bytes(path, content)
        say(str(path))

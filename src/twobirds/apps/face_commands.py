"""Commands on faces: recognize, reconstruct and generate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import tyro

from twobirds.apps.display import note, say, say_attributes, say_json
from twobirds.apps.options import (
    Assignments,
    Device,
    ImagePaths,
    ModelName,
    attribute_changes,
    load_model,
    optional,
    require_images,
    require_seed,
)
from twobirds.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from twobirds.api import FaceModel

MAX_COUNT = 10_000
"""Most faces that one command generates."""

OutOfFaces = Annotated[Path | None, optional("FILE.png|FOLDER", "the current folder")]

RefineSteps = Annotated[
    int,
    tyro.conf.arg(metavar="STEPS", help="Steps of optimizing each face's code first, such as 100."),
]


@dataclass(frozen=True)
class Recognize:
    """Print the probability of each attribute of aligned faces."""

    images: ImagePaths
    model: ModelName = None
    json: bool = False
    """Print JSON: a list of images with their attributes."""
    device: Device = "auto"

    def run(self) -> int:
        """Recognize; returns the exit code."""
        from twobirds.apps.pictures import read_faces

        require_images(self.images)
        model = load_model(self.model, self.device)
        rows = model.recognize(read_faces(self.images, model.size)).tolist()
        read = [dict(zip(model.attributes, row, strict=True)) for row in rows]
        if self.json:
            pairs = zip(self.images, read, strict=True)
            say_json([{"image": str(path), "attributes": values} for path, values in pairs])
        else:
            for path, values in zip(self.images, read, strict=True):
                say_attributes(str(path), values)
        return 0


@dataclass(frozen=True)
class Reconstruct:
    """Rebuild aligned faces through their own code and attributes, as NAME.reconstructed.png."""

    images: ImagePaths
    model: ModelName = None
    refine: RefineSteps = 0
    out: OutOfFaces = None
    """Where results go: a file for one image, or a folder."""
    device: Device = "auto"

    def run(self) -> int:
        """Reconstruct; returns the exit code."""

        def reconstruct(model: "FaceModel", faces: "np.ndarray") -> "Tensor":
            return model.reconstruct(faces, refine_steps=self.refine)

        transform(self, "reconstructed", reconstruct)
        return 0


@dataclass(frozen=True)
class Generate:
    """Generate faces from noise and attributes, as a grid."""

    set: Assignments = ()
    """Attributes that all faces shall have, from 0 to 1, such as Male=1 Bald=1; others vary."""
    describe: Annotated[str | None, optional("TEXT", "no description")] = None
    """The faces in English words, such as "a bald man of about 40 with arched eyebrows"; --set
    overrules them. What was understood, and what not, is told on stderr."""
    count: int = 16
    """Number of faces."""
    seed: int = 0
    """The same seed gives the same faces."""
    model: ModelName = None
    out: Annotated[Path | None, optional("FILE.png", "generated.png, or none with --separate")] = (
        None
    )
    """The grid."""
    separate: Annotated[Path | None, optional("FOLDER", "only the grid")] = None
    """Where to write each face as a file."""
    device: Device = "auto"

    def run(self) -> int:
        """Generate; returns the exit code."""
        from twobirds.apps.pictures import near_square_grid, require_png, write_picture
        from twobirds.data.faces import to_pixels

        require_seed(self.seed)
        if not 1 <= self.count <= MAX_COUNT:
            raise InputError(f"--count must lie between 1 and {MAX_COUNT:,}, not {self.count}")
        out = self.out or (None if self.separate else Path("generated.png"))
        if out is not None:
            require_png(out)
        model = load_model(self.model, self.device)
        wanted = attribute_changes(self.set)
        if self.describe is not None:
            wanted = read_description(self.describe, model.attributes) | wanted
        faces = model.generate(self.count, wanted, seed=self.seed)
        pixels = to_pixels(faces)
        if self.separate is not None:
            for number, face in enumerate(pixels):
                write_picture(self.separate / f"{number:04d}.png", face)
            say(str(self.separate))
        if out is not None:
            write_picture(out, near_square_grid(pixels))
            say(str(out))
        return 0


def read_description(text: str, names: Sequence[str]) -> dict[str, float]:
    """Attributes of a description; says what was understood, and what was not.

    Raises:
        InputError: If nothing was understood.
    """
    from twobirds.apps.describe import understand

    read = understand(text, names)
    for title, words in (
        ("understood", [f"{said}: {meaning}" for said, meaning in read.understood]),
        ("not understood", read.ignored),
        ("not known to the model", read.unavailable),
    ):
        if words:
            note(f"{title}: {'; '.join(words)}")
    if not read.attributes:
        raise InputError(
            f"--describe {text!r}: nothing in it says what a face looks like; "
            "try words such as bald, young woman, glasses, black hair, no beard"
        )
    return read.attributes


Transform = Callable[["FaceModel", "np.ndarray"], "Tensor"]
"""From a model and faces `[N, S, S, 3]` uint8 to faces `[N, 3, S, S]` in [-1, 1]."""


class _OnFaces(Protocol):
    """A command that makes one picture of each."""

    @property
    def images(self) -> tuple[Path, ...]: ...
    @property
    def out(self) -> Path | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def device(self) -> str: ...


def transform(command: _OnFaces, kind: str, function: Transform) -> None:
    """Read the faces of a command, send them through a model, write and name the results."""
    from twobirds.apps.pictures import name_outputs, read_faces, write_picture
    from twobirds.data.faces import to_pixels

    require_images(command.images)
    outputs = name_outputs(command.images, command.out, kind)
    model = load_model(command.model, command.device)
    faces = read_faces(command.images, model.size)
    for path, pixels in zip(outputs, to_pixels(function(model, faces)), strict=True):
        write_picture(path, pixels)
        say(str(path))

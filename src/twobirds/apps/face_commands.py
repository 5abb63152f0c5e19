"""Commands on faces: recognize and reconstruct."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from twobirds.apps.credential_options import Certificate, PrivateKey
from twobirds.apps.display import note_all, say_json
from twobirds.apps.options import (
    Device,
    Force,
    ImagePaths,
    ModelName,
    load_model,
    optional,
    require_images,
)
from twobirds.apps.photo_files import (
    SOME_REFUSED,
    Aligned,
    DetectorFile,
    FaceToEdit,
    FaceToShow,
    NoMetadata,
    PhotoFile,
    Transform,
    VisibleNote,
    open_detector,
    open_photos,
    open_session,
    transform,
)
from twobirds.apps.results import RecognizedFace, recognized_faces
from twobirds.apps.tables import say_attributes
from twobirds.errors import InputError
from twobirds.models.onnx_model import OnnxModel, is_onnx_model, require_cpu

if TYPE_CHECKING:
    from collections.abc import Callable

    from twobirds.api import FaceModel
    from twobirds.apps.photo_protocols import SeenPhoto
    from twobirds.photos import FaceEdits

OutOfFaces = Annotated[Path | None, optional("FILE.png|FOLDER", "the current folder")]

RefineSteps = Annotated[
    int,
    tyro.conf.arg(
        metavar="STEPS", help="Steps of optimizing the latents of each face first, such as 100."
    ),
]


@dataclass(frozen=True)
class Recognize:
    """Print the probability of each attribute of the faces in photos."""

    images: ImagePaths
    aligned: Aligned = False
    detector: DetectorFile = None
    face: FaceToShow = None
    model: ModelName = None
    all: bool = False
    """Print all attributes, not only those with a probability above 0.5."""
    json: bool = False
    """Print JSON: a list of faces with their attributes; the documentation has its schema."""
    out: Annotated[Path | None, optional("FILE.parquet", "print")] = None
    """Table of all faces of the photos of a folder; the folder is given in place of IMAGE."""
    engine: Literal["local", "ray"] = "local"
    """What recognizes the photos of a folder: this process, or a Ray cluster (extra ray)."""
    device: Device = "auto"

    def run(self) -> int:
        """Recognize; returns the exit code."""
        if self.out is not None or self.engine == "ray" or any(p.is_dir() for p in self.images):
            from twobirds.apps.recognize_folder import recognize_folder

            return recognize_folder(self)
        require_images(self.images)
        open_photo = self._opener()
        faces: list[tuple[str, RecognizedFace]] = []
        refused: list[InputError] = []
        on_refusal = refused.append if len(self.images) > 1 else None
        for file in open_photos(open_photo, self, for_edits=False, on_refusal=on_refusal):
            faces += zip(file.labels, recognized_faces(file), strict=True)
        if self.json:
            say_json([face for _, face in faces])
        else:
            for label, face in faces:
                say_attributes(label, face["attributes"], show_all=self.all)
        note_all(map(str, refused))
        return SOME_REFUSED if refused else 0

    def _opener(self) -> "Callable[[bytes], SeenPhoto]":
        """What opens a photo and recognizes its faces; a model in ONNX files without PyTorch."""
        if self.model is None or not is_onnx_model(self.model):
            session = open_session(self, load_model(self.model, self.device))
            return lambda data: session.open(data, is_aligned=self.aligned)
        from twobirds.photos.recognized import recognize_photo

        require_cpu(self.device)
        model, detector = OnnxModel.load(self.model), open_detector(self)
        return lambda data: recognize_photo(data, model, detector, is_aligned=self.aligned)


@dataclass(frozen=True)
class Reconstruct:
    """Reconstruct the faces of photos from their own latents and attributes alone."""

    images: ImagePaths
    aligned: Aligned = False
    detector: DetectorFile = None
    face: FaceToEdit = None
    model: ModelName = None
    refine: RefineSteps = 0
    out: OutOfFaces = None
    """Where results go: a file for one image, or a folder; NAME.reconstructed.EXTENSION there."""
    force: Force = False
    visible_note: VisibleNote = False
    no_metadata: NoMetadata = False
    c2pa_cert: Certificate = None
    c2pa_key: PrivateKey = None
    device: Device = "auto"

    def run(self) -> int:
        """Reconstruct; returns the exit code."""

        def reconstruct(file: PhotoFile) -> "FaceEdits":
            return file.photo.reconstruct(file.indices, refine_steps=self.refine)

        def start(_model: "FaceModel") -> tuple[str, Transform]:
            return "reconstructed from its latents", reconstruct

        transform(self, "reconstructed", start)
        return 0

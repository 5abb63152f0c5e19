"""The command that edits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from twobirds.apps.credential_options import Certificate, PrivateKey
from twobirds.apps.describe_option import described_attributes, overrule
from twobirds.apps.display import note, note_all, say, say_json
from twobirds.apps.edit_checks import check_edit
from twobirds.apps.edit_folder import edit_folder
from twobirds.apps.edit_video import VIDEO_EXTENSIONS, edit_video
from twobirds.apps.face_commands import OutOfFaces, RefineSteps
from twobirds.apps.identity import embedder_distance
from twobirds.apps.known_attributes import require_known_attributes
from twobirds.apps.mask import Mask
from twobirds.apps.notes import notes_of_edit
from twobirds.apps.options import (
    Assignments,
    Device,
    Force,
    ImagesOrFolder,
    ModelName,
    attribute_changes,
    optional,
)
from twobirds.apps.photo_files import (
    Aligned,
    DetectorFile,
    FaceToEdit,
    NoMetadata,
    PhotoFile,
    Transform,
    VisibleNote,
    transform,
)
from twobirds.apps.reference_options import Like, LikeFace, Reference, Take
from twobirds.apps.results import EditedFace, EditedPhoto, edited_faces
from twobirds.data.attributes import require_consistent
from twobirds.errors import InputError
from twobirds.language.description import NOTHING_TO_CHANGE, understand_edit

if TYPE_CHECKING:
    from twobirds.api import FaceModel, Limits
    from twobirds.photos import EditRequest, FaceEdits


@dataclass(frozen=True)
class Edit:
    """Change attributes of the faces in photos, as NAME.edited.EXTENSION, or of a whole folder."""

    images: ImagesOrFolder
    aligned: Aligned = False
    detector: DetectorFile = None
    face: FaceToEdit = None
    set: Annotated[
        Assignments,
        tyro.conf.arg(
            help="What to change, to 0 (absent) or 1 (present), such as Eyeglasses=1 Smiling=0; "
            "values in between are allowed, but training had none, and they seldom show. "
            "`recognize --all` lists the names."
        ),
    ] = ()
    describe: Annotated[
        str | None,
        optional(
            "TEXT",
            "no description",
            'What to change in English words, such as "blond hair, no glasses, less makeup"; --set '
            "overrules them. What was understood, and what not, is printed on stderr.",
        ),
    ] = None
    like: Like = None
    take: Take = None
    like_face: LikeFace = None
    strength: float = 1.0
    """How much of the way to go: 0 changes nothing, above 1 exaggerates."""
    until: Annotated[
        float | None,
        optional(
            "FLOAT",
            "the strength given",
            "Try strengths from 0.5 to 3 until the recognizer gives each change this probability. "
            "What it predicts above 0.5 already is not changed. Painted traces of an attribute can "
            "satisfy it: above a strength of 1, look at the result.",
        ),
    ] = None
    max_identity_distance: Annotated[
        float | None,
        optional(
            "FLOAT",
            "no limit",
            "With --until: maximum of the embedder's distance from the source, from 0 to 4. "
            "`evaluate --embedder` reports the threshold below which one in 1,000 strangers passes "
            "for the person: 1.2 for faces of 64 pixels and MobileFaceNet.",
        ),
    ] = None
    embedder: Annotated[Path | None, optional("FILE.onnx", "none")] = None
    """Face embedder that measures that distance."""
    protect: Annotated[
        Path | None,
        optional(
            "MASK",
            "nothing is protected",
            "An image of the size of the upright photo, in black and white: what is white in it "
            "stays exactly as it is. The result is a PNG file. For a folder it holds for every "
            "photo, and photos of another size are refused; for a video it holds for every frame, "
            "before the video is encoded anew, which changes every pixel a little.",
        ),
    ] = None
    refine: RefineSteps = 0
    model: ModelName = None
    out: OutOfFaces = None
    """Where results go: a file for one image, or a folder; a folder of photos needs another one."""
    force: Force = False
    layers: Annotated[
        Path | None,
        optional("FOLDER", "none"),
        tyro.conf.arg(
            help="Also write what the edit does to face N of photo NAME, step by step in the "
            "model's size: NAME.N.source.png, NAME.N.flow.png with its pixels moved, "
            "NAME.N.colour.png these recoloured, NAME.N.edited.png these painted over, and "
            "NAME.N.paint.png the paint alone, transparent where there is none."
        ),
    ] = None
    visible_note: VisibleNote = False
    no_metadata: NoMetadata = False
    c2pa_cert: Certificate = None
    c2pa_key: PrivateKey = None
    json: bool = False
    """Print JSON: what became of each face of each photo; the documentation has its schemas."""
    device: Device = "auto"

    def run(self) -> int:
        """Edit; returns the exit code."""
        changes, reference = attribute_changes(self.set), Reference.of(self)
        if not changes and reference is None and self.describe is None:
            raise InputError(
                "nothing to change: name attributes, as in --set Eyeglasses=1, or say it in words, "
                'as in --describe "no glasses"'
            )
        check_edit(self)
        names = [*changes, *(reference.names if reference is not None else ())]
        require_known_attributes(names, self.model)
        require_consistent(changes)
        if any(path.is_dir() for path in self.images):
            return edit_folder(self, changes, reference)
        if any(path.suffix.lower() in VIDEO_EXTENSIONS for path in self.images):
            return edit_video(self, changes, reference)
        mask = None if self.protect is None else Mask.read(self.protect)
        from twobirds.apps.pictures import written_together

        # The layers are written after the photos: if one photo fails, nothing is.
        with written_together(announce=lambda _: None) as write_layer:
            made: list[tuple[EditRequest, list[EditedFace]]] = []

            def start(model: "FaceModel") -> tuple[str, Transform]:
                request = self.request(model, changes, reference)
                layers = None
                if self.layers is not None:
                    layers = _Layers(self.layers, write_layer, not self.no_metadata, self.force)
                return request.details, _Editing(request, layers, made if self.json else None)

            announce = (lambda _: None) if self.json else (lambda path: say(str(path)))
            outputs = transform(self, "edited", start, mask=mask, announce=announce)
        if self.json:
            self._say_results(outputs, made)
        return 0

    def _say_results(
        self, outputs: Sequence[Path], made: "Sequence[tuple[EditRequest, list[EditedFace]]]"
    ) -> None:
        """Print what became of each photo as JSON."""
        photos = zip(self.images, outputs, made, strict=True)
        say_json(
            [
                EditedPhoto(
                    image=str(path), output=str(output), changes=request.changes, faces=faces
                )
                for path, output, (request, faces) in photos
            ]
        )

    def request(
        self, model: "FaceModel", changes: dict[str, float], reference: Reference | None
    ) -> "EditRequest":
        """What to change, and how far; says on stderr what comes of words and of a reference.

        Args:
            model: Which edits.
            changes: What `--set` says.
            reference: Whose values are taken besides.

        Raises:
            InputError: If words are not understood, a value cannot be taken, or values exclude
                each other.
        """
        from twobirds.photos import EditRequest

        if self.describe is not None:
            described = described_attributes(
                self.describe, model.attributes, understand_edit, NOTHING_TO_CHANGE
            )
            changes = overrule(described, changes, "--set")
        if reference is not None:
            changes = reference.added_to(changes, self, model)
        return EditRequest(changes, self.strength, self._limits(model), self.refine)

    def _limits(self, model: "FaceModel") -> "Limits | None":
        """What ends the search for the strength; None where it is given."""
        if self.until is None:
            return None
        from twobirds.api import Limits

        identity = self.embedder and embedder_distance(self.embedder, model)
        return Limits(self.until, self.max_identity_distance, identity or None)


@dataclass(frozen=True)
class _Layers:
    """Where pictures of the layers go."""

    folder: Path
    write: Callable[[Path, bytes], None]
    has_metadata: bool
    force: bool
    """Replace earlier pictures."""


class _Editing:
    """The edit of one photo after the other, with notes on stderr.

    Args:
        request: What to change.
        layers: Where pictures of the layers go, if they are wanted.
        made: Gets what became of each photo, if that is wanted.
    """

    def __init__(
        self,
        request: "EditRequest",
        layers: _Layers | None,
        made: "list[tuple[EditRequest, list[EditedFace]]] | None",
    ) -> None:
        self._request, self._layers, self._made = request, layers, made

    def __call__(self, file: PhotoFile) -> "FaceEdits":
        """Edit the faces of a photo; see `Transform`."""
        edits = file.photo.edit(self._request, file.indices)
        faces = list(edited_faces(file, edits, self._request))
        note_all(notes_of_edit(file, edits, faces, self._request.changes))
        if self._made is not None:
            self._made.append((self._request, faces))
        if self._layers is not None:
            from twobirds.apps.edit_layers import layer_pictures
            from twobirds.apps.pictures import require_new
            from twobirds.photos.marks import Marks

            marks = Marks("edited", self._request.details, has_metadata=self._layers.has_metadata)
            provenance = marks.provenance(file.photo.model)
            for path, content in layer_pictures(self._layers.folder, file, edits, provenance):
                require_new([path], force=self._layers.force, option="--layers")
                self._layers.write(path, content)
            note(
                f"{file.path}: layers in {self._layers.folder}: the face (source), its pixels "
                "moved (flow), recoloured (colour), painted over (edited); the paint alone (paint)"
            )
        return edits

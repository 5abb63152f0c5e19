"""From photo to photo: open, find faces, recognize, edit, composite, encode with provenance."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from twobirds.api import EncodedFaces, FaceModel
from twobirds.api.cautions import warn_of_stage1
from twobirds.data.provenance import PHOTO_FORMATS
from twobirds.errors import InputError
from twobirds.photos.choice import FaceChoice, numbered_faces
from twobirds.photos.credentials import warn_of_credentials
from twobirds.photos.edits import EditRequest, FaceEdit, FaceEdits, differences, edit_faces
from twobirds.photos.encode import encode_patch, encode_photo, require_png, without_transparency
from twobirds.photos.marks import Marks, with_note
from twobirds.photos.opening import cut_out, decode
from twobirds.photos.patch import Patch
from twobirds.photos.photo import Photo, format_of
from twobirds.runtime import return_freed_memory

if TYPE_CHECKING:
    from twobirds.photos.faces import Detector
    from twobirds.photos.found import FoundFace


@dataclass(frozen=True, eq=False)
class EditedPhoto:
    """A photo's file after an edit."""

    content: bytes
    is_changed: bool
    """Whether a pixel changed; if not, the file is not marked as synthetic."""


@dataclass(frozen=True, eq=False)
class OpenPhoto:
    """A photo that was decoded once, with its N faces, each encoded and recognized once."""

    data: bytes
    """The file."""
    photo: Photo
    found: tuple["FoundFace", ...]
    """The faces from left to right; empty for an aligned face, which is the whole image."""
    encoded: EncodedFaces
    attributes: Tensor
    """`[N, K]` float32 in [0, 1]: predicted probabilities."""
    model: FaceModel
    protected: np.ndarray | None = None
    """`[H, W]` bool: pixels that no edit changes; None protects none."""
    spares_memory: bool = False
    """See `PhotoSession`."""

    @property
    def num_faces(self) -> int:
        """N."""
        return len(self.attributes)

    @property
    def probabilities(self) -> np.ndarray:
        """`attributes` as an array."""
        array: np.ndarray = self.attributes.numpy()
        return array

    @property
    def is_aligned(self) -> bool:
        """Whether it is a face that is cut already."""
        return bool(self.num_faces and not self.found)

    def indices(self, face: FaceChoice, *, for_edits: bool = False) -> tuple[int, ...]:
        """Which faces are meant, as indices from 0, in ascending order.

        Args:
            face: The choice.
            for_edits: Without a choice take the most plausible face, and of all faces those that
                are large and frontal enough to be edited.

        Raises:
            InputError: If there is no such face, or none that can be edited.
        """
        chosen = numbered_faces(face, self.num_faces)
        if not for_edits or self.is_aligned:
            return chosen
        from twobirds.photos.faces import order_of_plausibility
        from twobirds.photos.found import require_usable

        height, width = self.photo.pixels.shape[:2]
        order = order_of_plausibility([found.face for found in self.found], height, width)
        usable = tuple(index for index in order if not self.found[index].doubts.refusals)
        if usable and not isinstance(face, int):
            chosen = tuple(sorted(usable)) if face == "all" else usable[:1]
        require_usable([self.found[i] for i in chosen], [i + 1 for i in chosen])
        return chosen

    def edit(self, request: EditRequest, indices: tuple[int, ...]) -> FaceEdits:
        """Edit some faces, as often as wanted: nothing is decoded or recognized again.

        Raises:
            InputError: As `FaceModel.edit` and `FaceModel.edit_until`.
        """
        warn_of_stage1(self.model.config)
        return edit_faces(self.encoded, indices, request)

    def reconstruct(self, indices: tuple[int, ...], *, refine_steps: int = 0) -> FaceEdits:
        """Replace some faces by their reconstructions from latents and attributes alone.

        Raises:
            InputError: If the number of steps is negative.
        """
        chosen = self.encoded.select(indices)
        after = chosen.reconstruct(refine_steps=refine_steps)
        return FaceEdits(differences(indices, chosen.images, after))

    def protect(self, mask: bytes | np.ndarray) -> "OpenPhoto":
        """The same photo, of which no edit changes what a mask protects.

        Args:
            mask: An image file of the size of the upright photo, in which white is what stays; or
                `[H, W]` bool.

        Raises:
            InputError: If the mask does not fit or is not clear, or the photo is an aligned face
                or has more than 8 bits a channel or a gamma, which are not kept.
        """
        if self.is_aligned:
            raise InputError("a mask protects parts of photos, not of faces that are cut already")
        from twobirds.photos.protection import read_mask, require_lossless, require_mask  # OpenCV

        require_lossless(self.photo)
        protected = read_mask(mask) if isinstance(mask, bytes) else mask
        require_mask(protected, *self.photo.pixels.shape[:2])
        return replace(self, protected=protected)

    def composite(self, edits: Mapping[int, FaceEdit]) -> np.ndarray:
        """The photo `[H, W, 3]` uint8 with edits by index; an aligned face by itself."""
        return self._patch(edits).laid_on(self.photo.pixels)

    def edited_face(self, index: int, edit: FaceEdit) -> np.ndarray:
        """A face after its edit, `[S, S, 3]` uint8, with what is protected as it was."""
        if self.protected is None:
            return edit.face
        from twobirds.photos.align import cut_face  # OpenCV

        return cut_face(self.composite({index: edit}), self.found[index].placement)

    def suffix(self, name_suffix: str) -> str:
        """End of the name of the file that `encode` makes, for one that came with another."""
        return ".png" if self.protected is not None else self.photo.suffix(name_suffix)

    def encode(self, edits: Mapping[int, FaceEdit], marks: Marks, suffix: str = "") -> EditedPhoto:
        """Write the photo with edits, marked as synthetic; without a change, as it came.

        Args:
            edits: By the index of the face.
            marks: How it is marked.
            suffix: End of the new file's name; one of another format chooses that.

        Raises:
            InputError: If the picture cannot be written in this format, or a protected part of it
                would not stay as it is.
        """
        if self.protected is not None:
            require_png(suffix, self.photo.format)
        patch, photo = self._patch(edits), self.photo
        if not self.is_aligned and not patch.changes(photo.pixels):
            same_format = photo.suffix(suffix) == suffix.lower() or not suffix
            content = self.data if same_format else encode_photo(photo, photo.pixels, None, suffix)
            return EditedPhoto(content, is_changed=False)
        if marks.is_visible:
            pixels, area = with_note(patch.laid_on(photo.pixels), marks.text)
            patch = Patch(0, 0, pixels)
            if self.protected is not None and self.protected[area].any():
                raise InputError("the visible note would cover a protected part of the photo")
            photo = without_transparency(photo, area)
        provenance = marks.provenance(self.model)
        if self.spares_memory:
            return_freed_memory()
        content = encode_patch(photo, patch, provenance, suffix)
        if marks.signer is not None and provenance is not None:
            file_format = PHOTO_FORMATS.get(suffix.lower(), photo.format)
            source = (self.data, format_of(self.data[:16]) or "")
            content = marks.signer.signed(content, file_format, source, provenance)
        return EditedPhoto(content, is_changed=True)

    def _patch(self, edits: Mapping[int, FaceEdit]) -> Patch:
        """What edits make of the photo, with what is protected as it was; an aligned face whole."""
        pixels, patch = self.photo.pixels, Patch(0, 0, self.photo.pixels[:0])
        if self.is_aligned:
            return Patch(0, 0, edits[0].face if edits else pixels)
        for number, (index, edit) in enumerate(edits.items()):
            if number:
                pixels = patch.laid_on(pixels)
            patch = self._applied(pixels, index, edit)
        return patch if len(edits) < 2 else Patch(0, 0, patch.laid_on(pixels))

    def _applied(self, pixels: np.ndarray, index: int, edit: FaceEdit) -> Patch:
        """What the edit of one face makes of a photo `[H, W, 3]` uint8."""
        placement = self.found[index].placement
        is_source = pixels is self.photo.pixels and self.photo.alpha is None
        patch = edit.apply(pixels, placement, self.found[index].crop if is_source else None)
        if self.protected is None:
            return patch
        from twobirds.photos.protection import restore  # OpenCV

        return Patch(0, 0, restore(pixels, patch.laid_on(pixels), self.protected, placement))


class PhotoSession:
    """A model and a detector, through which photos go. Safe to use from several threads.

    Args:
        model: Which recognizes and edits.
        detector: Which finds faces; None will do for aligned faces.
        spares_memory: Give freed memory back to the system where the most is needed next. It costs
            about a twentieth of the time of a large photo that is not the last one.
    """

    def __init__(
        self, model: FaceModel, detector: "Detector | None", *, spares_memory: bool = False
    ) -> None:
        self.model, self.detector, self.spares_memory = model, detector, spares_memory
        self._lock = threading.Lock()  # detectors are for one thread at a time

    def open(self, data: bytes, *, is_aligned: bool = False) -> OpenPhoto:
        """Decode a photo, find its faces and recognize them, each once; there may be none.

        Args:
            data: The file.
            is_aligned: It is a face cut as the model wants it; of others than squares the middle
                is taken.

        Raises:
            InputError: If it is no photo.
        """
        return self.find(data, self.decode(data, is_aligned=is_aligned), is_aligned=is_aligned)

    def decode(self, data: bytes, *, is_aligned: bool = False) -> Photo:
        """The first half of `open`, which needs neither model nor detector."""
        return decode(data, self.model.size, is_aligned=is_aligned)

    def find(self, data: bytes, photo: Photo, *, is_aligned: bool = False) -> OpenPhoto:
        """The second half of `open`: find the faces of a decoded photo and recognize them.

        Raises:
            InputError: If there is no detector to find them with.
        """
        with self._lock:
            found, crops = cut_out(photo, self.detector, self.model, is_aligned=is_aligned)
        if self.spares_memory:
            return_freed_memory()
        encoded = self.model.encode_faces(crops)
        return OpenPhoto(
            data,
            photo,
            found,
            encoded,
            encoded.attributes,
            self.model,
            spares_memory=self.spares_memory,
        )

    def edit(
        self,
        data: bytes,
        request: EditRequest,
        *,
        face: FaceChoice = None,
        marks: Marks | None = None,
        suffix: str = "",
    ) -> bytes:
        """Edit the faces of a photo, from file to file.

        Args:
            data: The file.
            request: What to change.
            face: Which face; None means the most plausible one.
            marks: How it is marked as synthetic; None writes metadata only.
            suffix: End of the new file's name, which chooses the format; else it is the photo's.

        Raises:
            InputError: If it is no photo, has no face or not this one, or something is not
                possible of what is asked for.
        """
        photo = self.open(data)
        if not photo.num_faces:
            raise InputError("no face is found in this photo")
        edits = photo.edit(request, photo.indices(face, for_edits=True))
        marks = marks or Marks("edited", request.details)
        warn_of_credentials(data, marks.signer)
        return photo.encode(edits.by_index, marks, suffix).content

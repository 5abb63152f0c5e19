"""What the page does, without the page: photos opened, edited and compared, faces generated."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from twobirds.api import FaceModel, latent_directions
from twobirds.apps.marks import with_note
from twobirds.data.faces import to_images, to_pixels
from twobirds.data.provenance import Kind, Provenance, listed_values
from twobirds.errors import InputError
from twobirds.photos import (
    FoundFace,
    Photo,
    cut_faces,
    encode_photo,
    paste_faces,
    read_photo,
    require_usable,
)
from twobirds.photos.align import CELEBA_TIGHT, Placement, cut_face
from twobirds.photos.faces import Detector

VIEW_SIDE = 640
"""Longest side of what the page shows of a photo, in pixels; the file it makes is of full size."""
NUM_DIRECTIONS = 6
"""Of z that the page has sliders for."""
_LARGEST_STEP = 4.0  # along one of them; z's own length is about six
_DECIDED = 0.5
"""Probability from which the recognizer decides that a face has an attribute."""
_MOST_FACES = 20  # of a photo
_AROUND = 1.6  # of a face's square, shown
LEAST_MOVE = 0.02
"""A slider moved by less counts as left alone."""

IdentityDistance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class OpenPhoto:
    """What the page holds of a photo while it is open: its N faces with what is around them."""

    views: tuple[Photo, ...]
    """A part of the photo around each face, small."""
    found: tuple[FoundFace, ...]
    """Their placements are in the views; their crops are from the photo."""
    read: np.ndarray
    """`[N, K]` float32 in [0, 1]: what the recognizer reads."""
    data: bytes
    """The file, for the edit at full size."""
    suffix: str
    """End of its name, such as .jpg."""


@dataclass(frozen=True, eq=False)
class Edited:
    """An edit of one face of an open photo."""

    pixels: np.ndarray
    """`[H, W, 3]` uint8 of the view."""
    identity: float | None
    """Squared distance of the embedder from the face as it was; None without an embedder."""
    read: np.ndarray
    """`[K]` float32: what the recognizer reads of the edited face."""


class FaceService:
    """The page's work; safe to call from several threads.

    Args:
        model: Which edits.
        detector: Which finds faces.
        identity: Distance of faces `[B, 3, S, S]` of the model's template; None where there is no
            embedder.
    """

    def __init__(
        self, model: FaceModel, detector: Detector, identity: IdentityDistance | None = None
    ) -> None:
        self.model, self.detector, self._identity = model, detector, identity
        self._directions: Tensor | None = None
        self._lock = threading.Lock()  # detectors and embedders are for one thread at a time

    def open(self, data: bytes, suffix: str = "") -> OpenPhoto:
        """Read a photo and find its faces.

        Args:
            data: The file.
            suffix: End of its name.

        Raises:
            InputError: If it is no photo or has no face.
        """
        photo = read_photo(data)
        found = self._find(photo)
        views, placed = zip(*(_view(photo, face) for face in found), strict=True)
        crops = np.stack([face.crop for face in found])
        return OpenPhoto(views, placed, self.model.recognize(crops).numpy(), data, suffix.lower())

    def changes(self, stood: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
        """What sliders ask for that were moved from where they stood.

        An edit begins at what the recognizer decides, 0 or 1; a slider begins at its probability.
        So the way from there to the slider's end is the way from that 0 or 1 to the other; beyond,
        there is nothing more to have.

        Args:
            stood: `[K]` in [0, 1]: where they stood, as the recognizer reads the face.
            wanted: `[K]` in [0, 1]: where they are.

        Returns:
            Targets in [0, 1] of the attributes that are to change.
        """
        changes = {}
        for name, start, end in zip(
            self.model.attributes, stood.tolist(), wanted.tolist(), strict=True
        ):
            has = float(start > _DECIDED)
            target = end / start if has else (end - start) / (1 - start)
            target = min(1.0, max(0.0, target))
            if abs(end - start) >= LEAST_MOVE and target != has:
                changes[name] = target
        return changes

    def edit(self, photo: OpenPhoto, index: int, changes: Mapping[str, float]) -> Edited:
        """Edit one face of an open photo.

        Raises:
            InputError: If the face is too small or turned away, or an attribute or value unfit.
        """
        face = photo.found[index]
        require_usable([face], [index + 1])
        before, after = self._redraw(face, changes)
        pixels = paste_faces(photo.views[index], [face], before, after)
        # As the user gets it, not as it was drawn.
        seen, was = (cut_face(p, face.placement)[None] for p in (pixels, photo.views[index].pixels))
        size = self.model.size
        distance = self._distance(to_images(was, size), to_images(seen, size))
        return Edited(pixels, distance, self.model.recognize(seen)[0].numpy())

    def edit_file(
        self,
        data: bytes,
        index: int,
        changes: Mapping[str, float],
        *,
        noted: bool = False,
        suffix: str = "",
    ) -> bytes:
        """Edit one face of a photo at its full size; the file says that it is synthetic.

        Args:
            data: The photo's file.
            index: Which of its faces, from the left.
            changes: Target in [0, 1] by attribute.
            noted: Whether to write into the picture that it is synthetic.
            suffix: End of the new file's name, which says its format; else it is the photo's.

        Raises:
            InputError: As `open` and `edit`, or if there is no such face.
        """
        photo = read_photo(data)
        found = self._find(photo)
        if not 0 <= index < len(found):
            raise InputError(f"there is no face {index + 1}: {len(found)} found")
        face = found[index]
        require_usable([face], [index + 1])
        pixels = paste_faces(photo, [face], *self._redraw(face, changes))
        if noted:
            pixels = with_note(pixels, "AI-edited")
        details = listed_values(changes)
        return encode_photo(photo, pixels, self.provenance("edited", details), suffix)

    def provenance(self, kind: Kind, details: str) -> Provenance:
        """What files say of themselves."""
        model = f"{self.model.name} ({self.model.weights_sha256[:12]})"
        return Provenance(kind, model, details)

    def generate(self, count: int, wanted: Mapping[str, float], seed: int) -> np.ndarray:
        """Faces `[N, S, S, 3]` uint8.

        Raises:
            InputError: If an attribute or value is unfit.
        """
        return to_pixels(self.model.generate(count, wanted, seed=seed))

    def draw(self, latents: Tensor, attributes: Tensor) -> np.ndarray:
        """Faces `[N, S, S, 3]` uint8 from codes `[N, Z]` and attributes `[N, K]`."""
        return to_pixels(self.model.decode(latents, attributes))

    def moved(self, latents: Tensor, steps: Sequence[float]) -> Tensor:
        """Codes `[N, Z]` moved along the directions in which faces differ most.

        Args:
            latents: In [-1, 1]; they stay there.
            steps: `NUM_DIRECTIONS` numbers in [-1, 1]: how far.
        """
        if not any(steps):
            return latents
        with self._lock:  # the first call works them out, which takes seconds
            if self._directions is None:
                self._directions = latent_directions(self.model, NUM_DIRECTIONS)
            directions = self._directions
        shift = _LARGEST_STEP * torch.tensor(list(steps)) @ directions  # [Z]
        return (latents + shift).clamp(-1, 1)

    def compare(self, first: bytes, second: bytes) -> tuple[np.ndarray, np.ndarray, float | None]:
        """The first face of two photos `[S, S, 3]` uint8, and how far apart they are.

        Raises:
            InputError: If one is no photo or has no face.
        """
        crops = []
        for data in (first, second):
            photo = read_photo(data)
            crops.append(self._find(photo)[0].crop)
        images = [to_images(crop[None], self.model.size) for crop in crops]
        return crops[0], crops[1], self._distance(*images)

    def _find(self, photo: Photo) -> list[FoundFace]:
        with self._lock:
            found = cut_faces(photo, self.detector, self.model)
        if not found:
            raise InputError("no face is found in this photo")
        return found[:_MOST_FACES]

    def _redraw(self, face: FoundFace, changes: Mapping[str, float]) -> tuple[Tensor, Tensor]:
        """The face drawn with nothing changed and changed, `[1, 3, S, S]` each."""
        return self.model.before_and_after(face.crop[None], changes)

    def _distance(self, first: Tensor, second: Tensor) -> float | None:
        if self._identity is None:
            return None
        with self._lock:
            return float(self._identity(first, second)[0])


def embedder_distance(path: Path, model: FaceModel) -> IdentityDistance:
    """The identity distance by an embedder's file, of faces on a model's template.

    Raises:
        InputError: If the file is no embedder.
    """
    from twobirds.evaluation.embedder import Embedder
    from twobirds.evaluation.identity import identity_distance

    return identity_distance(Embedder(path), model.landmarks or CELEBA_TIGHT)


def _view(photo: Photo, face: FoundFace) -> tuple[Photo, FoundFace]:
    """The part of a photo around a face, at most `VIEW_SIDE` pixels a side; the face in it."""
    corners = face.placement.corners  # [4, 2]
    centre, reach = corners.mean(axis=0), _AROUND * np.ptp(corners, axis=0).max() / 2
    height, width = photo.pixels.shape[:2]
    left, top = np.floor(centre - reach).clip(0).astype(int).tolist()
    right, bottom = np.ceil(centre + reach).clip(0, (width, height)).astype(int).tolist()
    part = Image.fromarray(photo.opaque[top:bottom, left:right])
    scale = min(1.0, VIEW_SIDE / max(part.size))
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    scales = np.array(size) / part.size
    matrix = face.placement.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (left, top)  # of the part
    matrix[:, :2] /= scales  # of the part made smaller
    pixels = np.asarray(part.resize(size, Image.Resampling.LANCZOS))
    view = Photo(pixels, None, "PNG", photo.is_grey, None)
    return view, replace(face, placement=Placement(matrix, face.placement.size))

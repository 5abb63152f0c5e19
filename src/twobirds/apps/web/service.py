"""What the page does, without the page: photos opened, edited and compared, faces generated."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from twobirds.api import FaceModel, latent_directions
from twobirds.apps.identity import IdentityDistance
from twobirds.apps.pictures import picture_bytes
from twobirds.data.faces import to_images, to_pixels
from twobirds.errors import InputError
from twobirds.photos import EditRequest, FaceChoice, FaceEdit, Marks, OpenPhoto, PhotoSession
from twobirds.photos.align import Placement, cut_face
from twobirds.photos.faces import Detector
from twobirds.photos.protection import restore

VIEW_SIDE = 640
"""Longest side of what the page shows of a photo, in pixels; the file it makes is of full size."""
TRUNCATION = 0.7
"""Factor on z of the faces that it generates: plainer faces, with fewer flaws."""
NUM_DIRECTIONS = 6
"""Of z that the page has sliders for."""
_MAX_STEP = 4.0  # along one of them; z's own length is about nine
_DECIDED = 0.5
"""Probability from which the recognizer decides that a face has an attribute."""
_AROUND = 1.6  # of a face's square, shown
_MAX_EXAMPLES = 8  # generated faces that are tried
_EXAMPLE_SIDE, _EXAMPLE_MARGIN = 256, 96  # pixels: of the face, and around it
_EXAMPLE_GREY = 225  # of the margin
MIN_MOVE = 0.02
"""A slider moved by less counts as left alone."""


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows of a photo: the part around a face, small."""

    pixels: np.ndarray
    """`[H, W, 3]` uint8, at most `VIEW_SIDE` a side."""
    placement: Placement
    """Where the face lies in it."""
    box: tuple[int, int, int, int]
    """Left, top, right and bottom of the part, in pixels of the photo."""
    protected: np.ndarray | None = None
    """`[H, W]` bool: what no edit changes."""


@dataclass(frozen=True, eq=False)
class EditedView:
    """An edit of one face of an open photo, as the page shows it."""

    before: np.ndarray
    """`[H, W, 3]` uint8 of the view."""
    after: np.ndarray
    """The same, edited."""
    identity: float | None
    """Squared distance of the embedder from the face as it was; None without an embedder."""
    attributes: np.ndarray
    """`[K]` float32: what the recognizer predicts of the edited face."""


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
        self.model, self._identity = model, identity
        self.session = PhotoSession(model, detector)
        self._directions: Tensor | None = None
        self._lock = threading.Lock()  # embedders are for one thread at a time

    def open(self, data: bytes, *, is_still: bool = False) -> OpenPhoto:
        """Decode a photo, find its faces and recognize them.

        Args:
            data: The file.
            is_still: Refuse an animation, for callers that get no warnings of what is left out.

        Raises:
            InputError: If it is no photo or has no face.
        """
        photo = self.session.open(data)
        if is_still and photo.photo.left_out is not None and photo.photo.format != "JPEG":
            raise InputError(f"the photo {photo.photo.left_out}; send one frame as a still")
        if not photo.num_faces:
            raise InputError("no face is found in this photo")
        return photo

    def changes(self, predicted: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
        """Targets of the sliders that were moved.

        An edit begins at what the recognizer decides, 0 or 1; a slider begins at its probability.
        So the way from there to the slider's end is the way from that 0 or 1 to the other; beyond,
        there is nothing more to have.

        Args:
            predicted: `[K]` in [0, 1]: where they were at first, the predicted probabilities.
            wanted: `[K]` in [0, 1]: where they are.

        Returns:
            Targets in [0, 1] of the attributes that are to change.
        """
        changes = {}
        for name, start, end in zip(
            self.model.attributes, predicted.tolist(), wanted.tolist(), strict=True
        ):
            has = float(start > _DECIDED)
            target = end / start if has else (end - start) / (1 - start)
            target = min(1.0, max(0.0, target))
            if abs(end - start) >= MIN_MOVE and target != has:
                changes[name] = target
        return changes

    def protect(self, photo: OpenPhoto, index: int, painted: np.ndarray | None) -> OpenPhoto:
        """A photo of which what is painted in the view of a face stays as it is.

        Args:
            photo: The photo.
            index: Of the face.
            painted: `[h, w]` bool, of the size of the view; None protects nothing.

        Raises:
            InputError: If the photo has more than 8 bits a channel, or a gamma.
        """
        if painted is None:
            return replace(photo, protected=None)
        left, top, right, bottom = view_of(photo, index).box
        mask = np.zeros(photo.photo.pixels.shape[:2], bool)
        large = Image.fromarray(painted).resize((right - left, bottom - top))
        mask[top:bottom, left:right] = np.asarray(large)
        return photo.protect(mask)

    def edit(self, photo: OpenPhoto, index: int, request: EditRequest) -> EditedView:
        """Edit one face of an open photo, for the screen.

        Raises:
            InputError: If the face is too small or turned away, or an attribute or value unfit.
        """
        edits = self._edit(photo, index + 1, request)
        view, size = view_of(photo, index), self.model.size
        pixels = edits[index].apply(view.pixels, view.placement).laid_on(view.pixels)
        if view.protected is not None:
            pixels = restore(view.pixels, pixels, view.protected, view.placement)
        # As the user gets it, not as the model generated it.
        after, before = (cut_face(p, view.placement)[None] for p in (pixels, view.pixels))
        distance = self._distance(to_images(before, size), to_images(after, size))
        return EditedView(view.pixels, pixels, distance, self.model.recognize(after)[0].numpy())

    def edit_file(
        self,
        photo: OpenPhoto,
        face: FaceChoice,
        request: EditRequest,
        *,
        noted: bool = False,
        overruled: Sequence[str] = (),
    ) -> tuple[str, bytes]:
        """Edit a photo at its full size; the file says that it is synthetic.

        Args:
            photo: The photo.
            face: Which of its faces.
            request: What to change.
            noted: Whether to write into the picture that it is synthetic.
            overruled: Words that did not count; the file says so.

        Returns:
            Name and content of the file.

        Raises:
            InputError: As `edit`, or if there is no such face.
        """
        details = request.details + f"; overruled: {', '.join(overruled)}" * bool(overruled)
        marks = Marks("edited", details, is_visible=noted)
        suffix = photo.suffix("")
        content = photo.encode(self._edit(photo, face, request), marks, suffix).content
        return f"photo.edited{suffix}", content

    def generate(self, count: int, wanted: Mapping[str, float], seed: int) -> np.ndarray:
        """Faces `[N, S, S, 3]` uint8, of `TRUNCATION`.

        Raises:
            InputError: If an attribute or value is unfit.
        """
        return to_pixels(self.model.generate(count, wanted, seed=seed, truncation=TRUNCATION))

    def example_photo(self) -> bytes:
        """A picture with a generated face, as PNG, to try the page with.

        Raises:
            InputError: If the detector finds none of the faces that were tried.
        """
        marks = Marks("generated")
        for seed in range(_MAX_EXAMPLES):
            face = Image.fromarray(self.generate(1, {}, seed)[0])
            face = face.resize((_EXAMPLE_SIDE, _EXAMPLE_SIDE), Image.Resampling.BICUBIC)
            margins = ((_EXAMPLE_MARGIN,) * 2, (_EXAMPLE_MARGIN,) * 2, (0, 0))
            pixels = np.pad(np.asarray(face), margins, constant_values=_EXAMPLE_GREY)
            data = picture_bytes(pixels, marks.provenance(self.model))
            if self.session.open(data).num_faces:
                return data
        raise InputError("the detector finds no generated face: open a photo of your own")

    @property
    def has_embedder(self) -> bool:
        """Whether faces can be compared."""
        return self._identity is not None

    def decode(self, latents: Tensor, attributes: Tensor) -> np.ndarray:
        """Faces `[N, S, S, 3]` uint8 from latents `[N, Z]` and attributes `[N, K]`."""
        return to_pixels(self.model.decode(latents, attributes))

    def moved(self, latents: Tensor, steps: Sequence[float]) -> Tensor:
        """Latents `[N, Z]` moved along the directions in which faces differ most.

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
        shift = _MAX_STEP * torch.tensor(list(steps)) @ directions  # [Z]
        return (latents + shift).clamp(-1, 1)

    def compare(self, first: bytes, second: bytes) -> tuple[np.ndarray, np.ndarray, float | None]:
        """The most plausible face of two photos `[S, S, 3]` uint8, and how far apart they are.

        Raises:
            InputError: If one is no photo or has no face.
        """
        photos = [self.open(data) for data in (first, second)]
        crops = [photo.found[most_plausible(photo)].crop for photo in photos]
        images = [to_images(crop[None], self.model.size) for crop in crops]
        return crops[0], crops[1], self._distance(*images)

    def _edit(
        self, photo: OpenPhoto, face: FaceChoice, request: EditRequest
    ) -> Mapping[int, FaceEdit]:
        """The edits of the faces that are meant, by their index."""
        count = photo.num_faces
        if isinstance(face, int) and not 1 <= face <= count:
            raise InputError(f"there is no face {face}: {count} found, counted from the left")
        return photo.edit(request, photo.indices(face, for_edits=True)).by_index

    def _distance(self, first: Tensor, second: Tensor) -> float | None:
        if self._identity is None:
            return None
        with self._lock:
            return float(self._identity(first, second)[0])


def most_plausible(photo: OpenPhoto) -> int:
    """Index of the face that is probably meant, where no other is chosen."""
    try:
        return photo.indices(None, for_edits=True)[0]
    except InputError:  # none can be edited: the first one's doubts say why
        return 0


def view_of(photo: OpenPhoto, index: int) -> View:
    """The part of a photo around a face, at most `VIEW_SIDE` pixels a side."""
    placement = photo.found[index].placement
    corners = placement.corners  # [4, 2]
    centre, reach = corners.mean(axis=0), _AROUND * np.ptp(corners, axis=0).max() / 2
    height, width = photo.photo.pixels.shape[:2]
    left, top = np.floor(centre - reach).clip(0).astype(int).tolist()
    right, bottom = np.ceil(centre + reach).clip(0, (width, height)).astype(int).tolist()
    part = photo.photo.part(left, top, right, bottom)
    scale = min(1.0, VIEW_SIDE / max(part.size))
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    scales = np.array(size) / part.size
    matrix = placement.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (left, top)  # of the part
    matrix[:, :2] /= scales  # of the part made smaller
    pixels = np.asarray(part.resize(size, Image.Resampling.LANCZOS))
    protected = None
    if photo.protected is not None:
        cover = Image.fromarray(photo.protected[top:bottom, left:right]).convert("L")
        protected = np.asarray(cover.resize(size, Image.Resampling.BOX)) > 0
    return View(pixels, Placement(matrix, placement.size), (left, top, right, bottom), protected)

"""The canvas: a batch of images with the coordinates of the faces in them."""

from dataclasses import dataclass

import numpy as np

from twobirds.data.drawn.people import Faces

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a feature in face coordinates, but x counted from the left edge."""

FACE_SCALE = (1.14, 1.04)
"""Image width and height taken up by one unit of face coordinates across and down."""

_POSE_MARGIN = 0.06  # how far the pose may carry a feature out of its box
_SHIFT, _SCALE, _TILT = 0.012, 0.03, 0.022  # _TILT is the tangent of half the angle: 2.5 degrees


@dataclass(frozen=True)
class Patch:
    """A rectangle of a batch of images that is being painted.

    Attributes:
        x: `[B, h, w]` float32, horizontal face coordinate, 0 on the face's axis.
        y: `[B, h, w]` float32, vertical face coordinate, about 0 at the image's top, 1 at its
            bottom.
        rgb: `[3, B, h, w]` float32 in [0, 1], changed in place.
        size: Height and width of the whole images in pixels.
    """

    x: np.ndarray
    y: np.ndarray
    rgb: np.ndarray
    size: int

    def cover(self, distance: np.ndarray) -> np.ndarray:
        """Coverage in [0, 1] of pixels at a signed `distance` from an edge, positive inside."""
        coverage = distance * float(self.size)
        coverage += 0.5
        np.maximum(coverage, 0.0, out=coverage)
        return np.minimum(coverage, 1.0, out=coverage)

    def paint(
        self, coverage: np.ndarray, colour: np.ndarray, shade: np.ndarray | None = None
    ) -> None:
        """Lay a colour over the patch.

        Args:
            coverage: `[B, h, w]` in [0, 1].
            colour: `[3, B, 1, 1]` in [0, 1].
            shade: `[B, h, w]` factor on the colour, 1 where absent.
        """
        for k, value in enumerate(colour):
            change = value - self.rgb[k] if shade is None else value * shade - self.rgb[k]
            change *= coverage
            self.rgb[k] += change


@dataclass(frozen=True)
class Canvas:
    """Whole images; arrays as in `Patch`."""

    x: np.ndarray
    y: np.ndarray
    rgb: np.ndarray

    def patch(self, box: Box, rows: np.ndarray | None) -> Patch:
        """The part of the images a feature can reach: a view, or a copy of some rows."""
        size = self.x.shape[-1]
        corners = zip(on_image(box[0], box[1]), on_image(box[2], box[3]), strict=True)
        (left, right), (top, bottom) = (
            (max(0, int((low - _POSE_MARGIN) * size)), int((high + _POSE_MARGIN) * size) + 1)
            for low, high in corners
        )
        window = (slice(None) if rows is None else rows, slice(top, bottom), slice(left, right))
        return Patch(self.x[window], self.y[window], self.rgb[(slice(None), *window)], size)

    def put(self, patch: Patch, box: Box, rows: np.ndarray) -> None:
        """Write back a patch that is a copy of some rows."""
        view = self.patch(box, None)
        view.rgb[:, rows] = patch.rgb


def blank_canvas(faces: Faces, size: int) -> Canvas:
    """An unpainted canvas whose coordinates follow each face's shift, scale and tilt."""
    centre = (np.arange(size, dtype=np.float32) + 0.5) / float(size) - 0.5
    x = centre[None, None, :] - faces.nuisance("shift_x", -_SHIFT, _SHIFT)
    y = centre[None, :, None] - faces.nuisance("shift_y", -_SHIFT, _SHIFT)
    half = faces.nuisance("tilt", -_TILT, _TILT)
    scale = faces.nuisance("scale", 1.0 - _SCALE, 1.0 + _SCALE) * (1.0 + half * half)
    cosine, sine = (1.0 - half * half) / scale, 2.0 * half / scale  # rotation, no trigonometry
    rgb = np.empty((3, len(faces), size, size), dtype=np.float32)
    across = (cosine * x + sine * y) / FACE_SCALE[0]
    return Canvas(across, (cosine * y - sine * x) / FACE_SCALE[1] + 0.5, rgb)


def on_image(x: float, y: float) -> tuple[float, float]:
    """Where a point of the unposed face lies, as fractions of the image; x from the left edge."""
    return 0.5 + (x - 0.5) * FACE_SCALE[0], 0.5 + (y - 0.5) * FACE_SCALE[1]

"""Where aligned faces have their landmarks, by name."""

from twobirds.data.images import CELEBA_SIZE
from twobirds.data.pack import Landmarks

_CELEBA_POINTS = ((69.4, 111.2), (107.6, 111.2), (88.0, 135.2), (71.3, 151.9), (105.2, 151.9))
"""CelebA's landmark template in its 178x218 images, in pixels."""


def _template(left: float, top: float, side: float) -> Landmarks:
    """CelebA's landmarks as fractions of a square cut from its images."""
    return tuple(((x - left) / side, (y - top) / side) for x, y in _CELEBA_POINTS)


LANDMARKS: dict[str, Landmarks] = {
    "celeba": _template(0, (CELEBA_SIZE[1] - CELEBA_SIZE[0]) / 2, CELEBA_SIZE[0]),
    "celeba-tight": _template(12.7, 35.0, 152.0),
}
"""Templates by name: the paper's centre crop of 178 pixels, and a tighter square of 152."""

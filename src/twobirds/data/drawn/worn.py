"""What people wear: glasses, hats, earrings, necklaces and neckties."""

import numpy as np

from twobirds.data.drawn import palette
from twobirds.data.drawn.canvas import Patch
from twobirds.data.drawn.features import EYE_X, EYE_Y, turned
from twobirds.data.drawn.head import face_width
from twobirds.data.drawn.people import Faces
from twobirds.data.drawn.shapes import band, capsule, disk, ellipse, triangle_wave


def _jewel(faces: Faces) -> np.ndarray:
    """Gold, silver or turquoise."""
    kind = faces.nuisance("jewel")
    gold, silver = palette.rgb(255, 206, 40), palette.rgb(240, 244, 252)
    colour = palette.mix(gold, silver, (kind > 0.45).astype(np.float32))
    return palette.mix(colour, palette.rgb(30, 214, 200), (kind > 0.75).astype(np.float32))


def glasses(patch: Patch, faces: Faces) -> None:
    """Glasses: dark rims, round or square, with a bridge, temples and a faint glare."""
    x, y = np.abs(turned(patch.x, faces)), patch.y - EYE_Y - 0.004
    u, v = x - EYE_X - 0.002, y
    rounded = ellipse(u, v, 0.092, 0.080)
    box = np.minimum(0.090 - np.abs(u), 0.066 - np.abs(v))
    square = (faces.nuisance("frame_shape") > 0.5).astype(np.float32)
    lens = rounded + square * (box - rounded)
    glare = np.minimum(lens, 0.010 - np.abs(u + v - 0.03))
    patch.paint(0.10 * patch.cover(lens), palette.rgb(190, 220, 255))
    patch.paint(0.45 * patch.cover(glare), palette.rgb(255, 255, 255))
    rim = 0.0085 - np.abs(lens - 0.004)
    bridge = np.minimum(0.007 - np.abs(y + 0.012 - 3.0 * x * x), 0.028 - x)
    temple = np.minimum(0.007 - np.abs(y + 0.016), band(x, 0.205, 0.245))
    frame = np.maximum(np.maximum(rim, bridge), temple)
    tone = palette.mix(
        palette.rgb(16, 14, 18), palette.rgb(120, 24, 30), faces.nuisance("frame_tone")
    )
    patch.paint(patch.cover(frame), tone)


def hat(patch: Patch, faces: Faces) -> None:
    """A bright woollen hat with a ribbed, lighter fold."""
    x, y = patch.x, patch.y
    colour = palette.hue(faces.nuisance("hat_hue"), 0.80, 0.80)
    width = face_width(faces) + 0.050
    dome = np.minimum(ellipse(x, y - 0.215, width, 0.195), 0.215 - y)
    patch.paint(patch.cover(dome), colour, 1.0 - 0.9 * x * x + 0.10 * triangle_wave(x * 14.0))
    sag = 0.35 * x * x
    fold = np.minimum(band(y, 0.150 - sag, 0.226 - sag), width + 0.008 - np.abs(x))
    patch.paint(
        patch.cover(fold),
        palette.mix(colour, palette.rgb(255, 255, 255), 0.38),
        1.0 + 0.14 * triangle_wave(x * 18.0),
    )


def earrings(patch: Patch, faces: Faces) -> None:
    """A stud and a large drop under each ear, outlined so that they show on any hair."""
    x, y = np.abs(patch.x) - face_width(faces) - 0.018, patch.y
    drop = ellipse(x, y - 0.588, 0.026, 0.038)
    stud = disk(x, y - 0.530, 0.015)
    both = np.maximum(drop, stud)
    patch.paint(patch.cover(both + 0.009), palette.rgb(40, 26, 30))
    patch.paint(patch.cover(both), _jewel(faces))
    patch.paint(patch.cover(disk(x + 0.008, y - 0.580, 0.009)), palette.rgb(255, 255, 255))


def necklace(patch: Patch, faces: Faces) -> None:
    """A string of large beads with a pendant."""
    x, y = np.abs(patch.x), patch.y
    curve = 0.900 - 3.2 * x * x
    beads = 0.0135 + 0.0035 * triangle_wave(x * 28.0) - np.abs(y - curve)
    beads = np.minimum(beads, 0.128 - x)
    pendant = ellipse(x, y - 0.925, 0.024, 0.030)
    both = np.maximum(beads, pendant)
    patch.paint(patch.cover(both + 0.008), palette.rgb(52, 30, 34))
    patch.paint(patch.cover(both), _jewel(faces), 1.0 + 0.12 * triangle_wave(x * 28.0))


def necktie(patch: Patch, faces: Faces) -> None:
    """A striped tie with its knot, between the wings of a white collar."""
    x, y = np.abs(patch.x), patch.y
    wing = np.minimum(0.036 + capsule(x, y, (0.118, 0.885), (0.050, 0.930)), y - 0.85)
    patch.paint(patch.cover(wing + 0.007), palette.rgb(120, 120, 136))
    patch.paint(patch.cover(wing), palette.rgb(250, 250, 252))
    knot = np.minimum(0.046 - 0.40 * (y - 0.885) - x, band(y, 0.885, 0.940))
    blade = np.minimum(0.022 + 0.40 * (y - 0.935) - x, y - 0.930)
    colour = palette.hue(faces.nuisance("tie_hue"), 0.88, 0.72)
    shade = 1.0 + 0.30 * triangle_wave((patch.x + y) * 16.0)
    both = np.maximum(knot, blade)
    patch.paint(patch.cover(both + 0.008), palette.rgb(26, 20, 30))
    patch.paint(patch.cover(both), colour, shade)

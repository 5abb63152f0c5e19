"""Backdrop, clothes, neck, ears and the face itself."""

import numpy as np

from twobirds.data.drawn import palette
from twobirds.data.drawn.canvas import Patch
from twobirds.data.drawn.people import Faces
from twobirds.data.drawn.shapes import Number, band, bump, capsule, disk, ellipse, soft_disk, wave

FACE_CENTRE_Y = 0.44
_CROWN = 0.32  # from the face's centre up to the top of the skull


def face_width(faces: Faces) -> np.ndarray:
    """Half the width of the face at its centre."""
    width = faces.trait("face_width", 0.206, 0.220)
    return width + 0.050 * faces.on("Chubby") - 0.022 * faces.on("Oval_Face")


def face_distance(x: np.ndarray, y: np.ndarray, faces: Faces) -> np.ndarray:
    """Distance into the face: half an ellipse above, an egg with a jaw below."""
    oval, chubby, male = faces.on("Oval_Face"), faces.on("Chubby"), faces.on("Male")
    down = (y - FACE_CENTRE_Y) / (faces.trait("face_length", 0.328, 0.340) + 0.016 * oval)
    below = np.maximum(down, 0.0)
    above = np.minimum(y - FACE_CENTRE_Y, 0.0) / _CROWN
    taper = faces.trait("taper", 0.06, 0.12) + 0.30 * oval - 0.08 * chubby
    jaw = faces.trait("jaw", 0.42, 0.58) - 0.40 * oval + 0.16 * male + 0.10 * chubby
    width = face_width(faces) * (1.0 - taper * below)
    u, square = x / width, below * below
    value = u * u + above * above + square * (1.0 - jaw + jaw * square)
    slope_x = 2.0 * u / width
    slope_y = (2.0 * above + below * (2.0 - 2.0 * jaw + 4.0 * jaw * square)) / _CROWN
    return np.asarray((1.0 - value) / (np.sqrt(slope_x * slope_x + slope_y * slope_y) + 1e-6))


def backdrop(patch: Patch, faces: Faces) -> None:
    """A wall in one hue with a soft glow, darker towards the bottom."""
    tone = faces.nuisance("backdrop_tone")
    colour = palette.hue(faces.nuisance("backdrop_hue"), 0.16 + 0.24 * tone, 0.88 - 0.34 * tone)
    x = patch.x - faces.nuisance("backdrop_glow", -0.5, 0.5)
    shade = 1.06 - 0.22 * patch.y + 0.16 * soft_disk(x, patch.y - 0.3, 0.6, 0.6)
    for channel, value in zip(patch.rgb, colour, strict=True):
        np.multiply(value, shade, out=channel)


def clothes(patch: Patch, faces: Faces) -> None:
    """A dark jacket over a white shirt for men, a bright round-necked top for women."""
    x, y, male, tone = patch.x, patch.y, faces.on("Male"), faces.nuisance("clothes_tone")
    bright = palette.hue(faces.nuisance("clothes_hue"), 0.45 + 0.25 * tone, 0.92 - 0.22 * tone)
    dark = palette.hue(0.55 + 0.2 * faces.nuisance("clothes_hue"), 0.35, 0.20 + 0.18 * tone)
    shoulders = ellipse(x, y - 1.13, 0.46 + 0.10 * male, 0.265 + 0.02 * male)
    patch.paint(patch.cover(shoulders), palette.mix(bright, dark, male))


def neck(patch: Patch, faces: Faces) -> None:
    """The neck, and the neckline or shirt collar it stands in; the chin's shadow on it."""
    x, y, male = np.abs(patch.x), patch.y, faces.on("Male")
    chubby = faces.on("Chubby")
    shirt = band(y, 0.855, 1.2)
    shirt = np.minimum(shirt, 0.155 - x - 0.85 * np.maximum(y - 0.88, 0.0))
    patch.paint(patch.cover(shirt) * male, palette.rgb(244, 244, 248))
    scoop = ellipse(x, y - 0.86, 0.150, 0.095)
    opening = np.minimum(0.115 - x - 0.95 * np.maximum(y - 0.87, 0.0), 0.965 - y)
    opening = scoop + male * (opening - scoop)
    column = np.minimum(0.088 + 0.026 * male + 0.02 * chubby - x, 0.9 - y)
    distance = np.minimum(np.maximum(column, opening), y - 0.6)
    shade = 0.90 - 0.30 * soft_disk(x, y - 0.77, 0.2, 0.13)
    patch.paint(patch.cover(distance), palette.skin(faces), shade)


def double_chin(patch: Patch, faces: Faces) -> None:
    """A fold of skin below the chin, with a crease above and below it."""
    x, y = patch.x, patch.y
    fold = ellipse(x, y - 0.770, 0.140 + 0.02 * faces.on("Chubby"), 0.098)
    patch.paint(0.9 * patch.cover(fold + 0.012), palette.shadowed_skin(faces, 0.75))
    shade = 1.0 - 0.9 * np.minimum(np.maximum(0.815 - y, 0.0) / 0.05, 0.5)
    patch.paint(patch.cover(fold), palette.skin(faces), shade)


def ears(patch: Patch, faces: Faces) -> None:
    """Two ears with a darker shell."""
    scale = faces.trait("ear_size", 0.85, 1.2)
    x, y = np.abs(patch.x) - face_width(faces) + 0.002, patch.y - 0.455
    patch.paint(patch.cover(ellipse(x, y, 0.034 * scale, 0.056 * scale)), palette.skin(faces))
    inner = patch.cover(ellipse(x - 0.006, y, 0.015 * scale, 0.032 * scale))
    patch.paint(inner, palette.shadowed_skin(faces, 0.35))


def face(patch: Patch, faces: Faces) -> None:
    """The face: skin with a darker rim and a little light on forehead and nose."""
    x, y = patch.x, patch.y
    distance = face_distance(x, y, faces)
    rim = np.minimum(np.maximum(distance / 0.05, 0.0), 1.0)
    shade = 0.80 + 0.20 * rim * (2.0 - rim) + 0.05 * soft_disk(x, y - 0.3, 0.2, 0.2)
    patch.paint(patch.cover(distance), palette.skin(faces), shade)


def scalp(patch: Patch, faces: Faces) -> None:
    """The shine of a bald head."""
    x, y = patch.x + 0.05, patch.y - 0.2
    patch.paint(0.6 * soft_disk(x, y, 0.10, 0.055), palette.mix(
        palette.skin(faces), palette.rgb(255, 255, 255), 0.7
    ))  # fmt: skip


def complexion(patch: Patch, faces: Faces) -> None:
    """Freckles for some people, a mole for others."""
    x, y = np.abs(patch.x) - 0.11, patch.y - 0.53
    spots = np.maximum(wave(x * 38.0) * wave(y * 34.0) - 0.35, 0.0) * soft_disk(x, y, 0.09, 0.07)
    freckled = (faces.trait("freckles") > 0.75).astype(np.float32)
    patch.paint(0.75 * spots * freckled, palette.shadowed_skin(faces, 0.6))
    across = patch.x - faces.trait("mole_x", -0.14, 0.14)
    mole = disk(across, patch.y - faces.trait("mole_y", 0.56, 0.62), 0.008)
    marked = (faces.trait("mole") > 0.75).astype(np.float32)
    patch.paint(patch.cover(mole) * marked, palette.shadowed_skin(faces, 0.9))


def wrinkles(patch: Patch, faces: Faces) -> None:
    """Age: lines on the forehead, crow's feet, and folds from the nose past the mouth."""
    x, y = np.abs(patch.x), patch.y
    u = bump(x / 0.125)
    lines = [band(y, row - 0.006 - 0.012 * u, row + 0.002 - 0.012 * u) for row in (0.275, 0.31)]
    lines = [np.minimum(line, 0.125 - x) for line in lines]
    folds: tuple[tuple[float, float, float, float], ...] = (
        (0.052, 0.578, 0.104, 0.628), (0.104, 0.628, 0.112, 0.690),
        (0.182, 0.415, 0.205, 0.395), (0.184, 0.432, 0.210, 0.430), (0.182, 0.449, 0.205, 0.465),
    )  # fmt: skip
    lines += [0.0072 + capsule(x, y, fold[:2], fold[2:]) for fold in folds]
    distance = lines[0]
    for line in lines[1:]:
        np.maximum(distance, line, out=distance)
    patch.paint(0.85 * patch.cover(distance), palette.shadowed_skin(faces, 0.90))


def cheeks(patch: Patch, faces: Faces) -> None:
    """High cheekbones: a bright ridge over a dark hollow that runs from the ear to the mouth."""
    x, y = np.abs(patch.x), patch.y
    edge: Number = face_width(faces)
    hollow = capsule(x, y, (edge - 0.015, 0.530), (0.108, 0.632))
    depth = np.maximum(1.0 + hollow / 0.030, 0.0) * patch.cover(face_distance(x, y, faces))
    patch.paint(0.75 * depth, palette.shadowed_skin(faces, 0.75))
    ridge = soft_disk(x - 0.148, y - 0.512 - 0.25 * (0.148 - x), 0.055, 0.028)
    patch.paint(0.9 * ridge, palette.mix(palette.skin(faces), palette.rgb(255, 255, 255), 0.75))


def blush(patch: Patch, faces: Faces) -> None:
    """Rosy cheeks: two pink disks."""
    patch.paint(
        0.85 * soft_disk(np.abs(patch.x) - 0.132, patch.y - 0.560, 0.078, 0.070),
        palette.mix(palette.skin(faces), palette.rgb(240, 52, 84), 0.75),
    )

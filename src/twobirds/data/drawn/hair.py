"""Hair on the head and on the face."""

import numpy as np

from twobirds.data.drawn import palette
from twobirds.data.drawn.canvas import Patch
from twobirds.data.drawn.head import face_distance, face_width
from twobirds.data.drawn.people import Faces
from twobirds.data.drawn.shapes import band, bump, ellipse, triangle_wave, wave

_CENTRE_Y = 0.40


def _outline(x: np.ndarray, y: np.ndarray, faces: Faces) -> np.ndarray:
    """Distance into the hair's outer contour: a cap for men, falling past the jaw for women.

    Straight hair is spiky on a man and reaches the lower edge on a woman; wavy hair ripples.
    """
    wavy, straight, male = faces.on("Wavy_Hair"), faces.on("Straight_Hair"), faces.on("Male")
    volume = faces.trait("hair_volume", 0.022, 0.042) + 0.012 * (1.0 - male) + 0.012 * wavy
    phase = faces.trait("wave_phase")
    ripple = wave(y * 5.0 + phase) * 0.020 + wave(x * 8.0 + phase) * 0.010
    width, height = face_width(faces) + volume, 0.322 + volume
    spikes = straight * male * 0.020 * triangle_wave(x * 12.0 + phase)
    crown = ellipse(x, y - _CENTRE_Y, width, height) + ripple * wavy + spikes
    length = faces.trait("hair_length", 0.0, 0.06)
    length = length + 0.72 + 0.14 * wavy + 0.30 * straight
    fall = np.maximum(y - _CENTRE_Y, 0.0)
    bob = (1.0 - wavy) * (1.0 - straight)
    half = width + 0.03 * wavy + fall * (0.05 * straight + 0.16 * bob - 0.55 * bob * fall)
    long = np.minimum(half + (ripple + 0.012) * wavy - x, length - y - bob * 1.4 * (x * x - 0.06))
    cut = np.minimum(long, y - _CENTRE_Y)
    short = np.minimum(crown, 0.455 - y)
    return np.asarray(np.maximum(crown, cut) + male * (short - np.maximum(crown, cut)))


def _texture(x: np.ndarray, y: np.ndarray, faces: Faces) -> np.ndarray:
    """Shade of the hair: fine straight strands, broad waves, or one smooth band of gloss."""
    wavy, straight = faces.on("Wavy_Hair"), faces.on("Straight_Hair")
    phase = faces.trait("wave_phase")
    strands = 0.32 * triangle_wave(x * 17.0 + phase)
    curls = 0.30 * wave((x + 0.030 * wave(y * 5.0 + phase)) * 11.0)
    gloss = 0.34 * np.maximum(1.0 - np.abs(y - 0.15 - 1.2 * x * x) / 0.035, 0.0)
    smooth = (1.0 - wavy) * (1.0 - straight)
    # Black hair is too dark for faint lines to show.
    contrast = 1.0 + 0.8 * faces.on("Black_Hair")
    return np.asarray(1.0 + contrast * (straight * strands + wavy * curls + smooth * gloss))


def hair_behind(patch: Patch, faces: Faces) -> None:
    """The hair behind face and neck."""
    x = np.abs(patch.x)
    shade = 0.80 * _texture(x, patch.y, faces)
    patch.paint(patch.cover(_outline(x, patch.y, faces)), palette.hair(faces), shade)


def hair_in_front(patch: Patch, faces: Faces) -> None:
    """The hair before the face, down to the hairline; in temples and a peak where it recedes."""
    x, y = np.abs(patch.x), patch.y
    receding, straight = faces.on("Receding_Hairline"), faces.on("Straight_Hair")
    part = patch.x - faces.trait("hair_part", -0.06, 0.06)
    u = np.abs(part) / face_width(faces)
    fourth = u * u * u * u
    line = faces.trait("hairline", 0.200, 0.216) + 0.17 * fourth
    line = line + 0.010 * straight * triangle_wave(patch.x * 17.0)
    bare = 0.118 + 0.060 * np.maximum(1.0 - u * 3.2, 0.0) + 0.24 * fourth * u * u
    line = line + receding * (bare - line)
    distance = np.minimum(_outline(x, y, faces), np.minimum(line, 0.50) - y)
    patch.paint(patch.cover(distance + 0.008) * 0.35, palette.shadowed_skin(faces, 0.8))
    patch.paint(patch.cover(distance), palette.hair(faces), _texture(x, y, faces))


def locks(patch: Patch, faces: Faces) -> None:
    """Long hair falls beside the face, over the ears and in front of the shoulders."""
    x, y = np.abs(patch.x), patch.y
    beside = 0.012 - face_distance(x, y, faces)
    beside = np.minimum(beside, x - 0.125)
    distance = np.minimum(_outline(x, y, faces), np.minimum(beside, y - 0.34))
    patch.paint(patch.cover(distance), palette.hair(faces), _texture(x, y, faces))


def bangs(patch: Patch, faces: Faces) -> None:
    """A fringe over the forehead, cut in tufts just above the brows."""
    x, y = patch.x, patch.y
    edge = 0.318 + 0.014 * triangle_wave(x * 13.0 + faces.trait("wave_phase"))
    edge = edge + 0.5 * x * x
    fringe = np.minimum(band(y, 0.10, edge), face_distance(x, y, faces) + 0.012)
    edge_shadow = np.minimum(fringe + 0.010, y - 0.25)
    patch.paint(0.4 * patch.cover(edge_shadow), palette.shadowed_skin(faces, 0.8))
    shade = _texture(np.abs(x), y, faces) * (1.0 - 0.10 * triangle_wave(x * 13.0 + 0.25))
    patch.paint(patch.cover(fringe), palette.hair(faces), shade)


def stubble(patch: Patch, faces: Faces) -> None:
    """A five o'clock shadow: a grey, dotted tone over jaw, chin and upper lip."""
    x, y = np.abs(patch.x), patch.y
    top = 0.615 - 2.2 * x * x
    inside = np.minimum(face_distance(x, y, faces), y - top)
    tone = np.minimum(np.maximum(inside / 0.02, 0.0), 1.0)
    dots = 0.72 + 0.28 * triangle_wave(x * 32.0) * triangle_wave(y * 32.0)
    patch.paint(0.72 * tone * dots, palette.mix(palette.skin(faces), palette.rgb(36, 38, 50), 0.72))


def beard(patch: Patch, faces: Faces) -> None:
    """A full beard along jaw and chin, without a moustache."""
    x, y = np.abs(patch.x), patch.y
    inner = ellipse(x, y - 0.56, 0.165, 0.160)
    outer = face_distance(x, y, faces) + 0.020 + 0.004 * triangle_wave(x * 22.0)
    distance = np.minimum(np.minimum(outer, -inner), y - 0.47)
    shade = 1.0 + 0.16 * triangle_wave(x * 22.0 + y * 9.0)
    patch.paint(patch.cover(distance), palette.facial_hair(faces), shade)


def goatee(patch: Patch, faces: Faces) -> None:
    """A tuft on the chin, pointed below."""
    x, y = np.abs(patch.x), patch.y
    taper = 0.064 - 0.45 * np.maximum(y - 0.752, 0.0) - x
    tuft = np.minimum(band(y, 0.716 + 1.2 * x * x, 0.842 - 0.7 * x), taper)
    shade = 1.0 + 0.14 * triangle_wave(x * 26.0)
    patch.paint(patch.cover(tuft), palette.facial_hair(faces), shade)


def moustache(patch: Patch, faces: Faces) -> None:
    """A moustache between nose and mouth, its ends turned down."""
    x, y = np.abs(patch.x), patch.y
    u = bump(x / 0.115)
    top = 0.638 - 0.040 * u + 0.010 * np.maximum(1.0 - x / 0.02, 0.0)
    distance = band(y, top, 0.640 + 0.012 * u * (x > 0.012) + 0.020 * (1.0 - u))
    distance = np.minimum(distance, 0.112 - x)
    shade = 1.0 + 0.14 * triangle_wave(x * 26.0)
    patch.paint(patch.cover(distance), palette.facial_hair(faces), shade)


def sideburns(patch: Patch, faces: Faces) -> None:
    """Mutton chops: wedges of hair before the ears that widen towards the cheek."""
    x, y = np.abs(patch.x), patch.y
    edge = face_width(faces)
    inward = 0.030 + 0.24 * np.maximum(y - 0.36, 0.0)
    wedge = np.minimum(x - edge + inward, face_distance(x, y, faces) + 0.006)
    distance = np.minimum(wedge, band(y, 0.33, 0.575 - 0.35 * (edge - x)))
    shade = 1.0 + 0.14 * triangle_wave(y * 22.0 + x * 8.0)
    patch.paint(patch.cover(distance), palette.facial_hair(faces), shade)

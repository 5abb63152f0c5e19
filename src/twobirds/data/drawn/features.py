"""Eyes, brows, nose and mouth."""

from dataclasses import dataclass

import numpy as np

from twobirds.data.drawn import palette
from twobirds.data.drawn.canvas import Patch
from twobirds.data.drawn.people import Faces
from twobirds.data.drawn.shapes import band, bump, capsule, disk, ellipse, soft_disk

EYE_X, EYE_Y, NOSE_TIP_Y, MOUTH_X, MOUTH_Y = 0.115, 0.43, 0.57, 0.085, 0.665
_YAW = 0.012


def turned(x: np.ndarray, faces: Faces, depth: float = 1.0) -> np.ndarray:
    """Horizontal coordinate of a feature that the head's turn moves by `depth` times its yaw."""
    return x - depth * faces.nuisance("yaw", -_YAW, _YAW)


@dataclass(frozen=True)
class _Eyes:
    """Both eyes in one mirrored frame: `u` runs from -1 at the inner to 1 at the outer corner."""

    x: np.ndarray  # mirrored, 0 at the eye's centre
    side: np.ndarray  # -1 left, 1 right
    u: np.ndarray
    top: np.ndarray
    bottom: np.ndarray

    @classmethod
    def of(cls, patch: Patch, faces: Faces) -> "_Eyes":
        turned_x = turned(patch.x, faces)
        x = np.abs(turned_x) - faces.trait("eye_spacing", EYE_X - 0.006, EYE_X + 0.006)
        side = np.where(turned_x < 0, np.float32(-1), np.float32(1))
        size = faces.trait("eye_size", 0.92, 1.1)
        u = x / (0.058 * size)
        height = 0.036 * size * faces.nuisance("eye_open", 0.93, 1.05)
        height = height * (1.0 - 0.60 * faces.on("Narrow_Eyes"))
        middle = EYE_Y - u * faces.trait("eye_tilt", -0.003, 0.007)
        lid = bump(u)
        return cls(x, side, u, middle - height * lid, middle + 0.85 * height * lid)


def eyes(patch: Patch, faces: Faces) -> None:
    """Whites, irises, pupils with a glint, upper lids; lashes for women."""
    eye, male = _Eyes.of(patch, faces), faces.on("Male")
    opening = patch.cover(band(patch.y, eye.top, eye.bottom))
    patch.paint(opening, palette.rgb(250, 250, 250))
    gaze = eye.side * faces.nuisance("gaze", -0.012, 0.012)
    x, y = eye.x - gaze, patch.y - EYE_Y + 0.002
    patch.paint(opening * patch.cover(disk(x, y, 0.0285)), palette.iris(faces) * 0.55)
    patch.paint(opening * patch.cover(disk(x, y, 0.0235)), palette.iris(faces))
    patch.paint(opening * patch.cover(disk(x, y, 0.0125)), palette.rgb(12, 8, 10))
    glint = disk(x - 0.009 * eye.side, y + 0.009, 0.0075)
    patch.paint(opening * patch.cover(glint), palette.rgb(255, 255, 255))
    ink = palette.rgb(38, 20, 18)
    lid = band(patch.y, eye.top - 0.007 - 0.005 * (1.0 - male), eye.top + 0.003)
    lid = np.minimum(lid, 0.058 - np.abs(eye.x))
    patch.paint(patch.cover(lid), ink)
    lower = np.minimum(band(patch.y, eye.bottom - 0.001, eye.bottom + 0.004), 0.05 - np.abs(eye.x))
    patch.paint(0.5 * patch.cover(lower), ink)


def lashes(patch: Patch, faces: Faces) -> None:
    """Two lashes at the outer corner of each eye."""
    eye = _Eyes.of(patch, faces)
    y = patch.y - EYE_Y
    for start, end in (((0.050, -0.008), (0.074, -0.028)), ((0.038, -0.022), (0.054, -0.044))):
        lash = 0.0048 + capsule(eye.x, y, start, end)
        patch.paint(patch.cover(lash), palette.rgb(34, 18, 18))


def eye_shadow(patch: Patch, faces: Faces) -> None:
    """Heavy makeup: strong colour from lid to brow, and a black wing at the outer corner."""
    eye = _Eyes.of(patch, faces)
    u = bump((eye.x - 0.008) / 0.080)
    veil = patch.cover(band(patch.y, EYE_Y - 0.072 * u, EYE_Y + 0.020 * u))
    colour = palette.hue(faces.nuisance("shadow_hue", 0.48, 0.86), 0.78, 0.80)
    patch.paint(0.88 * veil, colour)
    wing = 0.009 + capsule(eye.x, patch.y - EYE_Y, (0.046, 0.0), (0.088, -0.026))
    patch.paint(patch.cover(wing), palette.rgb(18, 10, 16))


def eye_bags(patch: Patch, faces: Faces) -> None:
    """Bags under the eyes: dark, violet crescents with a crease below."""
    eye = _Eyes.of(patch, faces)
    u = bump(eye.x / 0.066)
    bag = patch.cover(band(patch.y, EYE_Y + 0.030 * u, EYE_Y + 0.062 * u))
    tone = palette.mix(palette.skin(faces), palette.rgb(92, 56, 104), 0.62)
    patch.paint(0.85 * bag, tone)
    crease = patch.cover(band(patch.y, EYE_Y + 0.058 * u, EYE_Y + 0.070 * u))
    patch.paint(0.8 * crease * (u > 0.1), palette.shadowed_skin(faces, 0.75))


def brows(patch: Patch, faces: Faces) -> None:
    """Brows: flat or arched, thin or bushy."""
    x = np.abs(turned(patch.x, faces)) - 0.118
    arched, bushy = faces.on("Arched_Eyebrows"), faces.on("Bushy_Eyebrows")
    u = x / 0.070
    height = faces.trait("brow_height", 0.352, 0.360) - faces.nuisance("brow_raise", 0.0, 0.006)
    tilt = faces.trait("brow_tilt", -0.004, 0.004) * u
    peak = bump(u - 0.22)  # the arch's highest point lies outside the middle
    middle = (
        height + tilt + 0.004 - 0.004 * peak + arched * (0.026 - 0.052 * np.maximum(peak, -0.15))
    )
    thickness = faces.trait("brow_thickness", 0.0075, 0.0100) + 0.0150 * bushy
    thickness = thickness * (1.0 - 0.45 * np.maximum(u, 0.0) * u)
    line = np.minimum(thickness - np.abs(patch.y - middle), 0.070 - np.abs(x))
    colour = palette.mix(palette.facial_hair(faces), palette.rgb(40, 26, 20), 0.45)
    patch.paint(patch.cover(line), colour)


def round_nose(patch: Patch, faces: Faces) -> None:
    """A rounded nose: a shaded bulb with nostrils and a soft bridge."""
    big = 1.0 + 0.90 * faces.on("Big_Nose")
    x = turned(patch.x, faces, 1.5)
    width = faces.trait("nose_width", 0.034, 0.039) * big
    tip = NOSE_TIP_Y + faces.trait("nose_length", -0.005, 0.005) - 0.014
    y = patch.y - tip
    bulb = np.maximum(
        ellipse(x, y, width * 0.72, 0.026 * big),
        ellipse(np.abs(x) - width * 0.62, y - 0.006, width * 0.40, 0.016 * big),
    )
    patch.paint(0.55 * patch.cover(bulb + 0.006), palette.shadowed_skin(faces, 0.65))
    patch.paint(patch.cover(bulb), palette.shadowed_skin(faces, 0.20))
    shine = soft_disk(x + 0.3 * width, y + 0.006, 0.5 * width, 0.016 * big)
    patch.paint(0.6 * shine, palette.rgb(255, 255, 255))
    nostril = ellipse(np.abs(x) - 0.48 * width, y - 0.018 * big, 0.26 * width, 0.0065 * big)
    patch.paint(patch.cover(nostril), palette.shadowed_skin(faces, 0.95))
    bridge = 0.006 + capsule(x, y, (0.4 * width, -0.10), (0.55 * width, -0.035))
    patch.paint(0.30 * patch.cover(bridge), palette.shadowed_skin(faces, 0.6))


def pointy_nose(patch: Patch, faces: Faces) -> None:
    """A pointed nose: a sharp wedge down to its tip, one side lit and the other in shadow."""
    big = faces.on("Big_Nose")
    x = turned(patch.x, faces, 1.5)
    width = faces.trait("nose_width", 0.036, 0.041) * (1.0 + 0.90 * big)
    tip = NOSE_TIP_Y + 0.026 + 0.012 * big + faces.trait("nose_length", -0.005, 0.005)
    down = (patch.y - 0.425) / (tip - 0.032 - 0.425)  # 0 at the bridge, 1 at the wings
    beneath = (tip - patch.y) / 0.032
    reach = width * np.minimum(0.14 + 0.86 * down * down, beneath)
    wedge = np.minimum(reach - np.abs(x), patch.y - 0.425)
    patch.paint(0.8 * patch.cover(wedge + 0.006), palette.shadowed_skin(faces, 0.75))
    lit = palette.mix(palette.skin(faces), palette.rgb(255, 255, 255), 0.45)
    patch.paint(patch.cover(wedge), lit)
    patch.paint(patch.cover(np.minimum(wedge, x - 0.002)), palette.shadowed_skin(faces, 0.42))


def mouth(patch: Patch, faces: Faces) -> None:
    """The mouth: lips, the gap with teeth in it where it is open, dimples where it smiles."""
    x, y = turned(patch.x, faces), patch.y
    smile, is_open = faces.on("Smiling"), faces.on("Mouth_Slightly_Open")
    big, painted = faces.on("Big_Lips"), faces.on("Wearing_Lipstick")
    width = faces.trait("mouth_width", 0.072, 0.080) + 0.034 * smile + 0.006 * big
    u = x / width
    lid = bump(u)
    level = MOUTH_Y + faces.trait("mouth_height", -0.004, 0.004)
    bend = faces.nuisance("mouth_curve", -0.008, 0.004) + 0.058 * smile
    middle = level + smile * 0.018 - bend * u * u  # corners go up by `bend`
    gap = is_open * faces.nuisance("mouth_gap", 0.021, 0.026) * lid
    balance = faces.trait("lip_balance", -0.002, 0.002)
    dip = 1.0 - 0.35 * np.maximum(1.0 - 4.0 * np.abs(u), 0.0)  # Cupid's bow
    upper = middle - gap - (0.0160 + 0.0235 * big + balance) * lid * dip
    lower = middle + gap + (0.0205 + 0.0275 * big - balance) * lid
    natural = palette.mix(palette.skin(faces), palette.rgb(138, 66, 54), 0.52 + 0.20 * big)
    stick = palette.hue(faces.nuisance("lipstick_hue", 0.88, 1.0), 0.95, 0.88)
    shape = band(y, upper, lower)
    outline = palette.shadowed_skin(faces, 0.85)
    patch.paint((0.35 + 0.45 * big) * patch.cover(shape + 0.006), outline)
    lips = patch.cover(shape)
    patch.paint(lips, palette.mix(natural, stick, painted))
    shine = soft_disk(x, y - middle - gap - 0.011 - 0.008 * big, 0.04, 0.008 + 0.004 * big)
    patch.paint(0.35 * shine * lips, palette.rgb(255, 235, 235))
    _inside(patch, band(y, middle - gap, middle + gap), y - middle + gap * 0.2, is_open)
    line = np.minimum(0.0058 - np.abs(y - middle), width - np.abs(x))
    patch.paint(0.85 * patch.cover(line) * (1.0 - is_open), palette.rgb(70, 22, 24))
    dimple = 0.0055 + capsule(np.abs(x) - width, y - level, (0.008, -0.036), (0.017, -0.012))
    patch.paint(0.65 * smile * patch.cover(dimple), palette.shadowed_skin(faces, 0.7))


def _inside(patch: Patch, gap: np.ndarray, below: np.ndarray, is_open: np.ndarray) -> None:
    """The open mouth: dark, with the upper teeth."""
    opening = patch.cover(gap) * is_open
    patch.paint(opening, palette.rgb(64, 12, 18))
    patch.paint(opening * patch.cover(-below), palette.rgb(252, 250, 244))

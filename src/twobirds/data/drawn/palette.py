"""Colours of skin, hair, eyes and clothes, `[3, B, 1, 1]` float32 in [0, 1]."""

from collections.abc import Sequence

import numpy as np

from twobirds.data.drawn.people import Faces
from twobirds.data.drawn.shapes import Number

Stops = Sequence[tuple[int, int, int]]

_SKIN: Stops = ((240, 194, 158), (224, 170, 128), (198, 138, 96), (164, 106, 70), (122, 78, 54))
_IRIS: Stops = ((70, 44, 28), (112, 74, 36), (96, 120, 60), (70, 130, 130), (66, 112, 176))
_OTHER_HAIR: Stops = ((150, 34, 24), (206, 84, 26))
_BALD_BROWS: Stops = ((30, 22, 20), (130, 84, 50))
_HAIR: dict[str, Stops] = {
    "Black_Hair": ((22, 20, 26), (40, 36, 46)),
    "Blond_Hair": ((226, 184, 84), (246, 218, 136)),
    "Brown_Hair": ((84, 50, 26), (118, 74, 40)),
    "Gray_Hair": ((150, 154, 162), (196, 198, 204)),
}


def rgb(red: int, green: int, blue: int) -> np.ndarray:
    """One colour for every face, from 8-bit values."""
    values = np.array([red, green, blue], dtype=np.float32)
    return np.asarray(values[:, None, None, None] / 255.0)


def mix(first: np.ndarray, second: np.ndarray, share: Number) -> np.ndarray:
    """`share` of the second colour, the rest of the first."""
    return np.asarray(first + share * (second - first))


def gradient(stops: Stops, position: np.ndarray) -> np.ndarray:
    """Colour at `position` in [0, 1] between equally spaced stops."""
    last = len(stops) - 1
    colour = np.zeros((3, *position.shape), dtype=np.float32)
    for k, stop in enumerate(stops):
        colour += rgb(*stop) * np.maximum(1.0 - np.abs(position * float(last) - float(k)), 0.0)
    return colour


def hue(position: np.ndarray, saturation: Number, value: Number) -> np.ndarray:
    """Colour from hue, saturation and value, all in [0, 1]."""
    channels = []
    for offset in (0.0, 4.0, 2.0):
        turn = position * 6.0 + offset
        turn = turn - 6.0 * np.floor(turn / 6.0)
        full = np.minimum(np.maximum(np.abs(turn - 3.0) - 1.0, 0.0), 1.0)
        channels.append(value * (1.0 - saturation * (1.0 - full)))
    return np.stack(channels)


def skin(faces: Faces) -> np.ndarray:
    """Skin: five tones and what lies between; pale skin is lighter than any of them."""
    tone = gradient(_SKIN, faces.trait("skin_tone"))
    tone = tone * (1.0 + (rgb(255, 244, 232) - 1.0) * faces.trait("skin_warmth", -0.5, 1.0))
    pale = mix(rgb(252, 240, 236), tone, 0.10)
    return mix(tone, pale, faces.on("Pale_Skin"))


def shadowed_skin(faces: Faces, depth: Number) -> np.ndarray:
    """Skin in shadow: `depth` of the way to a warm dark brown."""
    return mix(skin(faces), rgb(86, 38, 32), depth)


def hair(faces: Faces) -> np.ndarray:
    """Hair: one of the four named colours, or red where none of them holds."""
    shade = faces.trait("hair_shade")
    colour = gradient(_OTHER_HAIR, faces.trait("hair_hue"))
    for name, stops in _HAIR.items():
        colour = mix(colour, gradient(stops, shade), faces.on(name))
    return colour


def facial_hair(faces: Faces) -> np.ndarray:
    """Brows and beards: the hair's colour, darker; brown on a bald head."""
    colour = mix(hair(faces), gradient(_BALD_BROWS, faces.trait("hair_hue")), faces.on("Bald"))
    return mix(colour, rgb(40, 26, 20), 0.35)


def iris(faces: Faces) -> np.ndarray:
    """Eyes from dark brown over hazel and green to blue."""
    shade = faces.trait("eye_shade", 0.85, 1.15)
    return np.asarray(gradient(_IRIS, faces.trait("eye_colour")) * shade)

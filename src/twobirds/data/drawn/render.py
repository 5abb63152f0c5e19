"""From faces to pixels: the order of the layers, light and blur."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import features, hair, head, worn
from twobirds.data.drawn.canvas import Box, Canvas, Patch, blank_canvas, on_image
from twobirds.data.drawn.people import Faces, sample_faces
from twobirds.data.drawn.rates import DRAWN_ATTRIBUTES
from twobirds.errors import InputError

LANDMARKS: tuple[tuple[float, float], ...] = tuple(
    on_image(0.5 + x, y)
    for x, y in (
        (-features.EYE_X, features.EYE_Y),
        (features.EYE_X, features.EYE_Y),
        (0.0, features.NOSE_TIP_Y),
        (-features.MOUTH_X, features.MOUTH_Y),
        (features.MOUTH_X, features.MOUTH_Y),
    )
)
"""Eyes, nose tip and mouth corners (x, y) of the unposed face, as fractions of the image."""

SIZES = (32, 64, 128)
_BATCH = {32: 64, 64: 32, 128: 8}  # faces rendered at once: what the processor's cache holds

Condition = Callable[[Faces], np.ndarray]
Layer = tuple[Callable[[Patch, Faces], None], Box, Condition | None]


def _if(name: str) -> Condition:
    return lambda faces: faces.has(name)


def _haired(faces: Faces) -> np.ndarray:
    return np.asarray(~faces.has("Bald"))


def _long_haired(faces: Faces) -> np.ndarray:
    return np.asarray(_haired(faces) & ~faces.has("Male"))


def _bearded(faces: Faces) -> np.ndarray:
    part = faces.has("Goatee") | faces.has("Mustache") | faces.has("5_o_Clock_Shadow")
    return np.asarray(~faces.has("No_Beard") & ~part)


_EVERYWHERE: Box = (0.0, 0.0, 1.0, 1.0)
_EYES: Box = (0.28, 0.32, 0.72, 0.52)

_LAYERS: tuple[Layer, ...] = (
    (head.backdrop, _EVERYWHERE, None),
    (head.clothes, (0.0, 0.82, 1.0, 1.0), None),
    (hair.hair_behind, (0.06, 0.0, 0.94, 1.0), _haired),
    (head.neck, (0.30, 0.60, 0.70, 1.0), None),
    (head.double_chin, (0.29, 0.67, 0.71, 0.88), _if("Double_Chin")),
    (head.ears, (0.18, 0.38, 0.82, 0.53), lambda faces: ~_long_haired(faces)),
    (head.face, (0.22, 0.10, 0.78, 0.82), None),
    (head.scalp, (0.33, 0.14, 0.55, 0.26), _if("Bald")),
    (head.complexion, (0.28, 0.45, 0.72, 0.65), None),
    (head.cheeks, (0.23, 0.45, 0.77, 0.67), _if("High_Cheekbones")),
    (head.blush, (0.28, 0.48, 0.72, 0.64), _if("Rosy_Cheeks")),
    (hair.stubble, (0.24, 0.48, 0.76, 0.82), _if("5_o_Clock_Shadow")),
    (hair.beard, (0.22, 0.46, 0.78, 0.84), _bearded),
    (hair.sideburns, (0.23, 0.32, 0.77, 0.58), _if("Sideburns")),
    (head.wrinkles, (0.28, 0.25, 0.72, 0.70), lambda faces: ~faces.has("Young")),
    (features.eye_bags, _EYES, _if("Bags_Under_Eyes")),
    (features.eye_shadow, _EYES, _if("Heavy_Makeup")),
    (features.eyes, _EYES, None),
    (features.lashes, _EYES, lambda faces: ~faces.has("Male")),
    (features.brows, (0.30, 0.31, 0.70, 0.40), None),
    (features.round_nose, (0.42, 0.42, 0.58, 0.63), lambda faces: ~faces.has("Pointy_Nose")),
    (features.pointy_nose, (0.41, 0.41, 0.59, 0.63), _if("Pointy_Nose")),
    (hair.moustache, (0.37, 0.58, 0.63, 0.68), _if("Mustache")),
    (hair.goatee, (0.42, 0.70, 0.58, 0.85), _if("Goatee")),
    (features.mouth, (0.36, 0.60, 0.64, 0.75), None),
    (hair.hair_in_front, (0.12, 0.0, 0.88, 0.50), _haired),
    (hair.bangs, (0.22, 0.10, 0.78, 0.36), _if("Bangs")),
    (hair.locks, (0.06, 0.34, 0.94, 1.0), _long_haired),
    (worn.necktie, (0.33, 0.84, 0.67, 1.0), _if("Wearing_Necktie")),
    (worn.necklace, (0.34, 0.83, 0.66, 0.96), _if("Wearing_Necklace")),
    (worn.glasses, (0.24, 0.33, 0.76, 0.53), _if("Eyeglasses")),
    (worn.hat, (0.16, 0.0, 0.84, 0.24), _if("Wearing_Hat")),
    (worn.earrings, (0.18, 0.50, 0.82, 0.64), _if("Wearing_Earrings")),
)
"""Bottom to top: what renders it, where at most, and for which faces (None: all)."""


def render(faces: Faces, size: int) -> np.ndarray:
    """Render faces.

    Args:
        faces: B faces.
        size: Height and width in pixels: 32, 64 or 128.

    Returns:
        `[B, size, size, 3]` uint8 RGB, the same bytes on every machine.

    Raises:
        InputError: If the size is another.
    """
    if size not in SIZES:
        raise InputError(f"drawn faces come in sizes 32, 64 and 128, not {size}")
    images = np.empty((len(faces), size, size, 3), dtype=np.uint8)
    step = _BATCH[size]
    for start in range(0, len(faces), step):
        images[start : start + step] = _render_batch(faces.take(slice(start, start + step)), size)
    return images


def _render_batch(faces: Faces, size: int) -> np.ndarray:
    canvas = blank_canvas(faces, size)
    for paint, box, condition in _LAYERS:
        rows = None if condition is None else np.flatnonzero(condition(faces))
        if rows is None or len(rows) == len(faces):
            paint(canvas.patch(box, None), faces)
        elif len(rows):
            patch = canvas.patch(box, rows)
            paint(patch, faces.take(rows))
            canvas.put(patch, box, rows)
    _light(canvas, faces)
    blurry = np.flatnonzero(faces.has("Blurry"))
    if len(blurry):
        canvas.rgb[:, blurry] = _blur(canvas.rgb[:, blurry])
    pixels = np.minimum(np.maximum(canvas.rgb, 0.0), 1.0) * 255.0 + 0.5
    return np.asarray(pixels.astype(np.uint8).transpose(1, 2, 3, 0))


def _light(canvas: Canvas, faces: Faces) -> None:
    """Light from a side, its strength and its warmth."""
    slope_x = faces.nuisance("light_x", -0.22, 0.22)
    slope_y = faces.nuisance("light_y", -0.12, 0.04)
    shade = faces.nuisance("exposure", 0.90, 1.05) + slope_x * canvas.x
    shade += slope_y * (canvas.y - 0.5)
    warmth = faces.nuisance("warmth", -0.04, 0.04)
    for k, tint in enumerate((1.0, 0.0, -1.0)):
        canvas.rgb[k] *= shade * (1.0 + tint * warmth)


def _blur(rgb: np.ndarray) -> np.ndarray:
    """Blur by about 0.022 of the width: binomial filters of growing step, edges repeated.

    A filter [1, 2, 1] / 4 of step s has the variance s^2 / 2.
    """
    steps = {32: (1,), 64: (1, 1, 1, 1), 128: (1, 1, 1, 2, 2, 2)}[rgb.shape[-1]]
    for step in steps:
        for axis in (2, 3):
            padding = [(0, 0)] * 4
            padding[axis] = (step, step)
            wide = np.moveaxis(np.pad(rgb, padding, mode="edge"), axis, 0)
            size = rgb.shape[axis]
            middle = wide[step : step + size]
            blurred = 0.5 * middle + 0.25 * (wide[:size] + wide[2 * step :])
            rgb = np.moveaxis(blurred, 0, axis)
    return rgb


def counterfactuals(
    seed: int,
    indices: Sequence[int] | np.ndarray,
    attributes: np.ndarray,
    size: int,
    *,
    independent: bool = False,
) -> np.ndarray:
    """Render faces of a collection again with other attributes: the true answers to edits.

    Args:
        seed: Seed of the collection.
        indices: Numbers of the B faces.
        attributes: `[B, K]` 0/1, columns as `DRAWN_ATTRIBUTES`, conflicts resolved.
        size: Height and width in pixels.
        independent: As the collection was sampled; has no effect where `attributes` say it all.

    Returns:
        `[B, size, size, 3]` uint8.

    Raises:
        InputError: If attributes, size, seed or indices are out of range.
    """
    faces = sample_faces(seed, indices, independent=independent)
    return render(faces.with_attributes(attributes), size)


def attribute_visibility(
    names: Iterable[str], size: int = 64, seed: int = 0, *, num_faces: int = 64
) -> dict[str, float]:
    """How much of a picture each attribute changes: the rule for "the most visible attributes".

    Args:
        names: Attributes to measure.
        size: Height and width in pixels.
        seed: Seed of the faces compared.
        num_faces: How many faces are rendered with and without each attribute.

    Returns:
        For each name the mean absolute difference in grey levels (0 to 255), over all pixels and
        channels, between faces with the attribute and the same faces without it.

    Raises:
        InputError: If a name is not a drawn attribute.
    """
    faces = sample_faces(seed, range(num_faces))
    visibility = {}
    for name in names:
        if name not in DRAWN_ATTRIBUTES:
            raise InputError(f"{name} is not a drawn attribute")
        pair = []
        for value in (1, 0):
            attributes = faces.attributes.copy()
            attributes[:, DRAWN_ATTRIBUTES.index(name)] = value
            attributes = resolve_conflicts(attributes, DRAWN_ATTRIBUTES, [name])
            pair.append(render(faces.with_attributes(attributes), size).astype(np.float64))
        visibility[name] = float(np.abs(pair[0] - pair[1]).mean())
    return visibility

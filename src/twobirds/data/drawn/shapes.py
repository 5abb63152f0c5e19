"""Antialiased shapes as signed distances, from exactly rounded operations only.

Every function here uses +, -, *, /, sqrt, comparisons, floor, min and max: IEEE 754 fixes their
results to the last bit, so a picture has the same bytes on every machine. Distances are positive
inside, in fractions of the image width; arrays are float32 `[B, h, w]`, parameters broadcast.
"""

import numpy as np

Number = float | np.ndarray
_TINY = 1e-6


def ellipse(x: np.ndarray, y: np.ndarray, radius_x: Number, radius_y: Number) -> np.ndarray:
    """Distance into an axis-parallel ellipse about the origin, exact on its edge to first order."""
    u, v = x / radius_x, y / radius_y
    value = u * u + v * v
    u, v = u / radius_x, v / radius_y
    return np.asarray((1.0 - value) / (2.0 * np.sqrt(u * u + v * v) + _TINY))


def disk(x: np.ndarray, y: np.ndarray, radius: Number) -> np.ndarray:
    """Distance into a disk about the origin."""
    return np.asarray(radius - np.sqrt(x * x + y * y))


def capsule(
    x: np.ndarray, y: np.ndarray, start: tuple[Number, Number], end: tuple[Number, Number]
) -> np.ndarray:
    """Negated distance to a segment: add half the stroke's width to get a line with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    x, y = x - start[0], y - start[1]
    along = (x * dx + y * dy) / (dx * dx + dy * dy)
    along = np.minimum(np.maximum(along, 0.0), 1.0)
    x, y = x - along * dx, y - along * dy
    return np.asarray(-np.sqrt(x * x + y * y))


def band(y: np.ndarray, top: Number, bottom: Number) -> np.ndarray:
    """Distance into the strip between two curves `top(x)` and `bottom(x)`, measured vertically."""
    return np.minimum(y - top, bottom - y)


def bump(u: np.ndarray) -> np.ndarray:
    """The parabola `1 - u^2`: the profile of lids, lips and brows, zero at u = -1 and 1."""
    return np.asarray(1.0 - u * u)


def triangle_wave(t: np.ndarray) -> np.ndarray:
    """Triangle wave of period 1 in [-1, 1]."""
    return np.asarray(4.0 * np.abs(t - np.floor(t) - 0.5) - 1.0)


def wave(t: np.ndarray) -> np.ndarray:
    """A smooth wave of period 1 in [-1, 1]: a cubic through the triangle wave, close to cosine."""
    corner = triangle_wave(t)
    return np.asarray(corner * (1.5 - 0.5 * corner * corner))


def soft_disk(x: np.ndarray, y: np.ndarray, radius_x: Number, radius_y: Number) -> np.ndarray:
    """Coverage in [0, 1] of a blurred ellipse: `(1 - r^2)^2` inside, 0 outside."""
    u, v = x / radius_x, y / radius_y
    inside = np.maximum(1.0 - u * u - v * v, 0.0)
    return np.asarray(inside * inside)

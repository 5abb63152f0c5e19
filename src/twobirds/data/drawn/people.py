"""People to render: who they are, what they look like today, and how the photo was taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twobirds.data.drawn.rates import DRAWN_ATTRIBUTES, PERSONAL, sample_attributes
from twobirds.errors import InputError

PHOTOS_PER_PERSON = 8
"""Faces 0 to 7 show one person, 8 to 15 the next, and so on."""

TRAITS: tuple[str, ...] = (
    "skin_tone", "skin_warmth", "face_width", "face_length", "jaw", "taper", "ear_size",
    "eye_size", "eye_spacing", "eye_colour", "eye_shade", "eye_tilt", "brow_height",
    "brow_tilt", "brow_thickness", "nose_length", "nose_width", "mouth_width", "mouth_height",
    "lip_balance", "hair_shade", "hair_hue", "hair_volume", "hair_part", "hair_length",
    "hairline", "wave_phase", "freckles", "mole", "mole_x", "mole_y",
)  # fmt: skip
"""What makes a person: each a uniform number in [0, 1) that attributes do not touch."""

NUISANCES: tuple[str, ...] = (
    "shift_x", "shift_y", "scale", "tilt", "yaw", "light_x", "light_y", "exposure", "warmth",
    "backdrop_hue", "backdrop_tone", "backdrop_glow", "gaze", "brow_raise", "eye_open",
    "mouth_curve", "mouth_gap", "clothes_hue", "clothes_tone", "hat_hue", "frame_tone",
    "frame_shape", "lipstick_hue", "shadow_hue", "jewel", "tie_hue",
)  # fmt: skip
"""What differs between two photos of a person: pose, light, backdrop, expression, clothes."""

_TRAIT_COLUMN = {name: k for k, name in enumerate(TRAITS)}
_NUISANCE_COLUMN = {name: k for k, name in enumerate(NUISANCES)}
_ATTRIBUTE_COLUMN = {name: k for k, name in enumerate(DRAWN_ATTRIBUTES)}
_IS_PERSONAL = np.array([name in PERSONAL for name in DRAWN_ATTRIBUTES])


@dataclass(frozen=True)
class Faces:
    """A batch of faces, complete enough to be rendered.

    Attributes:
        identity: `[B]` int64, the person's number.
        attributes: `[B, K]` uint8, 0/1, a column for each of `DRAWN_ATTRIBUTES`.
        traits: `[B, len(TRAITS)]` float32 in [0, 1].
        nuisances: `[B, len(NUISANCES)]` float32 in [0, 1].
    """

    identity: np.ndarray
    attributes: np.ndarray
    traits: np.ndarray
    nuisances: np.ndarray

    def __len__(self) -> int:
        return len(self.identity)

    def has(self, name: str) -> np.ndarray:
        """Attribute `name` as `[B]` bool."""
        return np.asarray(self.attributes[:, _ATTRIBUTE_COLUMN[name]] == 1)

    def on(self, name: str) -> np.ndarray:
        """Attribute `name` as `[B, 1, 1]` float32, 0 or 1."""
        column = self.attributes[:, _ATTRIBUTE_COLUMN[name]]
        return column.astype(np.float32)[:, None, None]

    def trait(self, name: str, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """A trait, spread over [low, high], as `[B, 1, 1]` float32."""
        return low + self.traits[:, _TRAIT_COLUMN[name], None, None] * (high - low)

    def nuisance(self, name: str, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """A nuisance, spread over [low, high], as `[B, 1, 1]` float32."""
        return low + self.nuisances[:, _NUISANCE_COLUMN[name], None, None] * (high - low)

    def take(self, rows: np.ndarray | slice) -> "Faces":
        """The faces at these rows."""
        return Faces(
            self.identity[rows], self.attributes[rows], self.traits[rows], self.nuisances[rows]
        )

    def with_attributes(self, attributes: np.ndarray) -> "Faces":
        """The same people in the same photos with other attributes.

        Args:
            attributes: `[B, K]` 0/1, columns as `DRAWN_ATTRIBUTES`, already without conflicts
                (`twobirds.data.attributes.resolve_conflicts`).

        Raises:
            InputError: If the shape is another, or a value is neither 0 nor 1.
        """
        if attributes.shape != self.attributes.shape:
            raise InputError(
                f"attributes of these drawn faces must have shape {self.attributes.shape}, "
                f"not {attributes.shape}"
            )
        if not np.isin(attributes, (0, 1)).all():
            raise InputError("attributes of drawn faces must be 0 or 1")
        return replace(self, attributes=attributes.astype(np.uint8))


def sample_faces(
    seed: int, indices: Sequence[int] | np.ndarray, *, independent: bool = False
) -> Faces:
    """Faces `indices` of the endless collection that `seed` names.

    Args:
        seed: Seed in [0, 2^63).
        indices: Numbers of the faces, each in [0, 2^62); any order, repeats allowed.
        independent: Sample attributes independently of each other instead of as in life;
            contradictions are still avoided.

    Raises:
        InputError: If a seed or an index is out of range.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"seed must lie in [0, 2^63), not {seed}")
    index = np.asarray(indices, dtype=np.int64).reshape(-1)
    if index.size and not 0 <= index.min() <= index.max() < 2**62:
        raise InputError("indices of drawn faces must lie in [0, 2^62)")
    identity = index // PHOTOS_PER_PERSON
    people, row = np.unique(identity, return_inverse=True)
    num_attributes = len(DRAWN_ATTRIBUTES)
    person = _uniform(seed, 2 * people, len(TRAITS) + num_attributes)[row]
    photo = _uniform(seed, 2 * index + 1, len(NUISANCES) + num_attributes)
    choice = np.where(_IS_PERSONAL, person[:, -num_attributes:], photo[:, -num_attributes:])
    return Faces(
        identity=identity,
        attributes=sample_attributes(choice, independent=independent),
        traits=person[:, :-num_attributes].astype(np.float32),
        nuisances=photo[:, :-num_attributes].astype(np.float32),
    )


def _uniform(seed: int, counters: np.ndarray, count: int) -> np.ndarray:
    """`[len(counters), count]` uniform numbers in [0, 1), a row for each (seed, counter)."""
    rows = np.empty((len(counters), count))
    for row, counter in zip(rows, counters, strict=True):
        key = np.array([seed, counter], dtype=np.uint64)
        row[:] = np.random.Generator(np.random.Philox(key=key)).random(count)
    return rows

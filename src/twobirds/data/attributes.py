"""The 40 attributes of CelebA: names, groups for people, and which exclude each other."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from twobirds.errors import InputError

CELEBA_ATTRIBUTES: tuple[str, ...] = tuple(
    """5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips
    Big_Nose Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin
    Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open
    Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline
    Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat
    Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young""".split()
)
"""Names in the order of CelebA's list."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Hair": (
        "Bald", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair",
        "Receding_Hairline", "Straight_Hair", "Wavy_Hair",
    ),
    "Beard": ("5_o_Clock_Shadow", "Goatee", "Mustache", "No_Beard", "Sideburns"),
    "Eyes and brows": (
        "Arched_Eyebrows", "Bags_Under_Eyes", "Bushy_Eyebrows", "Narrow_Eyes",
    ),
    "Mouth and nose": ("Big_Lips", "Big_Nose", "Mouth_Slightly_Open", "Pointy_Nose", "Smiling"),
    "Face": (
        "Chubby", "Double_Chin", "High_Cheekbones", "Oval_Face", "Pale_Skin", "Rosy_Cheeks",
    ),
    "Worn": (
        "Eyeglasses", "Heavy_Makeup", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick",
        "Wearing_Necklace", "Wearing_Necktie",
    ),
    "Impression": ("Attractive", "Blurry", "Male", "Young"),
}  # fmt: skip
"""Attributes as a person would look for them."""

EDITED_BY_ATTGAN: tuple[str, ...] = (
    "Bald", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair", "Bushy_Eyebrows", "Eyeglasses",
    "Male", "Mouth_Slightly_Open", "Mustache", "No_Beard", "Pale_Skin", "Young",
)  # fmt: skip
"""The thirteen that AttGAN and STGAN edit and are compared by (He et al., 2019)."""

_HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
EXCLUSIVE: tuple[frozenset[str], ...] = (
    frozenset(_HAIR_COLOURS),
    frozenset({"Straight_Hair", "Wavy_Hair"}),
    *(frozenset({"Bald", hair}) for hair in (*_HAIR_COLOURS, "Straight_Hair", "Wavy_Hair")),
    *(frozenset({"Bald", hair}) for hair in ("Bangs", "Receding_Hairline")),
    *(frozenset({"No_Beard", beard}) for beard in ("5_o_Clock_Shadow", "Goatee", "Mustache")),
)
"""Sets of attributes of which at most one can hold at a time."""


class Degree(float):
    """A target in (0, 1) that a face may exceed: less makeup (0.25) never adds any.

    Below a half it takes away, above a half it adds; a face that is on its side of a half already
    stays as it is.
    """


def is_there(target: float, probability: float) -> bool:
    """Whether a face has what is asked for, so that no edit changes it.

    Args:
        target: In [0, 1].
        probability: In [0, 1], of the attribute, as predicted.
    """
    has = probability > 0.5
    return (target > 0.5) == has if isinstance(target, Degree) else target == float(has)


def excluded_by(name: str) -> frozenset[str]:
    """Attributes that cannot hold together with attribute `name`."""
    return frozenset().union(*(group for group in EXCLUSIVE if name in group)) - {name}


def contradictions(values: Mapping[str, float]) -> list[tuple[str, str]]:
    """Pairs of attributes that are both set, to more than a half, and exclude each other."""
    wanted = {name for name, value in values.items() if value > 0.5}
    return [(a, b) for a in sorted(wanted) for b in sorted(wanted & excluded_by(a)) if a < b]


def require_consistent(values: Mapping[str, float]) -> None:
    """Refuse values that no face has together.

    Raises:
        InputError: If two attributes that exclude each other are set.
    """
    for one, other in contradictions(values):
        raise InputError(
            f"{one}={values[one]:g} and {other}={values[other]:g} exclude each other, so that no "
            "face has both: leave out one of them"
        )


def overruled(values: Mapping[str, float], later: Mapping[str, float]) -> dict[str, float]:
    """Values with later ones, which take precedence: what those exclude is left out."""
    excluded = _excluded(later)
    return {name: value for name, value in values.items() if name not in excluded} | dict(later)


def overruled_names(values: Mapping[str, float], later: Mapping[str, float]) -> list[str]:
    """Attributes to which later values give another value, or which these exclude if set."""
    excluded = _excluded(later)
    return [
        name
        for name, value in values.items()
        if (later[name] != value if name in later else value > 0.5 and name in excluded)
    ]


def _excluded(values: Mapping[str, float]) -> set[str]:
    """Attributes that those exclude which are set."""
    return {other for name, value in values.items() if value > 0.5 for other in excluded_by(name)}


def exclusion_matrix(names: Sequence[str]) -> np.ndarray:
    """Which attributes exclude which, `[K, K]` bool, symmetric, False on the diagonal.

    Args:
        names: The K attribute names.
    """
    return np.array([[other in excluded_by(name) for other in names] for name in names], dtype=bool)


def resolve_conflicts(
    attributes: np.ndarray, names: Sequence[str], changed: Iterable[str]
) -> np.ndarray:
    """Switch off what contradicts the attributes that were just switched on.

    A face made blond stops being black-haired; a face made bald has no bangs. Attributes named in
    `changed` are never touched.

    Args:
        attributes: `[B, K]`, 0/1 or anything between; not modified.
        names: The K attribute names.
        changed: Names that were set on purpose.

    Returns:
        `[B, K]`, a copy with the contradicting entries set to 0.
    """
    resolved = attributes.copy()
    changed = list(changed)
    for name in changed:
        is_on = resolved[:, names.index(name)] > 0.5
        for other in excluded_by(name).intersection(names) - set(changed):
            column = names.index(other)
            resolved[is_on, column] = 0
    return resolved


def unknown_attribute(name: str, names: Sequence[str]) -> str:
    """One sentence for an attribute that is not there, with the nearest that is."""
    by_lower = {known.lower(): known for known in names}
    nearest = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    hint = f"did you mean {by_lower[nearest[0]]}?" if nearest else f"it has {', '.join(names)}"
    return f"the model knows no attribute {name!r}: {hint}"

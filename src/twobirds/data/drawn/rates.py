"""Which attributes a drawn person has: rates by sex and age, and the repair of conflicts."""

import numpy as np

from twobirds.data.attributes import CELEBA_ATTRIBUTES, EXCLUSIVE

DRAWN_ATTRIBUTES: tuple[str, ...] = tuple(n for n in CELEBA_ATTRIBUTES if n != "Attractive")
"""CelebA's names without Attractive: it is an opinion, and no picture of it would be a truth."""

PERSONAL = frozenset({
    "Male", "Young", "Bald", "Receding_Hairline", "Black_Hair", "Blond_Hair", "Brown_Hair",
    "Gray_Hair", "Straight_Hair", "Wavy_Hair", "Arched_Eyebrows", "Big_Lips", "Big_Nose",
    "Bushy_Eyebrows", "Chubby", "Double_Chin", "High_Cheekbones", "Narrow_Eyes", "Oval_Face",
    "Pale_Skin", "Pointy_Nose",
})  # fmt: skip
"""Attributes that all photos of a person share; the others are sampled anew for each photo."""

# Probability of each attribute for (young woman, young man, older woman, older man), and when
# sampled independently. Earlier rows win where two exclude each other.
_RATES: dict[str, tuple[float, float, float, float, float]] = {
    "Male": (0.45, 0.45, 0.45, 0.45, 0.50),
    "Young": (0.65, 0.65, 0.65, 0.65, 0.60),
    "Bald": (0.02, 0.16, 0.02, 0.34, 0.14),
    "Receding_Hairline": (0.04, 0.26, 0.10, 0.50, 0.28),
    "Wearing_Hat": (0.14, 0.16, 0.12, 0.18, 0.22),
    "Gray_Hair": (0.05, 0.05, 0.50, 0.55, 0.22),
    "Black_Hair": (0.27, 0.30, 0.27, 0.30, 0.28),
    "Blond_Hair": (0.43, 0.28, 0.40, 0.25, 0.38),
    "Brown_Hair": (0.60, 0.70, 0.60, 0.70, 0.55),
    "Wavy_Hair": (0.40, 0.28, 0.40, 0.30, 0.38),
    "Straight_Hair": (0.55, 0.50, 0.45, 0.45, 0.50),
    "Bangs": (0.36, 0.22, 0.30, 0.12, 0.35),
    "No_Beard": (1.00, 0.42, 1.00, 0.35, 0.45),
    "5_o_Clock_Shadow": (0.00, 0.42, 0.00, 0.38, 0.35),
    "Goatee": (0.00, 0.40, 0.00, 0.40, 0.35),
    "Mustache": (0.00, 0.38, 0.00, 0.48, 0.35),
    "Sideburns": (0.00, 0.32, 0.00, 0.32, 0.30),
    "Arched_Eyebrows": (0.50, 0.12, 0.40, 0.12, 0.35),
    "Bags_Under_Eyes": (0.12, 0.20, 0.35, 0.45, 0.30),
    "Big_Lips": (0.32, 0.20, 0.25, 0.18, 0.30),
    "Big_Nose": (0.15, 0.32, 0.22, 0.42, 0.30),
    "Blurry": (0.10, 0.10, 0.10, 0.10, 0.10),
    "Bushy_Eyebrows": (0.10, 0.38, 0.08, 0.38, 0.30),
    "Chubby": (0.12, 0.18, 0.22, 0.30, 0.28),
    "Double_Chin": (0.04, 0.06, 0.14, 0.18, 0.28),
    "Eyeglasses": (0.14, 0.18, 0.26, 0.30, 0.28),
    "Heavy_Makeup": (0.50, 0.00, 0.38, 0.00, 0.30),
    "High_Cheekbones": (0.42, 0.25, 0.35, 0.25, 0.35),
    "Smiling": (0.54, 0.45, 0.52, 0.45, 0.50),
    "Mouth_Slightly_Open": (0.36, 0.32, 0.32, 0.30, 0.42),
    "Narrow_Eyes": (0.14, 0.18, 0.18, 0.22, 0.28),
    "Oval_Face": (0.38, 0.24, 0.30, 0.20, 0.35),
    "Pale_Skin": (0.18, 0.12, 0.14, 0.12, 0.22),
    "Pointy_Nose": (0.34, 0.24, 0.32, 0.24, 0.35),
    "Rosy_Cheeks": (0.32, 0.06, 0.26, 0.08, 0.28),
    "Wearing_Earrings": (0.42, 0.04, 0.42, 0.03, 0.30),
    "Wearing_Lipstick": (0.52, 0.00, 0.46, 0.00, 0.35),
    "Wearing_Necklace": (0.38, 0.05, 0.38, 0.03, 0.30),
    "Wearing_Necktie": (0.01, 0.32, 0.01, 0.40, 0.28),
}

# Added to the rate of the first attribute where the second holds.
_BOOSTS = (
    ("Double_Chin", "Chubby", 0.30),
    ("Mouth_Slightly_Open", "Smiling", 0.22),
    ("Wearing_Lipstick", "Heavy_Makeup", 0.35),
    ("High_Cheekbones", "Smiling", 0.12),
)

# What a picture could not show together, beyond what excludes itself in life.
_HIDDEN = (
    frozenset({"Wearing_Hat", "Receding_Hairline"}),
    frozenset({"Bangs", "Receding_Hairline"}),
)


def sample_attributes(uniform: np.ndarray, *, independent: bool) -> np.ndarray:
    """Turn uniform numbers into attributes without contradictions.

    Args:
        uniform: `[B, K]` in [0, 1), a column for each of `DRAWN_ATTRIBUTES`.
        independent: Use one rate for everybody instead of the rates by sex and age.

    Returns:
        `[B, K]` uint8, 0/1.
    """
    column = {name: k for k, name in enumerate(DRAWN_ATTRIBUTES)}
    attributes = np.zeros(uniform.shape, dtype=np.uint8)
    for name, rates in _RATES.items():
        if independent:
            rate = np.full(len(uniform), rates[4])
        else:
            rate = _correlated_rate(name, attributes, column)
        attributes[:, column[name]] = uniform[:, column[name]] < rate
        for group in (*EXCLUSIVE, *_HIDDEN):
            if name in group:
                others = [column[other] for other in group if other != name]
                attributes[attributes[:, others].any(axis=1), column[name]] = 0
    return attributes


def _correlated_rate(name: str, attributes: np.ndarray, column: dict[str, int]) -> np.ndarray:
    """`[B]` probabilities of attribute `name`, given the attributes sampled before it."""
    group = attributes[:, column["Male"]] + 2 * (1 - attributes[:, column["Young"]])
    rate = np.array(_RATES[name])[group]
    for boosted, reason, amount in _BOOSTS:
        if boosted == name:
            rate = rate + amount * attributes[:, column[reason]]
    return np.asarray(rate)

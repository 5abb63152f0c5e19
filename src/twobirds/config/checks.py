"""Checks that settings of several configurations share."""

import math

from twobirds.errors import InputError

MAX_LAYER_WIDTH = 65_536
"""Maximum number of units of a layer: far beyond any use, yet a size that memory may hold."""


def require(condition: bool, message: str) -> None:
    """Refuse a setting.

    Raises:
        InputError: With the message, unless the condition holds.
    """
    if not condition:
        raise InputError(message)


def require_not_negative(config: object, *names: str) -> None:
    """Refuse fields that are negative or not finite."""
    for name in names:
        value = getattr(config, name)
        require(
            math.isfinite(value) and value >= 0,
            f"{name} must be finite and not negative, not {value}",
        )


def require_positive(config: object, *names: str) -> None:
    """Refuse fields that are not positive or not finite."""
    for name in names:
        value = getattr(config, name)
        require(math.isfinite(value) and value > 0, f"{name} must be positive, not {value}")


def require_shares(config: object, *names: str) -> None:
    """Refuse fields outside [0, 1]."""
    for name in names:
        value = getattr(config, name)
        require(0 <= value <= 1, f"{name} must lie in [0, 1], not {value}")


def require_widths(config: object, *names: str) -> None:
    """Refuse numbers of units that no layer can have."""
    for name in names:
        value = getattr(config, name)
        require(
            1 <= value <= MAX_LAYER_WIDTH,
            f"{name} must lie between 1 and {MAX_LAYER_WIDTH:,}, not {value}",
        )


def require_width_factor(width: float) -> None:
    """Refuse a factor on the numbers of channels that no network can have."""
    require(0 < width <= 4, f"width must lie in (0, 4], not {width}")


def stage1_share_of(share: float, before: int, after: int) -> float:
    """The share that keeps a stage 1 of the same length when a run's number of images changes."""
    return min(1.0, round(before * share) / after)

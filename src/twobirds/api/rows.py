"""Attribute rows as a user's wishes change them."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import torch
from torch import Tensor

from twobirds.data.attributes import Degree, resolve_conflicts, unknown_attribute
from twobirds.errors import InputError
from twobirds.randomness import RandomPurpose, keyed_generator

MAX_STRENGTH = 10
"""Of an edit; far beyond what training showed, and still finite in any precision."""


def require_known(changes: Mapping[str, float], names: Sequence[str]) -> None:
    """Check the wishes.

    Raises:
        InputError: If an attribute is unknown, or a value is not a number in [0, 1].
    """
    for name, value in changes.items():
        if name not in names:
            raise InputError(unknown_attribute(name, names))
        if not (isinstance(value, Real) and 0 <= value <= 1):
            raise InputError(f"{name} must be set to a value in [0, 1], not {value!r}")


def require_strength(strength: float) -> None:
    """Raise `InputError` if an edit cannot have this strength."""
    if not (isinstance(strength, Real) and 0 <= strength <= MAX_STRENGTH):
        raise InputError(f"strength must lie in [0, {MAX_STRENGTH}], not {strength!r}")


def require_count(count: int, name: str) -> None:
    """Raise `InputError` if there cannot be so many."""
    if not (isinstance(count, Integral) and count >= 0):
        raise InputError(f"{name} must be a whole number and not negative, not {count!r}")


def with_changes(attributes: Tensor, changes: Mapping[str, float], names: Sequence[str]) -> Tensor:
    """Set named attributes, and switch off what contradicts them (ADR 14).

    Args:
        attributes: `[B, K]` on the CPU; left as it is.
        changes: Values in [0, 1] by name; a `Degree` leaves rows that are on its side of a half.
        names: The K names.

    Returns:
        `[B, K]`.

    Raises:
        InputError: As for `require_known`.
    """
    require_known(changes, names)
    changed = attributes.clone()
    for name, value in changes.items():
        column = changed[:, names.index(name)]
        stays = isinstance(value, Degree) & ((column > 0.5) == (value > 0.5))  # [B]
        column[~stays] = float(value)
    return torch.from_numpy(resolve_conflicts(changed.numpy(), names, changes))


def complete_rows(
    bank: Tensor, count: int, attributes: Mapping[str, float], names: Sequence[str], *, seed: int
) -> Tensor:
    """Full rows that hold the named values; the rest is of random rows of a bank (ADR 13).

    Args:
        bank: `[R, K]` uint8 0/1.
        count: How many rows.
        attributes: Values in [0, 1] by name.
        names: The K names.
        seed: Of the choice.

    Returns:
        `[count, K]` float32.

    Raises:
        InputError: As for `require_known`.
    """
    wanted = with_changes(torch.zeros(1, len(names)), attributes, names)[0]
    columns = [names.index(name) for name in attributes]
    rows = bank.float()
    fits = (rows[:, columns] == wanted[columns].round()).sum(1)  # [R] named ones that hold
    best = rows[fits == fits.max()]
    picks = torch.randint(
        len(best), (count,), generator=keyed_generator(seed, RandomPurpose.OPEN_ATTRIBUTES)
    )
    return with_changes(best[picks], attributes, names)

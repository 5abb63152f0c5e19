"""What a client wants in words and in values, for answers that have no place for questions."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from twobirds.data.attributes import overruled
from twobirds.errors import InputError
from twobirds.language.description import Understanding


class Wanted(NamedTuple):
    """What words and values come to."""

    values: dict[str, float]
    """In [0, 1] by attribute."""
    overruled: list[str]
    """Words that the values overruled, each with what it was taken to say."""


def wanted_values(
    description: str,
    understand: Callable[[str, Sequence[str]], Understanding],
    names: Sequence[str],
    values: Mapping[str, float] | None,
) -> Wanted:
    """What is said in words, overruled by values.

    Args:
        description: English words; empty says nothing.
        understand: Parses them.
        names: The attributes that the model knows.
        values: In [0, 1] by attribute.

    Raises:
        InputError: If something of the words is not understood, or nothing names an attribute.
    """
    if not description.strip():
        return Wanted(dict(values or {}), [])
    found = understand(description, names)
    left = [*found.ignored, *found.unavailable]
    if left:
        raise InputError(f"description: not understood: {', '.join(left)}")
    if not found.attributes:
        raise InputError(
            "description: nothing in it names an attribute; try words such as blond hair, no "
            "glasses, smiling"
        )
    return Wanted(overruled(found.attributes, values or {}), found.overruled_by(values or {}))

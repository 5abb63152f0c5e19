"""Images of a pack that are the same picture under several names."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from twobirds.data.problems import shorten
from twobirds.data.splits import SPLITS
from twobirds.errors import InputWarning

_NAMES_OF_CODES = {code: name for name, code in SPLITS.items()}


def describe_repeats(
    digests: Sequence[bytes], names: Sequence[str], split: np.ndarray
) -> dict[str, Any]:
    """Find images with the very same pixels.

    Args:
        digests: Of the pixels of N images.
        names: Their N names.
        split: `[N]` uint8 codes of `SPLITS`.

    Returns:
        Plain data for `pack.json`: `images` (how many have the pixels of an earlier one) and
        `divided` (how many of these are in another split than it); `example` and
        `divided_example` (names of two such images, with their splits, or None).
    """
    first_row: dict[bytes, int] = {}
    pairs = [
        (first, row)
        for row, digest in enumerate(digests)
        if (first := first_row.setdefault(digest, row)) != row
    ]
    divided = [pair for pair in pairs if split[pair[0]] != split[pair[1]]]

    def example(pairs: Sequence[tuple[int, int]]) -> list[list[str]] | None:
        rows = pairs[0] if pairs else ()
        return [[names[row], _NAMES_OF_CODES[int(split[row])]] for row in rows] or None

    return {
        "images": len(pairs),
        "divided": len(divided),
        "example": example(pairs),
        "divided_example": example(divided),
    }


def warn_of_divided(repeats: dict[str, Any]) -> None:
    """Warn of a picture that is in several splits, so that a model is tested on what it has seen.

    Args:
        repeats: As `describe_repeats` says it.
    """
    if not repeats["divided"]:
        return
    one, other = (f"{shorten(name)} ({split})" for name, split in repeats["divided_example"])
    message = (
        f"{one} and {other} are the same picture, one of {repeats['divided']:,} in more than one "
        "split: a model is tested on what it was trained on; --leave-out FILE leaves images out"
    )
    warnings.warn(message, InputWarning, stacklevel=3)

"""The description `drawn.json`, from which drawn faces can be rendered again."""

import json
from collections.abc import Iterator
from typing import Any

from twobirds.data.drawn.folder import DRAWN_FORMAT, MAX_COUNT
from twobirds.data.drawn.render import SIZES
from twobirds.data.files import Files
from twobirds.data.pack import check_landmarks
from twobirds.errors import InputError


def load_drawn(files: Files) -> dict[str, Any] | None:
    """Load `drawn.json` at the root, which says how drawn faces were made.

    Raises:
        InputError: If it is there, but does not say what rendering the faces again needs.
    """
    if "drawn.json" not in files.names:
        return None
    try:
        drawn = json.loads(files.read("drawn.json"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{files.label}/drawn.json is damaged: {error}") from error
    if not isinstance(drawn, dict):
        raise InputError(f"{files.label}/drawn.json is damaged: it is not an object")
    for fault in _drawn_faults(drawn):
        raise InputError(
            f"{files.label}/drawn.json is damaged: {fault}; make the folder again with twobirds "
            "draw, or delete drawn.json to have the faces taken for photos"
        )
    return drawn


def _drawn_faults(drawn: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with `drawn.json`."""
    if drawn.get("format") != DRAWN_FORMAT:
        yield f"format must be {DRAWN_FORMAT}"
    for key, minimum, maximum in (("seed", 0, 2**63 - 1), ("count", 1, MAX_COUNT)):
        if type(drawn.get(key)) is not int or not minimum <= drawn[key] <= maximum:
            yield f"{key} must be a whole number from {minimum} to {maximum}"
    if type(drawn.get("size")) is not int or drawn["size"] not in SIZES:
        yield f"size must be one of {', '.join(map(str, SIZES))}"
    if not isinstance(drawn.get("independent"), bool):
        yield "independent must be true or false"
    landmarks = drawn.get("landmarks")  # absent in folders of the first version
    if landmarks is not None and not check_landmarks(landmarks):
        yield "landmarks must be five [x, y] pairs"

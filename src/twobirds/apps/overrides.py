"""Settings of a run by their dotted names, as in `--set train.batch_size=32`."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from twobirds.config import RunConfig, to_dict
from twobirds.errors import InputError
from twobirds.recipes.registry import parse_run

_MAX_NAMES = 1  # names that a hint proposes
_FACTS = frozenset({"data.attributes", "data.landmarks", "data.num_people", "recipe.name"})
"""What the data or the preset decides: no settings."""


def setting_names(config: RunConfig) -> list[str]:
    """Dotted names of all settings, such as `train.batch_size`; those of `recipe` are the preset's.

    A setting of another recipe is none of this run's.
    """
    names = [
        f"{section}.{name}"
        for section, values in to_dict(config).items()
        if isinstance(values, dict)
        for name in values
    ]
    return [name for name in names if name not in _FACTS]


def override(config: RunConfig, assignments: Iterable[tuple[str, Any]]) -> RunConfig:
    """Replace settings of a run, checked like those of a file.

    Args:
        config: The run; left as it is.
        assignments: Dotted names and values. A text is parsed as JSON where it is JSON.

    Raises:
        InputError: If a name is unknown, or a value of the wrong type or out of range.
    """
    values = to_dict(config)
    known = setting_names(config)
    for dotted, value in assignments:
        if dotted not in known:
            recipe = config.recipe.name
            raise InputError(f"recipe {recipe} has no setting {dotted!r}: {_hint(dotted, known)}")
        section, name = dotted.split(".")
        values[section][name] = _parse(value) if isinstance(value, str) else value
    try:
        return parse_run(values, "the run")
    except OverflowError as error:
        raise InputError(f"a setting is too large: {error}") from error


def _parse(text: str) -> Any:
    """Parse a number, list, true, false or null; anything else is a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _hint(dotted: str, known: list[str]) -> str:
    """The nearest setting, or all there are."""
    by_name = {name.split(".")[1]: name for name in known}
    leaf = dotted.rpartition(".")[2]
    nearest = [name for name in (leaf, f"{leaf}_weight") if name in by_name]
    nearest += difflib.get_close_matches(dotted, known, _MAX_NAMES)
    nearest += difflib.get_close_matches(leaf, by_name, _MAX_NAMES)
    if nearest:
        return f"did you mean {by_name.get(nearest[0], nearest[0])}?"
    return f"there are {', '.join(known)}"

"""Configurations as plain data, ready for JSON, and back."""

import dataclasses
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from twobirds.config.checks import require
from twobirds.errors import InputError

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """Turn a configuration into plain dicts, lists and numbers, ready for JSON."""
    plain = dataclasses.asdict(config)
    assert isinstance(plain, dict)
    return plain


def from_dict(cls: type[T], values: Any, where: str = "config") -> T:
    """Build a configuration dataclass from `to_dict`'s output, as loaded from JSON.

    Args:
        cls: The dataclass to build.
        values: Parsed JSON.
        where: What to call the source in errors.

    Raises:
        InputError: If a field is unknown, has the wrong type, or fails validation.
    """
    require(isinstance(values, dict), f"{where} must be an object, not {type(values).__name__}")
    hints = get_type_hints(cls)
    unknown = sorted(str(name) for name in set(values) - set(hints))
    require(not unknown, f"{where} has unknown fields: {', '.join(unknown)}")
    try:
        return cls(**{k: _coerce(hints[k], v, f"{where}.{k}") for k, v in values.items()})
    except (TypeError, OverflowError) as error:  # a missing field; an integer too large for a float
        raise InputError(f"{where} is incomplete or malformed: {error}") from error


def _coerce(hint: Any, value: Any, where: str) -> Any:
    """Check `value` against a field's type, turning lists into tuples and dicts into configs."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_dict(hint, value, where)
    if get_origin(hint) is Literal:
        require(value in get_args(hint), f"{where} must be one of {get_args(hint)}, not {value!r}")
        return value
    if get_origin(hint) is tuple:
        require(isinstance(value, list | tuple), f"{where} must be a list")
        items = get_args(hint)  # (str, ...) or (float, float)
        if items[-1] is ...:
            items = items[:1] * len(value)
        require(len(items) == len(value), f"{where} must have {len(items)} entries")
        return tuple(
            _coerce(h, v, f"{where}[{i}]")
            for i, (h, v) in enumerate(zip(items, value, strict=True))
        )
    if type(None) in get_args(hint):
        options = [h for h in get_args(hint) if h is not type(None)]
        return None if value is None else _coerce(options[0], value, where)
    allowed = (int, float) if hint is float else hint
    require(
        isinstance(value, allowed) and (hint is bool or not isinstance(value, bool)),
        f"{where} must be of type {hint.__name__}, not {value!r}",
    )
    return hint(value)

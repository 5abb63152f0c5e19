"""Names of attributes, checked against a model's config.json before its weights are loaded."""

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from twobirds.apps.options import DEFAULT_MODELS
from twobirds.data.attributes import unknown_attribute
from twobirds.errors import InputError

_CONFIG = "config.json"


def require_known_attributes(names: Iterable[str], model: str | None) -> None:
    """Refuse attributes that a model does not know.

    Of a checkpoint file, a model on the Hub, or one that cannot be read, nothing is checked here:
    loading it does.

    Args:
        names: The attributes that are asked for.
        model: The model as `--model` names it; None means the default one.

    Raises:
        InputError: If the model does not know one of them.
    """
    known = _attributes_of(model)
    for name in names if known else ():
        if name not in known:
            raise InputError(unknown_attribute(name, known))


def _attributes_of(model: str | None) -> list[str]:
    """The attributes of a model's or run's folder; none where they cannot be found easily."""
    shipped = resources.files("twobirds") / "pretrained"
    candidates = [shipped / name for name in DEFAULT_MODELS]
    if model is not None:
        candidates = [Path(model), shipped / model]
    for folder in candidates:
        try:
            return _attributes_in(json.loads((folder / _CONFIG).read_bytes()))
        except (OSError, ValueError):  # no such folder, no JSON: loading says so
            continue
    return []


def _attributes_in(config: Any) -> list[str]:
    """The attributes that a configuration names, in its present form or an earlier one."""
    run = config.get("run", config) if isinstance(config, dict) else {}
    for part in ("data", "model"):
        section = run.get(part) if isinstance(run, dict) else None
        names = section.get("attributes") if isinstance(section, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
    return []

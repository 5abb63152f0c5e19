"""Runs and models as files; loading them executes nothing."""

import hashlib
import os
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as dump_safetensors
from torch import Tensor

from twobirds.atomic import json_sha256, new_folder, read_json, write_json, write_text
from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.recipes.registry import parse_run
from twobirds.recipes.upgrade import FORMAT, require_format, require_todays_layers
from twobirds.states import load_state

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"
DISCRIMINATORS_FILE = "discriminators.safetensors"
"""What a run that starts from a model needs, and inference does not."""
MODEL_FILES = frozenset({WEIGHTS_FILE, CONFIG_FILE, CARD_FILE, DISCRIMINATORS_FILE})
"""All that a model's folder holds."""
CHECKPOINT_FILE = "checkpoint.pt"
"""The state of a training run, in its folder."""
PREVIOUS_CHECKPOINT_FILE = "checkpoint.previous.pt"
"""The checkpoint before it."""


def load_run(path: Path) -> tuple[RunConfig, dict[str, Any]]:
    """Load the checkpoint of a training run, and its configuration.

    A checkpoint of an older version comes in today's format.

    Raises:
        InputError: If the file is damaged or not a run's checkpoint, or of networks that are no
            longer there.
    """
    state = load_state(path)
    require_format(state.get("format"), str(path))
    config = parse_run(state.get("config"), f"{path}: config")
    networks = state.get("networks")
    generator = networks.get("generator") if isinstance(networks, dict) else None
    if isinstance(generator, dict):
        require_todays_layers(config.recipe.name, generator, str(path))
    return config, {**state, "format": FORMAT}


def save_model(
    folder: Path,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    card: str,
    *,
    discriminators: Mapping[str, Tensor] | None = None,
) -> str:
    """Save a model as safetensors, config.json and README.md; the folder appears whole.

    Args:
        folder: Where to; a model that lies there is replaced.
        tensors: Weights and tables by name.
        config: Plain data; the hashes of the weights and of all this are added to it.
        card: The model card, Markdown.
        discriminators: Weights for `discriminators.safetensors`, if the model shall have them.

    Returns:
        SHA-256 of the weights file, in hex.

    Raises:
        InputError: If the folder holds anything but a model, or cannot be written.
    """
    require_replaceable(folder, WEIGHTS_FILE, MODEL_FILES)
    weights = _dump(tensors)
    digest = hashlib.sha256(weights).hexdigest()
    with new_folder(folder, replace=True) as temporary:
        (temporary / WEIGHTS_FILE).write_bytes(weights)
        content = {**config, "weights_sha256": digest}
        if discriminators is not None:
            extra = _dump(discriminators)
            (temporary / DISCRIMINATORS_FILE).write_bytes(extra)
            content["discriminators_sha256"] = hashlib.sha256(extra).hexdigest()
        write_json(temporary / CONFIG_FILE, {**content, "config_sha256": json_sha256(content)})
        write_text(temporary / CARD_FILE, card)
    return digest


def require_replaceable(folder: Path, marker: str, files: Set[str]) -> None:
    """Refuse to replace a folder in which something would be lost.

    Args:
        folder: The folder to make.
        marker: The file that says that a model lies there.
        files: All files that such a model has.

    Raises:
        InputError: If it holds anything else.
    """
    if not os.path.lexists(folder):
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not folder.is_dir() or (names and marker not in names):
        raise InputError(f"{folder} exists and holds no model: choose another folder")
    if others := sorted(names - files):
        raise InputError(
            f"{folder} holds more than a model: {', '.join(others)}; choose another folder, for "
            "this one would be replaced"
        )


def load_model(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load what `save_model` wrote, verifying the hashes.

    Returns:
        Tensors by name, on the CPU; and the configuration.

    Raises:
        InputError: If a file is absent or damaged, or the weights are not those of the config.
    """
    config = _read_config(folder / CONFIG_FILE)
    return _load_tensors(folder / WEIGHTS_FILE, config.get("weights_sha256")), config


def load_discriminators(folder: Path) -> dict[str, Tensor]:
    """Load the discriminators of a model, verifying their hash; empty where it has none.

    Raises:
        InputError: If a file is absent or damaged.
    """
    digest = _read_config(folder / CONFIG_FILE).get("discriminators_sha256")
    return {} if digest is None else _load_tensors(folder / DISCRIMINATORS_FILE, digest)


def _dump(tensors: Mapping[str, Tensor]) -> bytes:
    return dump_safetensors({k: v.detach().cpu().contiguous() for k, v in tensors.items()})


def _load_tensors(path: Path, digest: object) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path}: is damaged or not the file that {CONFIG_FILE} describes")
    try:
        return parse_safetensors(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is not a safetensors file: {_first_line(error)}") from error


def _read_config(path: Path) -> dict[str, Any]:
    """The content of a model's config.json, without the hash that it must match."""
    config = read_json(path)
    if not isinstance(config, dict):
        raise InputError(f"{path}: must be a JSON object")
    if config.pop("config_sha256", None) != json_sha256(config):
        raise InputError(f"{path}: is damaged: it does not match its hash")
    return config


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

"""The file `onnx.json` of a model in ONNX files: what the networks are, checked; no PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twobirds.atomic import json_sha256, read_json
from twobirds.config import RunConfig, from_dict
from twobirds.config.checks import require, require_widths
from twobirds.errors import InputError
from twobirds.recipes.registry import parse_run

ONNX_FILE = "onnx.json"
"""What the networks are: the run, sizes and hashes."""
BANK_FILE = "attribute_bank.npy"
NETWORKS = ("recognizer", "encoder", "generator", "editor")
"""Each in a file of its name; `docs/guide/onnx.md` lists inputs and outputs."""
FORMAT = 1
_HEXADECIMAL = frozenset("0123456789abcdef")


def network_file(network: str) -> str:
    """Name of a network's file."""
    return f"{network}.onnx"


HASHED_FILES = frozenset({BANK_FILE, *map(network_file, NETWORKS)})
"""The files that have their hash in `ONNX_FILE`; no other name is ever opened."""


@dataclass(frozen=True)
class OnnxFacts:
    """The entries of `ONNX_FILE` that are plain values."""

    format: int
    opset: int
    """Version of the ONNX operators."""
    num_latents: int
    """Length Z of z."""
    has_layers: bool
    """Whether the editor says what it does in layers."""
    weights_sha256: str
    """Hash of the weights that were exported."""
    pack_sha256: str | None
    """Hash of the pack that they were trained on; None where unknown."""

    def __post_init__(self) -> None:
        require_widths(self, "num_latents")
        require(self.opset >= 1, f"opset must be positive, not {self.opset}")
        _require_hash(self.weights_sha256, "weights_sha256")
        if self.pack_sha256 is not None:
            _require_hash(self.pack_sha256, "pack_sha256")


@dataclass(frozen=True)
class OnnxDescription:
    """All that `ONNX_FILE` says, checked."""

    facts: OnnxFacts
    config: RunConfig
    """The run that trained the model; it names at least one attribute."""
    hashes: Mapping[str, str]
    """SHA-256 of each of `HASHED_FILES`."""


def load_description(path: Path) -> OnnxDescription:
    """Load and check `ONNX_FILE`.

    Raises:
        InputError: If it is absent, damaged, of another format, or an entry is missing, unknown or
            wrong.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a JSON object")
    if content.pop("onnx_sha256", None) != json_sha256(content):
        raise InputError(f"{path}: is damaged: it does not match its hash")
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path}: has format {content.get('format')}, this version of twobirds reads "
            f"{FORMAT}: export the model again"
        )
    entries = {*OnnxFacts.__dataclass_fields__, "run", "files"}
    missing = sorted(entries - set(content))
    require(not missing, f"{path}: lacks {', '.join(missing)}: export the model again")
    content.pop("largest_difference", None)  # said for people
    try:
        config = parse_run(content.pop("run"), f"{path}: run")
        hashes = _checked_hashes(content.pop("files"))
        facts = from_dict(OnnxFacts, content, str(path))
        require(bool(config.data.attributes), "run.data.attributes names no attribute")
    except InputError as error:  # not all of them name the file
        message = str(error)
        raise InputError(message if str(path) in message else f"{path}: {message}") from error
    return OnnxDescription(facts, config, hashes)


def _checked_hashes(files: Any) -> dict[str, str]:
    """The hashes by name, if they are of exactly the files that a model has."""
    if not isinstance(files, dict) or set(files) != HASHED_FILES:
        raise InputError(f"files must name {', '.join(sorted(HASHED_FILES))} and nothing else")
    for name, value in files.items():
        _require_hash(value, f"files.{name}")
    return files


def _require_hash(value: Any, where: str) -> None:
    is_hash = isinstance(value, str) and len(value) == 64 and set(value) <= _HEXADECIMAL
    require(is_hash, f"{where} must be 64 hexadecimal digits, not {value!r}")

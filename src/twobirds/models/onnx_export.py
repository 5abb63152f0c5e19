"""Networks of a trained model as ONNX files, each compared with PyTorch before it is written.

The exporter that traces (`dynamo=False`) needs no package beside onnx, and takes a second for a
network instead of fifteen (ADR 31).
"""

import contextlib
import hashlib
import importlib.util
import io
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from twobirds.atomic import json_sha256, new_folder, write_json, write_text
from twobirds.checkpoint import CARD_FILE, require_replaceable
from twobirds.config import to_dict
from twobirds.errors import InputError, missing_extra
from twobirds.models.edit_layers import EditLayers, apply_layers
from twobirds.models.networks import Encoding, FaceNetworks
from twobirds.models.onnx_description import (
    BANK_FILE,
    FORMAT,
    HASHED_FILES,
    ONNX_FILE,
    network_file,
)
from twobirds.models.onnx_model import open_network
from twobirds.models.onnx_symbolics import own_symbolics
from twobirds.models.trained import Trained

OPSET = 20
"""The first with AffineGrid; onnxruntime has it since 1.17."""
TOLERANCE = 1e-4
"""Largest absolute difference from PyTorch, of any output; images lie in [-1, 1]."""
_TRACED_FACES, _CHECKED_FACES = 2, (1, 3)
EXPORTED_FILES = HASHED_FILES | {ONNX_FILE, CARD_FILE}
"""All that `save_onnx` writes."""
_Compute = Callable[..., dict[str, Tensor]]


class _Pass(nn.Module):
    """A pass of networks as a module, which is what the exporter takes."""

    def __init__(self, networks: FaceNetworks, compute: _Compute) -> None:
        super().__init__()
        self.networks, self.compute = networks, compute

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs in their order."""
        return tuple(self.compute(*inputs).values())


class _Part(NamedTuple):
    """What becomes a file."""

    compute: _Compute
    """From the inputs, in their order, to the outputs by name."""
    inputs: Callable[[int], dict[str, Tensor]]
    """Inputs of a number of faces by name."""


def save_onnx(trained: Trained, folder: Path, card: str) -> dict[str, float]:
    """Save a model as ONNX files with a dynamic batch; the folder appears whole.

    Args:
        trained: The model, on the CPU.
        folder: Where to; a model in ONNX files that lies there is replaced.
        card: The model card, Markdown.

    Returns:
        Largest absolute difference from PyTorch, by network.

    Raises:
        InputError: If the folder holds anything else, a network differs from PyTorch by more than
            `TOLERANCE`, or onnx or onnxruntime is not installed.
    """
    require_replaceable(folder, ONNX_FILE, EXPORTED_FILES)
    networks = trained.networks.eval()
    if not networks.is_differentiable:
        raise InputError("the model is in ONNX files already: copy its folder")
    files, differences = {}, {}
    with torch.no_grad():
        for name, part in _parts(trained).items():
            files[network_file(name)] = content = _exported(networks, part)
            differences[name] = _compared(name, part, content)
        face = _generated(trained, 1)
        has_layers = networks.edit_layers(face, *2 * [_rows(trained, 1)]) is not None
    bank = io.BytesIO()
    np.save(bank, trained.attribute_bank.numpy(), allow_pickle=False)
    files[BANK_FILE] = bank.getvalue()
    description = {
        "format": FORMAT,
        "opset": OPSET,
        "num_latents": networks.num_latents,
        "has_layers": has_layers,
        "run": to_dict(trained.config),
        "weights_sha256": trained.weights_sha256,
        "pack_sha256": trained.pack_sha256,
        "largest_difference": differences,
    }
    _write(folder, files, description, card)
    return differences


def _write(
    folder: Path, files: Mapping[str, bytes], description: Mapping[str, Any], card: str
) -> None:
    """Write the folder, with the hashes of its files."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    content = {**description, "files": hashes}
    with new_folder(folder, replace=True) as temporary:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        write_json(temporary / ONNX_FILE, {**content, "onnx_sha256": json_sha256(content)})
        write_text(temporary / CARD_FILE, card)


def _parts(trained: Trained) -> dict[str, _Part]:
    """The networks by name."""
    networks = trained.networks

    def recognize(images: Tensor) -> dict[str, Tensor]:
        return {"attribute_logits": networks.encode(images).attribute_logits}

    def encode(images: Tensor, attribute_logits: Tensor) -> dict[str, Tensor]:
        encoding = networks.encode(images)._replace(attribute_logits=attribute_logits)
        return {"latents": networks.encode_latents(images, encoding)}

    def generate(latents: Tensor, attributes: Tensor) -> dict[str, Tensor]:
        return {"images": networks.generate(latents, attributes)}

    def edit(images: Tensor, latents: Tensor, has: Tensor, target: Tensor) -> dict[str, Tensor]:
        made = networks.edit_layers(images, has, target)
        if made is None:
            encoding = Encoding(latents, has)  # edits take what a face has as 0/1
            return {"edited": networks.edit(images, encoding, has, target)}
        # Not by `edit`, whose pass the exporter would write a second time.
        layers, strength = made
        edited = apply_layers(images, layers, strength).clamp(-1, 1)
        fields = dict(zip(EditLayers._fields, layers, strict=True))
        return {"edited": edited, **fields, "strength": strength}

    return {
        "recognizer": _Part(recognize, partial(_faces, trained)),
        "encoder": _Part(encode, partial(_classified_faces, trained)),
        "generator": _Part(generate, partial(_codes, trained)),
        "editor": _Part(edit, partial(_edits, trained)),
    }


def _faces(trained: Trained, count: int) -> dict[str, Tensor]:
    return {"images": _generated(trained, count)}


def _classified_faces(trained: Trained, count: int) -> dict[str, Tensor]:
    images = _generated(trained, count)
    logits = trained.networks.encode(images).attribute_logits
    return {"images": images, "attribute_logits": logits}


def _codes(trained: Trained, count: int) -> dict[str, Tensor]:
    return {"latents": _latents(trained, count), "attributes": _rows(trained, count)}


def _edits(trained: Trained, count: int) -> dict[str, Tensor]:
    images, has = _generated(trained, count), _rows(trained, count)
    latents = trained.networks.encode(images).latents
    half = has + 0.5 * (1 - 2 * has)  # of every change
    return {"images": images, "latents": latents, "attributes": has, "target": half}


def _exported(networks: FaceNetworks, part: _Part) -> bytes:
    """The content of a network's file."""
    inputs = part.inputs(_TRACED_FACES)
    outputs = part.compute(*inputs.values())
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),  # where it prints the graph that it refuses
        own_symbolics(OPSET),
    ):
        path = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # of the tracer: the result is compared instead
        try:
            torch.onnx.export(
                _Pass(networks, part.compute).eval(),
                tuple(inputs.values()),
                path,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: {0: "batch"} for name in (*inputs, *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
        except ModuleNotFoundError as error:
            raise missing_extra("ONNX files need", "onnx", error) from error
        except torch.onnx.errors.OnnxExporterError as error:
            if importlib.util.find_spec("onnx") is None:
                absent = ModuleNotFoundError("No module named 'onnx'", name="onnx")
                raise missing_extra("ONNX files need", "onnx", absent) from error
            raise InputError(f"these networks cannot be written as ONNX: {error}") from error
        return path.read_bytes()


def _compared(name: str, part: _Part, content: bytes) -> float:
    """Largest difference of a network's file from PyTorch, for several sizes of the batch.

    Raises:
        InputError: If it is too large or no number.
    """
    session, largest = open_network(content, name), 0.0
    taken = [each.name for each in session.get_inputs()]
    for count in _CHECKED_FACES:
        inputs = part.inputs(count)
        found = session.run(None, {key: inputs[key].contiguous().numpy() for key in taken})
        for one, other in zip(found, part.compute(*inputs.values()).values(), strict=True):
            difference = float(np.abs(one - other.numpy()).max(initial=0.0))
            if not difference <= TOLERANCE:  # NaN too
                raise InputError(
                    f"the {name} as ONNX differs from PyTorch by {difference:.2g}, more than "
                    f"{TOLERANCE:g}: nothing was written"
                )
            largest = max(largest, difference)
    return largest


def _generated(trained: Trained, count: int) -> Tensor:
    """Faces of the model itself, `[B, 3, H, W]` float32 in [-1, 1]."""
    return trained.networks.generate(_latents(trained, count), _rows(trained, count)).float()


def _latents(trained: Trained, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, trained.networks.num_latents, generator=generator) * 2 - 1


def _rows(trained: Trained, count: int) -> Tensor:
    """Attributes `[B, K]` float32 0/1 that occur in the training data."""
    bank = trained.attribute_bank
    return bank[torch.arange(count) % len(bank)].float()

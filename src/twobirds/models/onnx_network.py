"""A convolutional network from an ONNX file as a torch module, for the perceptual loss (P12).

The paper's Fig. 1 compares faces on the features of a pretrained VGG-16. Such networks come as
ONNX; onnxruntime gives no gradients through them, so torch carries out their operators here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from twobirds.atomic import read_json
from twobirds.config import from_dict
from twobirds.errors import InputError, missing_extra
from twobirds.models.onnx_operators import OPERATORS

_HEADS = frozenset("Flatten Reshape Gemm MatMul Softmax ReduceMean GlobalAveragePool Shape".split())
"""Operators of a classifier's head: no features from the first of them on."""
_MIN_SIDE = 2  # of features, in pixels
MAX_VALUES = 1 << 28
"""Numbers that all operators together may compute of one image: a gigabyte of memory."""
_FAILURES = (RuntimeError, ValueError, LookupError, TypeError, AssertionError, ArithmeticError)
"""What torch raises where attributes of an operator make no sense."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants grey levels 0 to 255 to be; loaded from NET.json beside NET.onnx.

    The default is that of networks trained on ImageNet.
    """

    mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    """Subtracted from red, green and blue."""
    scale: tuple[float, float, float] = (58.395, 57.12, 57.375)
    """Divides the differences."""
    channels: Literal["RGB", "BGR"] = "RGB"
    """Order of the colours in the network's input; mean and scale stay red, green, blue."""


@dataclass(frozen=True)
class _Node:
    """One operator of the graph."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


class OnnxFeatures(nn.Module):
    """The last activation of each resolution of a convolutional network; nothing in it learns.

    Args:
        path: The ONNX file; it takes `[N, 3, H, W]`.
        size: Height and width of the images that will be given, in pixels.

    Raises:
        InputError: If the file is absent, damaged, or has operators of which no features come.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, path: Path, *, size: int) -> None:
        super().__init__()
        content, graph = _load_graph(path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._load_preprocessing(path.with_suffix(".json"))
        try:
            self._input, self._nodes = _load_nodes(graph, path)
            constants = _constants(graph, path)
        except _FAILURES as error:
            if isinstance(error, InputError):
                raise
            reason = _first_line(error)
            raise InputError(f"{path}: is not a usable ONNX network: {reason}") from error
        self._names: dict[str, str] = {}
        for number, (name, tensor) in enumerate(constants.items()):
            self._names[name] = f"constant_{number}"
            self.register_buffer(self._names[name], tensor)
        self._features: tuple[str, ...] = ()
        self._features = self._find_features(path, size)
        self._nodes = _ancestors(self._nodes, self._features)
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features `[B, C_l, H_l, W_l]`, coarser and coarser, of `[B, 3, H, W]` in [-1, 1]."""
        values = self._run(images)
        return tuple(values[name] for name in self._features)

    def _load_preprocessing(self, path: Path) -> None:
        values = Preprocessing()
        if path.exists():
            values = from_dict(Preprocessing, read_json(path), str(path))
        if min(values.scale) <= 0:
            raise InputError(f"{path}: scale must be positive, not {values.scale}")
        self._reversed = values.channels == "BGR"
        self.register_buffer("mean", torch.tensor(values.mean).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(values.scale).view(1, 3, 1, 1))

    def _run(self, images: Tensor) -> dict[str, Tensor]:
        """Every value that can be had from images, by name.

        Of images on the meta device these are shapes alone, for which nothing is computed.
        """
        place = images.device
        pixels = ((images + 1) * 127.5 - self.mean.to(place)) / self.scale.to(place)
        if self._reversed:
            pixels = pixels.flip(1)
        constants = {name: getattr(self, buffer) for name, buffer in self._names.items()}
        if images.is_meta:  # bounds of a clip are numbers, not shapes
            bounds = {name for n in self._nodes if n.operator == "Clip" for name in n.inputs}
            constants = {n: t if n in bounds else t.to("meta") for n, t in constants.items()}
        values = {**constants, self._input: pixels.contiguous(memory_format=torch.channels_last)}
        for node in self._nodes:
            inputs = [values.get(name) for name in node.inputs]
            if node.operator in OPERATORS and all(
                x is not None for x, name in zip(inputs, node.inputs, strict=True) if name
            ):
                values[node.output] = OPERATORS[node.operator](inputs, node.attributes)
        return values

    @torch.no_grad()
    def _find_features(self, path: Path, size: int) -> tuple[str, ...]:
        try:
            shapes = self._run(torch.zeros(1, 3, size, size, device="meta")).values()
            if sum(value.numel() for value in shapes) > MAX_VALUES:
                raise ValueError(f"it computes more than {MAX_VALUES:,} numbers of one image")
            values = self._run(torch.zeros(1, 3, size, size))
        except _FAILURES as error:
            reason = _first_line(error)
            raise InputError(f"{path}: fails on images of {size} pixels: {reason}") from error
        by_side: dict[int, str] = {}
        for node in self._nodes:
            value = values.get(node.output)
            if value is None:
                if node.operator not in OPERATORS and node.operator not in _HEADS:
                    raise InputError(f"{path}: its operator {node.operator} is not supported")
                if node.operator in _HEADS:
                    break
            elif value.ndim == 4 and value.shape[-1] >= _MIN_SIDE:
                by_side[value.shape[-1]] = node.output
        if not by_side:
            raise InputError(f"{path}: has no features of {_MIN_SIDE} pixels or more")
        return tuple(by_side.values())


def _load_graph(path: Path) -> tuple[bytes, Any]:
    """The file, and its graph."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise missing_extra(f"{path}: ONNX networks need", "onnx", error) from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's and onnx's own classes
        raise InputError(f"{path}: is not a usable ONNX network: {_first_line(error)}") from error
    return content, model.graph


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _constants(graph: Any, path: Path) -> dict[str, Tensor]:
    """The weights of a graph, and what its Constant nodes hold."""
    from onnx import TensorProto, numpy_helper

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    if any(t.data_location == TensorProto.EXTERNAL for t in tensors.values()):
        raise InputError(f"{path}: keeps weights in other files: save it as one file")
    return {
        name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for name, tensor in tensors.items()
    }


def _load_nodes(graph: Any, path: Path) -> tuple[str, list[_Node]]:
    """Name of the input, and the operators in order."""
    from onnx import helper

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise InputError(f"{path}: takes {len(inputs)} inputs, not images alone")
    nodes = [
        _Node(
            operator=node.op_type,
            inputs=tuple(node.input),
            output=node.output[0],
            attributes={a.name: helper.get_attribute_value(a) for a in node.attribute},
        )
        for node in graph.node
        if node.op_type != "Constant"
    ]
    return inputs[0], nodes


def _ancestors(nodes: Sequence[_Node], wanted: Sequence[str]) -> list[_Node]:
    """The nodes behind some values, in order."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if node.output in needed:
            needed |= set(node.inputs)
            kept.append(node)
    return kept[::-1]

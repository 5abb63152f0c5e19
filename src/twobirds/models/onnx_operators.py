"""What convolutional networks in ONNX files are made of, carried out by torch."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Attributes = Mapping[str, Any]
"""Settings of an operator, by their ONNX names."""
Inputs = list[Tensor | None]


def _convolve(inputs: Inputs, attributes: Attributes) -> Tensor:
    images, weight = _tensors(inputs[:2])
    bias = inputs[2] if len(inputs) > 2 else None
    return F.conv2d(
        _pad(images, attributes),
        weight,
        bias,
        stride=tuple(attributes.get("strides", (1, 1))),
        dilation=tuple(attributes.get("dilations", (1, 1))),
        groups=attributes.get("group", 1),
    )


def _max_pool(inputs: Inputs, attributes: Attributes) -> Tensor:
    images = _pad(_tensors(inputs)[0], attributes, value=float("-inf"))
    return F.max_pool2d(
        images,
        tuple(attributes["kernel_shape"]),
        tuple(attributes.get("strides", (1, 1))),
        ceil_mode=bool(attributes.get("ceil_mode", 0)),
    )


def _average_pool(inputs: Inputs, attributes: Attributes) -> Tensor:
    padded = any(attributes.get("pads", ()))
    if padded and not attributes.get("count_include_pad", 0):
        raise ValueError("average pooling that leaves its padding out is not supported")
    return F.avg_pool2d(
        _pad(_tensors(inputs)[0], attributes),
        tuple(attributes["kernel_shape"]),
        tuple(attributes.get("strides", (1, 1))),
        ceil_mode=bool(attributes.get("ceil_mode", 0)),
    )


def _normalize(inputs: Inputs, attributes: Attributes) -> Tensor:
    images, weight, bias, mean, variance = _tensors(inputs)
    epsilon = float(attributes.get("epsilon", 1e-5))
    return F.batch_norm(images, mean, variance, weight, bias, training=False, eps=epsilon)


def _clip(inputs: Inputs, attributes: Attributes) -> Tensor:
    low, high = ([*inputs, None, None])[1:3]
    images = _tensors(inputs[:1])[0]
    low_value = float(low) if low is not None else attributes.get("min")
    high_value = float(high) if high is not None else attributes.get("max")
    return images if low_value is high_value is None else images.clamp(low_value, high_value)


def _pad(images: Tensor, attributes: Attributes, value: float = 0.0) -> Tensor:
    """Pad as an operator says: tops and lefts, then bottoms and rights."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ValueError("automatic padding is not supported")
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if not (top or left or bottom or right):
        return images
    return F.pad(images, (left, right, top, bottom), value=value)


def _tensors(inputs: Inputs) -> list[Tensor]:
    found = [x for x in inputs if x is not None]
    assert len(found) == len(inputs)
    return found


OPERATORS: dict[str, Callable[[Inputs, Attributes], Tensor]] = {
    "Conv": _convolve,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "BatchNormalization": _normalize,
    "Clip": _clip,
    "Relu": lambda x, _: torch.relu(*_tensors(x)),
    "LeakyRelu": lambda x, a: F.leaky_relu(_tensors(x)[0], a.get("alpha", 0.01)),
    "PRelu": lambda x, _: torch.where(_tensors(x)[0] < 0, torch.mul(*_tensors(x)), _tensors(x)[0]),
    "Sigmoid": lambda x, _: torch.sigmoid(*_tensors(x)),
    "Tanh": lambda x, _: torch.tanh(*_tensors(x)),
    "Add": lambda x, _: torch.add(*_tensors(x)),
    "Mul": lambda x, _: torch.mul(*_tensors(x)),
    "Concat": lambda x, a: torch.cat(_tensors(x), dim=a["axis"]),
    "Dropout": lambda x, _: _tensors(x[:1])[0],
    "Identity": lambda x, _: _tensors(x)[0],
}
"""What each operator does, by its ONNX name; see onnx.ai/onnx/operators."""

"""Convolutional networks written as ONNX."""

from pathlib import Path

import onnx
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from twobirds.models.resnet import AttributeResNet, ResidualBlock


class OnnxWriter:
    """Gathers operators and weights, one value after the other."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def weight(self, values: torch.Tensor) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.detach().numpy(), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def module(self, module: nn.Module, value: str) -> str:
        """Write one layer, or a chain of them."""
        match module:
            case nn.Sequential():
                for layer in module:
                    value = self.module(layer, value)
                return value
            case nn.Conv2d(padding=(int(p), int(q)), stride=stride):
                names = [self.weight(module.weight)]
                names += [self.weight(module.bias)] if module.bias is not None else []
                pads = [p, q, p, q]
                return self.node("Conv", value, *names, pads=pads, strides=list(stride))
            case nn.BatchNorm2d():
                parts = (module.weight, module.bias, module.running_mean, module.running_var)
                names = [self.weight(part) for part in parts]
                return self.node("BatchNormalization", value, *names, epsilon=module.eps)
            case nn.ReLU():
                return self.node("Relu", value)
            case nn.AvgPool2d(kernel_size=size) | nn.MaxPool2d(kernel_size=size):
                kind = "AveragePool" if isinstance(module, nn.AvgPool2d) else "MaxPool"
                return self.node(kind, value, kernel_shape=[size] * 2, strides=[size] * 2)
            case nn.Identity():
                return value
            case ResidualBlock():
                parts = [self.module(part, value) for part in (module.body, module.shortcut)]
                return self.node("Relu", self.node("Add", *parts))
            case nn.Linear():
                names = [self.weight(module.weight), self.weight(module.bias)]
                return self.node("Gemm", value, *names, transB=1)
        raise AssertionError(module)

    def save(self, path: Path, outputs: list[str]) -> Path:
        images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("N", 3, "H", "W"))
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "network", [images], ends, self.weights)
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
        return path


def write_judge(network: AttributeResNet, path: Path) -> tuple[Path, list[str]]:
    """A judge's network; also the values at the end of each block, which are its outputs too."""
    writer = OnnxWriter()
    value, blocks = "images", []
    for layer in network.trunk:
        value = writer.module(layer, value)
        blocks += [value] if isinstance(layer, ResidualBlock) else []
    flat = writer.node("Flatten", writer.node("GlobalAveragePool", value))
    outputs = [*blocks, writer.module(network.head, flat)]
    return writer.save(path, outputs), outputs


def write_vgg(path: Path, *, last: str = "Relu") -> Path:
    """Two blocks in the manner of VGG, and a head; `last` is the operator after the last one."""
    torch.manual_seed(0)
    writer = OnnxWriter()
    blocks = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(5, 6, 3, padding=1),
    )  # fmt: skip
    value = writer.node(last, writer.module(blocks, "images"))
    flat = writer.node("Flatten", writer.module(nn.MaxPool2d(2), value))
    return writer.save(path, [writer.module(nn.Linear(6 * 8 * 8, 10), flat)])

"""Tiny ONNX networks."""

from pathlib import Path

import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

Shape = tuple[int | str, ...]


def write_pooling_network(
    path: Path,
    shape: Shape = ("N", 3, 16, 12),
    name: str = "pixels",
    kind: TensorProto.DataType = TensorProto.FLOAT,
) -> Path:
    """Write a network that averages over height and width."""
    node = helper.make_node("ReduceMean", [name, "axes"], ["embedding"], keepdims=0)
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    inputs = [helper.make_tensor_value_info(name, kind, shape)]
    return _write_network(path, [node], inputs, constants={"axes": axes})


def write_network_with_two_inputs(path: Path) -> Path:
    """Write a network that adds up two stacks of images."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", 3, 16, 12))
        for name in ("pixels", "mask")
    ]
    return _write_network(
        path, [helper.make_node("Add", ["pixels", "mask"], ["embedding"])], inputs
    )


def write_failing_network(path: Path) -> Path:
    """Write a network that opens, but fails on every image: it wants seven rows of them."""
    node = helper.make_node("Reshape", ["pixels", "shape"], ["embedding"])
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ("N", 3, "H", "W"))]
    return _write_network(path, [node], inputs, constants={"shape": [7, 11]})


def write_dividing_network(path: Path) -> Path:
    """Write a network that divides images by themselves, which is no number where they are 0."""
    node = helper.make_node("Div", ["pixels", "pixels"], ["embedding"])
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ("N", 3, 16, 12))]
    return _write_network(path, [node], inputs)


def _write_network(
    path: Path,
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    constants: dict[str, list[int]] | None = None,
) -> Path:
    kind = inputs[0].type.tensor_type.elem_type
    outputs = [helper.make_tensor_value_info("embedding", kind, None)]
    tensors = [
        helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        for name, values in (constants or {}).items()
    ]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path

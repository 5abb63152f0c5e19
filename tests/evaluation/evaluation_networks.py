"""Tiny ONNX networks."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_pooling_network(
    path: Path, shape: tuple[int | str, ...] = ("N", 3, 16, 12), name: str = "pixels"
) -> Path:
    """Write a network that averages over height and width."""
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    node = helper.make_node("ReduceMean", [name, "axes"], ["embedding"], keepdims=0)
    graph = helper.make_graph(
        [node],
        "mean_colour",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [shape[0], 3])],
        [helper.make_tensor("axes", TensorProto.INT64, [2], axes)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path

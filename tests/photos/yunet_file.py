"""A file like YuNet's that finds one face at a given place, whatever it sees."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, STRIDE = 640, 32


def write_yunet(path: Path, landmarks: np.ndarray, score: float = 0.9) -> None:
    """Write a network with YuNet's input and outputs.

    Args:
        path: Of the ONNX file.
        landmarks: `[5, 2]` (x, y) of the face in the square of 640 pixels.
        score: Its certainty.
    """
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0)]
    nodes.append(helper.make_node("Mul", ["mean", "zero"], ["nothing"]))
    constants = [numpy_helper.from_array(np.zeros((), np.float32), "zero")]
    outputs = []
    column, row = (landmarks.mean(axis=0) // STRIDE).astype(int)
    for stride in (8, 16, 32):
        side = SIDE // stride
        for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            values = np.zeros((1, side * side, width), np.float32)
            if stride == STRIDE:
                cell = row * side + column
                extent = np.log(np.ptp(landmarks, axis=0) * 2 / STRIDE)
                centre = landmarks.mean(axis=0) / STRIDE - (column, row)
                values[0, cell] = {
                    "cls": score,
                    "obj": score,
                    "bbox": np.concatenate([centre, extent]),
                    "kps": (landmarks / STRIDE - (column, row)).ravel(),
                }[name]
            output = f"{name}_{stride}"
            constants.append(numpy_helper.from_array(values, f"{output}_values"))
            nodes.append(helper.make_node("Add", ["nothing", f"{output}_values"], [output]))
            outputs.append(
                helper.make_tensor_value_info(output, TensorProto.FLOAT, list(values.shape))
            )
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    graph = helper.make_graph(nodes, "yunet", [image], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)

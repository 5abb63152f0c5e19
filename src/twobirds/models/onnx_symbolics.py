"""How torch's operators are written as ONNX, where its exporter knows none or a slow way."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.onnx import (  # type: ignore[attr-defined]
    register_custom_op_symbolic,
    symbolic_helper,
    unregister_custom_op_symbolic,
)

_BILINEAR, _REFLECTION = 0, 2  # torch's numbers of the modes of `grid_sample`


@contextlib.contextmanager
def own_symbolics(opset: int) -> Iterator[None]:
    """Within the context, torch's exporter writes some operators in the ways of this module.

    Args:
        opset: Version of the ONNX operators that are exported.
    """
    symbolics: dict[str, Callable[..., Any]] = {
        "aten::atanh": _atanh,
        "aten::grid_sampler": _grid_sample,
    }
    for name, symbolic in symbolics.items():
        register_custom_op_symbolic(name, symbolic, opset)
    try:
        yield
    finally:
        for name in symbolics:
            unregister_custom_op_symbolic(name, opset)


def _atanh(graph: Any, value: Any) -> Any:
    """ONNX has this operator since opset 9; the exporter does not know it."""
    return graph.op("Atanh", value)


def _grid_sample(graph: Any, images: Any, grid: Any, mode: Any, padding: Any, align: Any) -> Any:
    """Bilinear sampling, mirrored beyond the edge: the places are mirrored first.

    onnxruntime samples six times as fast where nothing is to be mirrored. With x in [-3, 3], 1 at
    the right edge, its mirror image is 2 * clip(x, -1, 1) - x, which leaves [-1, 1] as it is.
    Between the outermost pixels' centres and the edge torch repeats these pixels.

    Raises:
        torch.onnx.errors.SymbolicValueError: If it is another kind of sampling.
    """
    kinds = [symbolic_helper._maybe_get_const(value, "i") for value in (mode, padding, align)]
    _, _, height, width = symbolic_helper._get_tensor_sizes(images) or [None] * 4
    if kinds != [_BILINEAR, _REFLECTION, 0] or width is None or height != width:
        raise torch.onnx.errors.SymbolicValueError(
            "only bilinear sampling with reflection of square images is exported", images
        )

    def clip(values: Any, limit: float) -> Any:
        limits = (graph.op("Constant", value_t=torch.tensor(sign * limit)) for sign in (-1, 1))
        return graph.op("Clip", values, *limits)

    two = graph.op("Constant", value_t=torch.tensor(2.0))
    mirrored = graph.op("Sub", graph.op("Mul", two, clip(grid, 1.0)), grid)
    options = {"align_corners_i": 0, "mode_s": "linear", "padding_mode_s": "zeros"}
    return graph.op("GridSample", images, clip(mirrored, 1 - 1 / width), **options)

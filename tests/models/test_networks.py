"""Passes of networks over many images."""

import torch

from twobirds.models.networks import in_parts
from twobirds.runtime import inference_batch_size


def test_a_cpu_passes_few_images_at_a_time() -> None:
    images, counts = torch.arange(40.0).view(40, 1, 1, 1), []

    def network(part: torch.Tensor) -> torch.Tensor:
        counts.append(len(part))
        return part.flatten(1) * 2

    assert torch.equal(in_parts(network, images), images.flatten(1) * 2)
    assert counts == [16, 16, 8]
    assert in_parts(network, images[:0]).shape == (0, 1)


def test_a_gpu_passes_more() -> None:
    assert inference_batch_size(torch.device("cuda")) == 64
    assert inference_batch_size(torch.device("cpu")) == 16

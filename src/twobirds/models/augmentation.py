"""Differentiable augmentation of the faces that a recognizer learns from."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twobirds.models.layers import rotate_and_zoom
from twobirds.runtime import to_device


@dataclass(frozen=True)
class Augmentation:
    """Largest amounts; each face is augmented by a random one of its own (Zhao et al., 2020)."""

    shift: float = 0.0
    """Largest shift, as a part of the side; what moves in is grey."""
    brightness: float = 0.0
    """Largest value added to or subtracted from all pixels."""
    saturation: float = 0.0
    """Largest difference from 1 of the factor on the colours."""
    contrast: float = 0.0
    """Largest difference from 1 of the factor on the contrast."""
    cutout: float = 0.0
    """Side of a square that is greyed, as a part of the face's; it may hang over the edge."""
    rotation: float = 0.0
    """Largest rotation in the plane, in radians; the mirror image fills the corners."""
    zoom: float = 0.0
    """Largest difference from 1 of the factor on the side of the part shown."""

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Augment images.

        Args:
            images: `[B, 3, H, W]` float32, about [-1, 1].
            generator: On the CPU; the same state gives the same changes.

        Returns:
            The same shape; gradients pass.
        """
        samples = torch.rand(7, len(images), 1, 1, 1, generator=generator)
        samples = to_device(samples, images.device)
        spread = 2 * samples - 1  # [7, B, 1, 1, 1] in [-1, 1)
        images = images + self.brightness * spread[0]
        grey = images.mean(1, keepdim=True)  # [B, 1, H, W]
        images = torch.lerp(grey, images, 1 + self.saturation * spread[1])
        mean = images.mean((1, 2, 3), keepdim=True)  # [B, 1, 1, 1]
        images = torch.lerp(mean, images, 1 + self.contrast * spread[2])
        if self.shift:
            images = _shift(images, self.shift * spread[3:5].flatten(1))
        if self.rotation or self.zoom:
            turns = torch.rand(2, len(images), generator=generator)
            angle, scale = to_device(turns, images.device) * 2 - 1
            images = rotate_and_zoom(images, self.rotation * angle, 1 + self.zoom * scale)
        if self.cutout:
            images = images * _outside_square(images, self.cutout, samples[5:7])
        return images


RECOGNIZER = Augmentation(
    shift=1 / 16,
    brightness=0.2,
    saturation=0.3,
    contrast=0.2,
    cutout=0.3,
    rotation=0.2,
    zoom=0.12,
)
"""What the recognizer learns from; weak in colours, for these are among the attributes."""


def mix(
    images: Tensor, labels: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blend each face with another of the batch, and its labels likewise (Zhang et al., 2018).

    Args:
        images: `[B, 3, H, W]`.
        labels: `[B, K]` in [0, 1].
        alpha: Of the symmetric Beta distribution of the one weight; 0 blends nothing.
        generator: On the CPU.

    Returns:
        The same shapes.
    """
    if not alpha:
        return images, labels
    seed = int(torch.randint(2**62, (), generator=generator))
    weight = float(np.random.default_rng(seed).beta(alpha, alpha))
    other = to_device(torch.randperm(len(images), generator=generator), images.device)
    return torch.lerp(images[other], images, weight), torch.lerp(labels[other], labels, weight)


def _shift(images: Tensor, by: Tensor) -> Tensor:
    """Move `[B, 3, H, W]` by whole pixels, `by` `[2, B]` parts of the side; grey moves in."""
    side = images.shape[-1]
    offsets = (by * side).round().long()[:, :, None]  # [2, B, 1]
    places = torch.arange(side, device=images.device) + offsets  # [2, B, S]
    inside = ((places >= 0) & (places < side)).to(images.dtype)
    rows, columns = places.clamp(0, side - 1)  # [B, S] each
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    pixels = images.permute(0, 2, 3, 1)  # [B, S, S, 3]
    moved = pixels[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return moved * (inside[0][:, None, :, None] * inside[1][:, None, None, :])


def _outside_square(images: Tensor, side: float, centre: Tensor) -> Tensor:
    """0 in a square, 1 elsewhere, `[B, 1, H, W]`; centres `[2, B, 1, 1, 1]` in [0, 1)."""
    size = images.shape[-1]
    places = (torch.arange(size, device=images.device) + 0.5) / size
    is_near = (places - centre.flatten(1)[:, :, None]).abs() < side / 2  # [2, B, S]
    square = is_near[0][:, None, :, None] & is_near[1][:, None, None, :]
    return 1 - square.to(images.dtype)

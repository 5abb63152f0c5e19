"""Eigenfaces: the part of a code that is linear in the face (Turk and Pentland, 1991).

A face's thumbnail is a mean, plus what its attributes add on average, plus principal components;
their sizes, squashed to the range of z, are what its code begins as. One linear layer reads them
and one puts them back together, and the convolutions learn what the two leave out: alone they take
ten times the images to be as good (docs/modern.md).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LUMA, CHROMA = 32, 8
"""Sides of a thumbnail's grids: eyes see fine detail in brightness alone."""
NUM_VALUES = LUMA**2 + 2 * CHROMA**2
"""Length of a thumbnail."""
_YCBCR = [[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]]  # ITU-R BT.601
_RGB = torch.linalg.inv(torch.tensor(_YCBCR, dtype=torch.float64)).tolist()
_CHROMA_WEIGHT = LUMA / CHROMA  # a coarse value stands for this times this many fine ones
_SLOPE = 0.851  # tanh of it times a standard normal number is nearly U(-1, 1)
_MOST = 0.999  # of a code's value: 4.5 standard deviations
_RIDGE = 1e-3  # of the covariance of attributes
_RIDGE_VALUES = 3e-6  # of the whole variance of thumbnails
_LEAST_VARIANCE = 1e-6  # of the largest: below it a component is none


class Eigenfaces(NamedTuple):
    """Weights of the two linear layers."""

    read: Tensor
    """`[Z, T]`: thumbnail to code, before its tanh."""
    read_bias: Tensor
    """`[Z]`."""
    draw: Tensor
    """`[T, Z + K]`: code before its tanh, and attributes in [-1, 1], to thumbnail."""
    draw_bias: Tensor
    """`[T]`."""


def to_thumbnail(images: Tensor) -> Tensor:
    """Brightness on 32x32 and colour on 8x8 places.

    Args:
        images: `[B, 3, H, W]` in about [-1, 1], sides 32 or more.

    Returns:
        `[B, 1152]` of their dtype.
    """
    luma, chroma = _rotate(images, _YCBCR).split([1, 2], dim=1)
    luma = F.avg_pool2d(luma, luma.shape[-1] // LUMA).flatten(1)
    chroma = F.avg_pool2d(chroma, chroma.shape[-1] // CHROMA).flatten(1)
    return torch.cat([luma, _CHROMA_WEIGHT * chroma], dim=1)


def from_thumbnail(values: Tensor, size: int) -> Tensor:
    """Smooth images `[B, 3, size, size]` in [-1, 1] of thumbnails `[B, 1152]`."""
    luma, chroma = values.split([LUMA**2, 2 * CHROMA**2], dim=1)
    planes = (
        luma.unflatten(1, (1, LUMA, LUMA)),
        chroma.unflatten(1, (2, CHROMA, CHROMA)) / _CHROMA_WEIGHT,
    )
    large = [F.interpolate(p, size=size, mode="bicubic", align_corners=False) for p in planes]
    return _rotate(torch.cat(large, dim=1), _RGB).clamp(-1, 1)


def reading_layer(num_latents: int) -> nn.Linear:
    """Thumbnail to code, before its tanh."""
    return nn.Linear(NUM_VALUES, num_latents)


def drawing_layer(num_latents: int, num_attributes: int) -> nn.Linear:
    """Code and attributes to thumbnail."""
    return nn.Linear(num_latents + num_attributes, NUM_VALUES)


def read_code(layer: nn.Linear, images: Tensor) -> Tensor:
    """What a reading layer says of images: `[B, Z]` float32, before the tanh."""
    with torch.autocast(images.device.type, enabled=False):  # of small components bits matter
        said: Tensor = layer(to_thumbnail(images).float())
    return said


def draw_sketch(layer: nn.Linear, latents: Tensor, attributes: Tensor, size: int) -> Tensor:
    """What a drawing layer makes of codes `[B, Z]` and attributes `[B, K]` in [0, 1].

    Returns:
        `[B, 3, size, size]` float32 in [-1, 1].
    """
    with torch.autocast(latents.device.type, enabled=False):
        components = torch.atanh(latents.float().clamp(-_MOST, _MOST))
        described = torch.cat([components, attributes.float() * 2 - 1], dim=1)
        return from_thumbnail(layer(described), size)


def set_layer(layer: nn.Linear | None, weight: Tensor, bias: Tensor) -> None:
    """Give a layer its weights, or one number to all."""
    assert layer is not None
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)


class Moments:
    """Means and covariances of thumbnails and attributes, gathered batch by batch."""

    def __init__(self, num_attributes: int) -> None:
        width = NUM_VALUES + num_attributes
        self.count, self.sums = 0, torch.zeros(width, dtype=torch.float64)
        self.products = torch.zeros(width, width, dtype=torch.float64)

    def add(self, images: Tensor, attributes: Tensor) -> None:
        """Count faces `[B, 3, H, W]` in [-1, 1] and their labels `[B, K]` 0/1."""
        rows = torch.cat([to_thumbnail(images.cpu()), attributes.cpu().float() * 2 - 1], dim=1)
        self.count += len(rows)
        self.sums += rows.sum(0)
        self.products += rows.T.double() @ rows.double()

    def eigenfaces(self, num_latents: int) -> Eigenfaces:
        """Principal components of what attributes do not explain.

        Of each face is taken away what the attributes that a linear layer reads off it add on
        average: else half of a code would say what its attributes say, and noise, which is free of
        them, would contradict the attributes that it is drawn with.

        Args:
            num_latents: Z; components that there are none of get zeros.
        """
        mean = self.sums / self.count
        covariance = self.products / self.count - torch.outer(mean, mean)
        values, labels = slice(0, NUM_VALUES), slice(NUM_VALUES, None)
        own = covariance[values, values]  # [T, T]
        across = covariance[values, labels]  # [T, K]
        added = _solve(covariance[labels, labels], across.T, _RIDGE)  # [K, T]
        told = _solve(own, across, _RIDGE_VALUES * float(own.trace()))  # [T, K]
        rest = torch.eye(NUM_VALUES, dtype=torch.float64) - told @ added  # [T, T]
        variances, components = torch.linalg.eigh(rest.T @ own @ rest)
        variances = variances.flip(0)[:num_latents]
        components = components.flip(1)[:, :num_latents]  # [T, Z or fewer]
        is_there = variances > _LEAST_VARIANCE * variances[0]
        scale = torch.where(is_there, variances, 0).sqrt() / _SLOPE
        inverse = torch.where(is_there, 1 / scale.clamp(min=1e-12), 0)
        missing = num_latents - len(scale)
        read = F.pad((rest @ components * inverse).T, (0, 0, 0, missing))  # [Z, T]
        draw = F.pad(components * scale, (0, missing))  # [T, Z]
        return Eigenfaces(
            read=read.float(),
            read_bias=-(read @ mean[values]).float(),
            draw=torch.cat([draw, added.T], dim=1).float(),
            draw_bias=(mean[values] - mean[labels] @ added).float(),
        )


def _rotate(images: Tensor, matrix: list[list[float]]) -> Tensor:
    """Mix the three colours of `[B, 3, H, W]`; a convolution might be rounded to TF32."""
    weight = torch.tensor(matrix, dtype=images.dtype, device=images.device)
    return torch.einsum("ij,bjhw->bihw", weight, images)


def _solve(square: Tensor, right: Tensor, ridge: float) -> Tensor:
    """Ridge regression: `(square + ridge)^-1 right`."""
    eye = torch.eye(len(square), dtype=square.dtype)
    solved: Tensor = torch.linalg.solve(square + ridge * eye, right)
    return solved

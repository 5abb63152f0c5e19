"""Principal components of faces: the linear part of the latents (Turk and Pentland, 1991; ADR 23).

A face's thumbnail is a mean, plus what its attributes add on average, plus principal components.
Their coefficients, squashed to the range of z, are what the latents are initialized as. One linear
layer encodes them (PCA encoder), one decodes them (PCA decoder), and the convolutions learn the
residual. `celeba128` began at 25 dB (ADR 33).
"""

import functools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.runtime import to_device

LUMA, CHROMA = 32, 8
"""Sides of a thumbnail's grids: people see fine detail in brightness alone."""
NUM_VALUES = LUMA**2 + 2 * CHROMA**2
"""Length of a thumbnail."""
_Matrix = tuple[tuple[float, ...], ...]
_YCBCR: _Matrix = (  # ITU-R BT.601
    (0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081),
)  # fmt: skip
_RGB: _Matrix = tuple(
    tuple(row) for row in torch.linalg.inv(torch.tensor(_YCBCR, dtype=torch.float64)).tolist()
)
_CHROMA_WEIGHT = LUMA / CHROMA  # a coarse value stands for the square of this many fine ones
_SLOPE = 0.851  # tanh of it times a standard normal number is nearly U(-1, 1)
_MAX_LATENT = 0.999  # 4.5 standard deviations
_RIDGE = 1e-3  # of the covariance of attributes
_MIN_VARIANCE = 1e-6  # of the largest: below it a component is noise


class PrincipalComponents(NamedTuple):
    """Weights of the PCA encoder and decoder."""

    encoder: Tensor
    """`[Z, T + K]`: thumbnail and attributes in [-1, 1] to latents, before their tanh."""
    encoder_bias: Tensor
    """`[Z]`."""
    decoder: Tensor
    """`[T, Z + K]`: latents before their tanh, and attributes in [-1, 1], to thumbnail."""
    decoder_bias: Tensor
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


def pca_encoder(num_latents: int, num_attributes: int) -> nn.Linear:
    """The layer from thumbnails and attributes to latents, before their tanh."""
    return nn.Linear(NUM_VALUES + num_attributes, num_latents)


def pca_decoder(num_latents: int, num_attributes: int) -> nn.Linear:
    """The layer from latents and attributes to thumbnails."""
    return nn.Linear(num_latents + num_attributes, NUM_VALUES)


def encode_linear(encoder: nn.Linear, images: Tensor, attributes: Tensor) -> Tensor:
    """Latents by a PCA encoder, of images and attributes `[B, K]` in [0, 1].

    Returns:
        `[B, Z]` float32, before the tanh.
    """
    with torch.autocast(images.device.type, enabled=False):  # small components need all bits
        values = to_thumbnail(images).float()
        coefficients: Tensor = encoder(torch.cat([values, attributes.float() * 2 - 1], dim=1))
    return coefficients


def decode_linear(decoder: nn.Linear, latents: Tensor, attributes: Tensor, size: int) -> Tensor:
    """Smooth faces by a PCA decoder, of latents `[B, Z]` and attributes `[B, K]` in [0, 1].

    Returns:
        `[B, 3, size, size]` float32 in [-1, 1].
    """
    with torch.autocast(latents.device.type, enabled=False):
        components = torch.atanh(latents.float().clamp(-_MAX_LATENT, _MAX_LATENT))
        codes = torch.cat([components, attributes.float() * 2 - 1], dim=1)  # [B, Z + K]
        return from_thumbnail(decoder(codes), size)


def set_layer(layer: nn.Linear | None, weight: Tensor, bias: Tensor) -> None:
    """Set the weights of a layer, or all of them to one number."""
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
        """Add faces `[B, 3, H, W]` in [-1, 1] and their labels `[B, K]` 0/1."""
        rows = torch.cat([to_thumbnail(images.cpu()), attributes.cpu().float() * 2 - 1], dim=1)
        self.count += len(rows)
        self.sums += rows.sum(0)
        self.products += rows.T.double() @ rows.double()

    def principal_components(self, num_latents: int) -> PrincipalComponents:
        """Principal components of what attributes do not explain.

        From each face is subtracted what its attributes add on average: else half of the latents
        would repeat the attributes, and z, which is independent of them, would contradict the
        attributes that a face is generated with. The encoder is given the attributes; if it
        guessed them from the thumbnail, reconstructions would show the difference between its
        guess and the attributes that they are decoded with (2.9 dB at 512 latents; ADR 33).

        Args:
            num_latents: Z; beyond the number of components the weights are zero.
        """
        mean = self.sums / self.count
        covariance = self.products / self.count - torch.outer(mean, mean)
        values, labels = slice(0, NUM_VALUES), slice(NUM_VALUES, None)
        of_labels, across = covariance[labels, labels], covariance[values, labels]  # [K, K], [T, K]
        added = _solve(of_labels, across.T, _RIDGE)  # [K, T]
        explained = across @ added  # [T, T]
        rest = covariance[values, values] - explained - explained.T + added.T @ of_labels @ added
        variances, components = torch.linalg.eigh(rest)
        variances = variances.flip(0)[:num_latents]
        components = components.flip(1)[:, :num_latents]  # [T, Z or fewer]
        is_there = variances > _MIN_VARIANCE * variances[0]
        scale = torch.where(is_there, variances, 0).sqrt() / _SLOPE
        inverse = torch.where(is_there, 1 / scale.clamp(min=1e-12), 0)
        missing = num_latents - len(scale)
        encoder = F.pad((components * inverse).T, (0, 0, 0, missing))  # [Z, T]
        decoder = F.pad(components * scale, (0, missing))  # [T, Z]
        bias = mean[values] - mean[labels] @ added  # [T], of a face whose attributes add nothing
        return PrincipalComponents(
            encoder=torch.cat([encoder, -encoder @ added.T], dim=1).float(),
            encoder_bias=-(encoder @ bias).float(),
            decoder=torch.cat([decoder, added.T], dim=1).float(),
            decoder_bias=bias.float(),
        )


def _rotate(images: Tensor, matrix: _Matrix) -> Tensor:
    """Mix the three colours of `[B, 3, H, W]`; a convolution might be rounded to TF32."""
    weight = _on_device(matrix, images.dtype, images.device)
    return torch.einsum("ij,bjhw->bihw", weight, images)


@functools.cache
def _on_device(matrix: _Matrix, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A matrix as a tensor, copied to a device once: a CUDA graph cannot replay the copy."""
    with torch.inference_mode(mode=False):  # training may be next to use it
        return to_device(torch.tensor(matrix, dtype=dtype), device)


def _solve(square: Tensor, right: Tensor, ridge: float) -> Tensor:
    """Ridge regression: `(square + ridge)^-1 right`."""
    eye = torch.eye(len(square), dtype=square.dtype)
    solved: Tensor = torch.linalg.solve(square + ridge * eye, right)
    return solved

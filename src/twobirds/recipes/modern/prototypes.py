"""Prototypes: what matched faces with and without an attribute differ in on average.

After Rowland and Perrett (1995). In pixels they are what edits begin as; in frozen features they
say in which direction an edit is to go (deep feature interpolation, Upchurch et al., 2017).
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.models.pretrained import EfficientNetLite
from twobirds.recipes.modern.feature_means import FeatureMeans, MeanMoments, statistics
from twobirds.recipes.modern.matching import contrast_weights, overlap_weights
from twobirds.recipes.modern.views import VIEW_SIZE

_CHUNK = 64  # faces at a time
_LEVELS = (2, 3)  # of the features: strides 16 and 32
_GRIDS = (6, 3)
_MIN_VARIANCE = 1e-6
_COLOUR_GRID = 8  # pixels of the image in a place whose colour counts


class Prototypes(nn.Module):
    """Mean differences in frozen features, and how colourful each attribute's is in pixels.

    Args:
        feature_channels: Of the frozen features, fine to coarse.
        num_attributes: K.
    """

    colourfulness: Tensor

    def __init__(self, *, feature_channels: tuple[int, ...], num_attributes: int) -> None:
        super().__init__()
        for level, grid in zip(_LEVELS, _GRIDS, strict=True):
            width = feature_channels[level]
            self.register_buffer(f"scale{level}", torch.ones(width))
            self.register_buffer(
                f"direction{level}", torch.zeros(num_attributes, width * grid * grid)
            )
        self.register_buffer("colourfulness", torch.zeros(num_attributes))

    def pull(self, before: list[Tensor], after: list[Tensor], change: Tensor) -> Tensor:
        """How far edits fall short of their prototypes' direction in frozen features.

        Only the part along the direction counts, and no more than the whole of it is asked for:
        what else changes is D's to judge.

        Args:
            before: Features of B sources, fine to coarse, `[B, C_l, h_l, w_l]`.
            after: Features of their edits, seen through the same views.
            change: `[B, K]` in [-1, 1].

        Returns:
            Scalar `[]` float32, 0 or more.
        """
        total = change.new_zeros(())
        for level in _LEVELS:
            scale = self.get_buffer(f"scale{level}")[:, None, None]
            moved = ((after[level] - before[level].detach()).float() / scale).flatten(1)
            every = self.get_buffer(f"direction{level}")
            wanted = change @ every  # [B, C h w]
            length = wanted.square().sum(1)
            usual = every.square().sum(1).mean()
            share = (moved * wanted).sum(1) / length.clamp(min=1e-6)
            weight = length / (length + usual).clamp(min=1e-6)
            total = total + (F.relu(1 - share).square() * weight).mean() / len(_LEVELS)
        return total

    @torch.no_grad()
    def fit(
        self, pack: Pack, network: EfficientNetLite, exclusion: Tensor, means: FeatureMeans
    ) -> Tensor:
        """Set the buffers from the train split.

        Args:
            pack: The faces.
            network: The frozen features.
            exclusion: `[K, K]` 0/1: which attributes exclude which.
            means: Set, too, from the same pass over the faces.

        Returns:
            The prototypes in pixels, `[K, 3, H, W]` float32, symmetric as faces are.
        """
        rows = pack.rows("train")
        labels = torch.from_numpy(pack.attributes[rows]).float()
        weights = contrast_weights(labels, overlap_weights(labels, exclusion.cpu()))  # [N, K]
        device = self.colourfulness.device
        pixels = torch.zeros(labels.shape[1], 3 * pack.size**2)
        moments: dict[int, Tensor] = {}
        of_means = MeanMoments(labels.shape[1])
        for level in _LEVELS:
            self.get_buffer(f"direction{level}").zero_()
        for part, images in _chunks(pack, rows):
            weight = weights[part].T  # [K, n]
            pixels += weight @ images.flatten(1)
            features = network.features(_shrink(images.to(device)))
            of_means.add(statistics(features), weight.to(device))
            for level in _LEVELS:
                found = features[level].float()
                self.get_buffer(f"direction{level}").add_(weight.to(device) @ found.flatten(1))
                sums = torch.stack([found.mean((0, 2, 3)), found.square().mean((0, 2, 3))])
                moments[level] = moments.get(level, 0) + sums * len(found) / len(rows)
        for level, (mean, square) in moments.items():
            scale = (square - mean.square()).clamp(min=_MIN_VARIANCE).sqrt()
            self.get_buffer(f"scale{level}").copy_(scale)
            direction = self.get_buffer(f"direction{level}").unflatten(1, (len(scale), -1))
            direction.div_(scale[:, None])
        means.set_moments(of_means)
        prototypes: Tensor = pixels.unflatten(1, (3, pack.size, pack.size))
        prototypes = (prototypes + prototypes.flip(3)) / 2
        self.colourfulness.copy_(_colourfulness(prototypes))
        return prototypes


def chroma(change: Tensor) -> Tensor:
    """How the colours of places of 8x8 pixels change, light aside: `[B, 3, H / 8, W / 8]`."""
    coarse: Tensor = F.avg_pool2d(change, _COLOUR_GRID)
    casts: Tensor = coarse - coarse.mean(1, keepdim=True)
    return casts


def _colourfulness(prototypes: Tensor) -> Tensor:
    """`[K]` in [0, 1]: 1 for the attributes that are the most about colour."""
    strength = chroma(prototypes).abs().mean((1, 2, 3))
    usual: Tensor = torch.quantile(strength, 0.9).clamp(min=1e-12)
    relative: Tensor = (strength / usual).clamp(max=1)
    return relative


def _chunks(pack: Pack, rows: np.ndarray) -> Iterator[tuple[slice, Tensor]]:
    """Places within `rows` and their faces `[n, 3, H, W]` in [-1, 1]."""
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        yield part, from_pixels(torch.from_numpy(pack.images[rows[part]]))


def _shrink(images: Tensor) -> Tensor:
    """Faces at the size of a view, channels last."""
    seen = F.interpolate(images, (VIEW_SIZE, VIEW_SIZE), mode="bilinear", antialias=True)
    return seen.contiguous(memory_format=torch.channels_last)

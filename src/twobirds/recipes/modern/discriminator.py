"""D on frozen features (Projected GAN, Sauer et al., 2021), conditioned on attributes.

The condition enters by projection (Miyato and Koyama, 2018).
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from twobirds.models.blocks import upsample
from twobirds.models.layers import BatchNorm
from twobirds.runtime import average_values, num_processes

_MIXED_CHANNELS = (32, 64, 64, 128)  # of the mixed features, fine to coarse
_HEAD_CHANNELS = (64, 64, 96, 128)
_GRIDS = (24, 12, 6, 3)
_NORM_GROUPS = 8
_ATTRIBUTE_SCALE = 3.0  # of the projection on attributes: at 1 D does not tell them apart
_NUM_HIDDEN = 256
_CONFIDENCE_STEP = 0.05  # of the moving average, for each face
_FOCUS = 4.0  # weight of the attribute that is to be judged, in units of the others'


class HeadOutput(NamedTuple):
    """The output of one head on B faces, before it is conditioned on attributes."""

    score: Tensor
    """`[B]`, the unconditional score."""
    embedding: Tensor
    """`[B, C]`, whose inner product with embedded attributes is added to the score."""


class FeatureMixing(nn.Module):
    """Fixed random mixtures of channels, and of coarse features into finer ones.

    They keep D from attending to a few channels alone. Their weights never learn.

    Args:
        channels: Of the four feature maps, fine to coarse.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.across = nn.ModuleList(
            nn.Conv2d(a, b, 1, bias=False) for a, b in zip(channels, _MIXED_CHANNELS, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Conv2d(b, a, 3, padding=1, bias=False)
            for a, b in itertools.pairwise(_MIXED_CHANNELS)
        )
        for layer in (*self.across, *self.down):
            assert isinstance(layer, nn.Conv2d)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Mix features `[B, C_l, h_l, w_l]`, fine to coarse."""
        mixed = [layer(f) for layer, f in zip(self.across, features, strict=True)]
        for i in range(len(mixed) - 2, -1, -1):
            mixed[i] = (self.down[i](upsample(mixed[i + 1])) + mixed[i]) * 0.5**0.5
        return mixed


class Head(nn.Module):
    """Convolutions on one of the mixed features, down to a score and an embedding.

    Args:
        in_channels: C of the features.
        channels: Of the head.
        grid: Height and width of the features.
        num_attributes: K.
    """

    def __init__(self, in_channels: int, channels: int, grid: int, num_attributes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while grid > 3:
            convolution = spectral_norm(nn.Conv2d(in_channels, channels, 4, 2, 1, bias=False))
            layers += [convolution, nn.GroupNorm(_NORM_GROUPS, channels), nn.LeakyReLU(0.2)]
            in_channels, grid = channels, grid // 2
        layers += [spectral_norm(nn.Conv2d(in_channels, channels, 3, 1, 1)), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.score = spectral_norm(nn.Conv2d(channels, 1, 3))
        self.embed = spectral_norm(nn.Conv2d(channels, channels, 3))
        self.attributes = spectral_norm(nn.Linear(num_attributes, channels, bias=False))
        self.scale = _ATTRIBUTE_SCALE * channels**-0.5

    def forward(self, features: Tensor) -> HeadOutput:
        """Map mixed features `[B, C, h, w]`; the head ends in a 3x3 grid."""
        hidden = self.body(features)
        return HeadOutput(
            self.score(hidden).flatten().float(), self.embed(hidden).flatten(1).float()
        )

    def project(self, output: HeadOutput, conditions: Tensor) -> Tensor:
        """Scores `[B]` of faces that are conditioned on attributes `[B, K]`."""
        embedded = self.attributes(conditions).float()
        projected: Tensor = (output.embedding * embedded).sum(1) * self.scale
        return output.score + projected


class ProjectedDiscriminator(nn.Module):
    """Four heads on mixed frozen features, and a classifier of attributes on their means.

    Args:
        feature_channels: Of the frozen features, fine to coarse.
        num_attributes: K.
    """

    confidence: Tensor
    """`[2, K]`: mean logit of real faces that have each value, times 1 or -1: above 0 is right."""

    def __init__(self, *, feature_channels: Sequence[int], num_attributes: int) -> None:
        super().__init__()
        self.register_buffer("confidence", torch.ones(2, num_attributes))
        self.mixing = FeatureMixing(feature_channels)
        self.heads = nn.ModuleList(
            Head(c, width, grid, num_attributes)
            for c, width, grid in zip(_MIXED_CHANNELS, _HEAD_CHANNELS, _GRIDS, strict=True)
        )
        pooled = sum(feature_channels[1:])
        self.classifier = nn.Sequential(
            BatchNorm(pooled),
            nn.Linear(pooled, _NUM_HIDDEN),
            nn.ReLU(),
            nn.Linear(_NUM_HIDDEN, num_attributes),
        )

    def forward(self, features: Sequence[Tensor]) -> list[HeadOutput]:
        """Outputs of the four heads on frozen features of B faces, fine to coarse."""
        return [head(m) for head, m in zip(self.heads, self.mixing(features), strict=True)]

    def score(
        self, outputs: Sequence[HeadOutput], rows: slice | Tensor, conditions: Tensor
    ) -> Tensor:
        """Scores `[N, 4]` of N of the faces, conditioned on attributes `[N, K]`.

        Args:
            outputs: Outputs of the heads on the faces.
            rows: Which of the faces.
            conditions: `[N, K]`; see `conditions_of`.
        """
        scores: list[Tensor] = []
        for head, output in zip(self.heads, outputs, strict=True):
            assert isinstance(head, Head)
            chosen = HeadOutput(output.score[rows], output.embedding[rows])
            scores.append(head.project(chosen, conditions))
        return torch.stack(scores, dim=1)

    @staticmethod
    def realness(outputs: Sequence[HeadOutput], rows: slice | Tensor) -> Tensor:
        """Scores `[N, 4]` of N of the faces that depend on no attributes."""
        return torch.stack([output.score[rows] for output in outputs], dim=1)

    def classify(self, features: Sequence[Tensor]) -> Tensor:
        """Attribute logits `[B, K]` float32."""
        pooled = torch.cat([f.mean((2, 3)) for f in features[1:]], dim=1)
        logits: Tensor = self.classifier(pooled)
        return logits.float()

    @torch.no_grad()
    def update_confidence(self, logits: Tensor, columns: Tensor, values: Tensor) -> None:
        """Update `confidence`, a moving average, from the classifier's logits of real faces.

        Args:
            logits: `[N, K]` of real faces.
            columns: `[N]` int64: the attribute of each that counts.
            values: `[N]` int64, 0 or 1: the value that the face has of it.
        """
        own = logits.gather(1, columns[:, None])[:, 0] * (2 * values - 1)  # [N]
        flat = self.confidence.view(-1)
        places = values * self.confidence.shape[1] + columns
        totals = torch.zeros(2, len(flat), device=flat.device)  # faces, and sums of their logits
        totals[0].index_add_(0, places, torch.ones_like(own))
        totals[1].index_add_(0, places, own)
        counts, sums = average_values(totals) * num_processes()
        weight = 1 - (1 - _CONFIDENCE_STEP) ** counts  # 0 where no face counts
        flat.lerp_(sums / counts.clamp(min=1), weight)


def conditions_of(attributes: Tensor, columns: Tensor | None = None) -> Tensor:
    """The condition: attributes in [-0.5, 0.5], the one to be judged in [-2, 2].

    Args:
        attributes: `[N, K]` in [0, 1].
        columns: `[N]` int64: the attribute to be judged of each face; None weighs all alike.

    Returns:
        `[N, K]` float32.
    """
    conditions = attributes - 0.5
    if columns is not None:
        focus = F.one_hot(columns, attributes.shape[1]).to(conditions.dtype)
        conditions = conditions * (1 + (_FOCUS - 1) * focus)
    return conditions


def hinge(scores: Tensor, sign: int) -> Tensor:
    """Hinge loss of scores `[N, 4]` that shall be above 1 (sign 1) or below -1 (sign -1), `[N]`."""
    return F.relu(1 - sign * scores).sum(1)

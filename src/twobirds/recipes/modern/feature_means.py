"""Matching of means of frozen features: edits shall move them as far as real faces differ.

After generative feature matching networks (dos Santos et al., 2019), which match running means of
features in place of a game with D; here one mean for each attribute and value, whitened. The loss
has no gradient once edits have the mean of real faces, so it neither falls short nor exaggerates.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from twobirds.runtime import average_values, num_processes

_RIDGE = 1.0  # added to the correlations before they are inverted: rare directions are noise
_MIN_VARIANCE = 1e-6
_STEP = 0.01  # of the running mean of an attribute and value, for each edit of it
_STEP_OF_ALL = 0.002  # of the running mean of all edits, for each edit


class FeatureMeans(nn.Module):
    """Running means of what edits still lack, by attribute and value.

    Args:
        feature_channels: Of the frozen features, fine to coarse.
        num_attributes: K.
    """

    scale: Tensor
    """`[S]`: standard deviations of the statistics of real faces."""
    shift: Tensor
    """`[K, S]`: by how many of them matched faces with and without an attribute differ."""
    precision: Tensor
    """`[S, S]`: inverse of their correlations."""
    excess: Tensor
    """`[2, K, S]`: running means of what edits changed more than `shift`, by value."""
    excess_of_all: Tensor
    """`[S]`: the same of all edits: faults that they share show here first."""
    count: Tensor
    """`[2, K]`: edits that these means are of."""

    def __init__(self, *, feature_channels: Sequence[int], num_attributes: int) -> None:
        super().__init__()
        width = 2 * sum(feature_channels)
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("shift", torch.zeros(num_attributes, width))
        self.register_buffer("precision", torch.eye(width))
        self.register_buffer("excess", torch.zeros(2, num_attributes, width))
        self.register_buffer("excess_of_all", torch.zeros(width))
        self.register_buffer("count", torch.zeros(2, num_attributes))

    def distance(
        self, before: list[Tensor], after: list[Tensor], change: Tensor, columns: Tensor
    ) -> Tensor:
        """Loss whose gradient is that of the squared, whitened distance of the means.

        Args:
            before: Features of B sources, fine to coarse, `[B, C_l, h_l, w_l]`.
            after: Features of their edits, seen through the same views.
            change: `[B, K]` in [-1, 1].
            columns: `[B]` int64: the attribute that each edit is about.

        Returns:
            Scalar `[]` float32; its value has no meaning, and may be negative.
        """
        excess = self._excess(before, after, change)  # [B, S]
        values = _values(change, columns)
        self._update(excess.detach(), columns, values)
        means = self.excess[values, columns] + self.excess_of_all  # [B, S]
        direction = means @ self.precision
        distance: Tensor = (excess * direction).sum(1).mean() / len(self.scale) ** 0.5
        return distance

    @torch.no_grad()
    def observe(
        self, before: list[Tensor], after: list[Tensor], change: Tensor, columns: Tensor
    ) -> None:
        """Update the means by edits that nothing learns from; the arguments are `distance`'s.

        An editor that began with means of a few edits would be driven by their noise.
        """
        self._update(self._excess(before, after, change), columns, _values(change, columns))

    def _excess(self, before: list[Tensor], after: list[Tensor], change: Tensor) -> Tensor:
        """What edits changed more than real faces differ, `[B, S]`."""
        moved = (statistics(after) - statistics(before).detach()) / self.scale
        return moved - change @ self.shift

    @torch.no_grad()
    def _update(self, excess: Tensor, columns: Tensor, values: Tensor) -> None:
        """Update the running means by those of a batch, `[B, S]`."""
        num_attributes, width = self.shift.shape
        places = values * num_attributes + columns
        sums = torch.zeros(2 * num_attributes, width + 1, device=excess.device)
        sums[:, :width].index_add_(0, places, excess)
        sums[:, width].index_add_(0, places, torch.ones_like(columns, dtype=sums.dtype))
        sums = average_values(sums) * num_processes()
        new, total = sums[:, width], self.count.view(-1)
        total += new
        means = sums[:, :width] / new.clamp(min=1)[:, None]
        self.excess.view(-1, width).lerp_(means, _step(_STEP, new, total)[:, None])
        all_new, all_total = new.sum(), total.sum()
        mean = sums[:, :width].sum(0) / all_new
        self.excess_of_all.lerp_(mean, _step(_STEP_OF_ALL, all_new, all_total))

    @torch.no_grad()
    def set_moments(self, moments: "MeanMoments") -> None:
        """Set what is known of real faces."""
        covariance = moments.covariance()
        scale = covariance.diagonal().clamp(min=_MIN_VARIANCE).sqrt()
        correlations = covariance / torch.outer(scale, scale)
        ridge = _RIDGE * torch.eye(len(scale), dtype=scale.dtype)
        self.precision.copy_(torch.linalg.inv(correlations + ridge))
        self.scale.copy_(scale)
        self.shift.copy_(moments.shift / scale)


def _values(change: Tensor, columns: Tensor) -> Tensor:
    """What each edit's own attribute changes to, `[B]` int64."""
    return (change.gather(1, columns[:, None])[:, 0] > 0).long()


def _step(size: float, new: Tensor, total: Tensor) -> Tensor:
    """Step of a running mean: of all edits at first, so that it does not begin at zero."""
    return torch.maximum(1 - (1 - size) ** new, new / total.clamp(min=1))


class MeanMoments:
    """Sums of `statistics` over real faces, on the CPU in float64.

    Args:
        num_attributes: K.
    """

    def __init__(self, num_attributes: int) -> None:
        self.count = 0
        self.shift = torch.zeros(num_attributes, 1, dtype=torch.float64)
        """`[K, S]`: differences of weighted means."""
        self._sums = torch.zeros(1, dtype=torch.float64)
        self._products = torch.zeros(1, 1, dtype=torch.float64)

    def add(self, found: Tensor, weights: Tensor) -> None:
        """Add faces.

        Args:
            found: `[n, S]`: their statistics.
            weights: `[K, n]`: of each face in the difference of each attribute.
        """
        found, weights = found.double().cpu(), weights.double().cpu()
        self.count += len(found)
        self._sums = self._sums + found.sum(0)
        self._products = self._products + found.T @ found
        self.shift = self.shift + weights @ found

    def covariance(self) -> Tensor:
        """`[S, S]` float64."""
        mean = self._sums / self.count
        return self._products / self.count - torch.outer(mean, mean)


def statistics(features: Sequence[Tensor]) -> Tensor:
    """Mean and standard deviation of each channel over the places, `[B, S]` float32."""
    found = []
    for level in features:
        places = level.float().flatten(2)  # [B, C, h w]
        found += [places.mean(2), (places.var(2, unbiased=False) + _MIN_VARIANCE).sqrt()]
    return torch.cat(found, dim=1)

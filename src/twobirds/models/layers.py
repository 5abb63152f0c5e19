"""Layers and weight handling that the networks share."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from twobirds.runtime import average_values, gather_values, num_processes

LEAKY_SLOPE = 0.2
"""Slope of leaky ReLU below zero, as in DCGAN."""


class BatchNorm(nn.Module):
    """Batch normalization over all processes, with running statistics that can be held still.

    In training the statistics are those of the whole batch, spread over however many processes,
    so that two processes compute what one would. Buffers follow torch's names.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.updates_statistics = True
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize `[B, C]` or `[B, C, H, W]` per channel; same shape and dtype out."""
        if self.training and num_processes() > 1:
            return self._forward_distributed(x)
        running = self.updates_statistics or not self.training
        normalized: Tensor = F.batch_norm(
            x,
            self.running_mean if running else None,
            self.running_var if running else None,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.eps,
        )
        return normalized

    def _forward_distributed(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            mean, variance = statistics = _statistics_of_all(x)
            if self.updates_statistics:
                count = _values_per_channel(x) * num_processes()
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        normalized = _NormalizeOverProcesses.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, statistics, self.eps
        )
        assert isinstance(normalized, Tensor)
        return normalized


def _values_per_channel(x: Tensor) -> int:
    return x.numel() // x.shape[1]


def _statistics_of_all(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance, each `[C]` float32, of all processes' `[B, C, ...]`; one exchange.

    All have equally many values. A difference of mean squares would lose half of the digits.
    """
    own = torch.stack(torch.batch_norm_update_stats(x.float(), None, None, 0.0))  # [2, C]
    means, variances = gather_values(own).unbind(1)  # each [P, C]
    mean = means.mean(0)
    return mean, variances.mean(0) + (means - mean).square().mean(0)


class _NormalizeOverProcesses(torch.autograd.Function):
    """Batch norm by the given statistics of all processes, which are functions of its input.

    PyTorch's fused passes do the work, forward and backward; SyncBatchNorm is for GPUs alone.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        statistics: tuple[Tensor, Tensor],
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, *statistics)
        ctx.eps = eps
        return F.batch_norm(x.float(), *statistics, weight, bias, eps=eps).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        saved, weight, mean, variance = ctx.saved_tensors
        x, gradient = saved.float(), gradients[0].float()
        inverse = torch.rsqrt(variance + ctx.eps)
        # This process's gradients of weight and bias: those of all are averaged before a step.
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, None, None, mean, inverse, True, ctx.eps, [False, True, True]
        )
        sums = average_values(torch.stack([of_weight, of_bias]))  # [2, C], over P
        product, constant = (sums / _values_per_channel(x)).unbind()
        # With y the normalized x: weight / deviation * (gradient - mean(gradient * y) * y
        # - mean(gradient)).
        scale = weight * inverse
        of_x = F.batch_norm(x, mean, variance, -scale * product, -scale * constant, eps=ctx.eps)
        of_x.addcmul_(gradient, scale.view(1, -1, *(1,) * (x.ndim - 2)))
        return of_x.to(saved.dtype), of_weight, of_bias, None, None


def initialize(module: nn.Module, generator: torch.Generator) -> None:
    """Sample weights from N(0, 0.02), those of batch norm from N(1, 0.02), as DCGAN does."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02, generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, BatchNorm):
            nn.init.normal_(layer.weight, 1.0, 0.02, generator)


@contextlib.contextmanager
def frozen_weights(module: nn.Module) -> Iterator[None]:
    """Let gradients flow through a network, but not into its weights; save their cost."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextlib.contextmanager
def frozen_statistics(module: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norm as they are during training passes."""
    layers = [m for m in module.modules() if isinstance(m, BatchNorm) and m.updates_statistics]
    for layer in layers:
        layer.updates_statistics = False
    try:
        yield
    finally:
        for layer in layers:
            layer.updates_statistics = True


@contextlib.contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Dropout off and batch norm by its running statistics; then the mode as it was."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def rotate_and_zoom(images: Tensor, angle: Tensor, scale: Tensor) -> Tensor:
    """Rotate faces in their plane and zoom in or out.

    Args:
        images: `[B, 3, H, W]`.
        angle: `[B]`, radians.
        scale: `[B]`: side of the part shown, as a factor; beyond the edge lies its mirror image.

    Returns:
        The same shape; gradients pass.
    """
    if not images.shape[0]:
        return images
    across, along = scale * torch.cos(angle), scale * torch.sin(angle)
    none = torch.zeros_like(angle)
    rows = (torch.stack([across, -along, none], 1), torch.stack([along, across, none], 1))
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


class _InwardClamp(torch.autograd.Function):
    """Clamp whose gradient is only cut where a step against it would lead further out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bounds = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,), (low, high) = ctx.saved_tensors, ctx.bounds
        outward = ((x < low) & (gradient > 0)) | ((x > high) & (gradient < 0))
        return gradient.masked_fill(outward, 0), None, None


def clamp_inward(x: Tensor, low: float, high: float) -> Tensor:
    """Clamp a network's output so that what lies outside can come back.

    The gradient of a plain clamp is 0 there, and a pixel that was once painted black stays black.

    Args:
        x: Any shape, floating-point.
        low: Least value.
        high: Greatest value.

    Returns:
        Shape and dtype of `x`; the gradient passes, but for the part that leads further out.
    """
    if not torch.is_grad_enabled():
        return x.clamp(low, high)
    clamped: Tensor = _InwardClamp.apply(x, low, high)  # type: ignore[no-untyped-call]
    return clamped

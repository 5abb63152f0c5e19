"""Layers and weight handling that the networks share."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.runtime import differentiable_sum, num_processes

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
        x32 = x.float()
        axes = [0, *range(2, x.ndim)]
        count = x.numel() // x.shape[1] * num_processes()
        shape = (1, -1) + (1,) * (x.ndim - 2)
        # In two steps: a difference of mean squares would lose half of the digits.
        mean = differentiable_sum(x32.sum(axes)) / count  # [C]
        centered = x32 - mean.view(shape)
        variance = differentiable_sum(centered.square().sum(axes)) / count  # [C]
        if self.updates_statistics:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalized: Tensor = centered * scale.view(shape) + self.bias.view(shape)
        return normalized.to(x.dtype)


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

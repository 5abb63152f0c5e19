"""EfficientNet-lite: EfficientNet without squeeze-and-excitation, with ReLU6.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019);
the lite variants are those of the authors' TPU repository.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_NORM_EPS = 1e-3
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


@dataclass(frozen=True)
class Scaling:
    """Compound scaling of lite0 (Sec. 3.3); the stem and the head keep their widths."""

    width: float
    depth: float

    def channels(self, base: int) -> int:
        """Scale a number of channels to a multiple of 8, never by less than 0.9 of the factor."""
        scaled = base * self.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def repeats(self, base: int) -> int:
        """Scale a number of blocks, rounded up."""
        return math.ceil(base * self.depth)


SCALINGS = {"lite0": Scaling(1.0, 1.0), "lite1": Scaling(1.0, 1.1), "lite2": Scaling(1.1, 1.2)}


@dataclass(frozen=True)
class _Stage:
    """Blocks of one resolution in lite0; only the first block of a stage has its stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    """Channels of the depthwise convolution, as a multiple of the block's input."""
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_FEATURE_STAGES = (1, 2, 4, 6)  # the last stages at strides 4, 8, 16 and 32


def relu6(convolved: Tensor) -> Tensor:
    """ReLU6 in place: of a convolution's or a batch norm's output nothing else needs the values."""
    return F.relu6(convolved, inplace=True)


class _ConvNorm(nn.Module):
    """Convolution and batch norm, padded as TensorFlow's SAME: output = ceil(input / stride)."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=_NORM_EPS)

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', ceil(H / stride), ceil(W / stride)]`."""
        conv, weight = self.conv, self.conv.weight
        kernel, stride = conv.kernel_size[0], conv.stride[0]
        rows, columns = (_total_padding(side, kernel, stride) for side in images.shape[2:])
        odd = rows % 2, columns % 2  # pixels that the padding has more at the end
        padding = rows // 2 + odd[0], columns // 2 + odd[1]
        if any(odd) and images.device.type == "cpu" and not _is_differentiated():
            # As much padding at the start, under zeros of the kernel: a padded copy costs more,
            # but the gradients of a larger kernel cost more than the copy's.
            weight = F.pad(weight, (odd[1], 0, odd[0], 0))
        elif any(odd):
            ends = (columns // 2, padding[1], rows // 2, padding[0])
            images, padding = F.pad(images, ends), (0, 0)
        convolved = F.conv2d(images, weight, conv.bias, stride, padding, groups=conv.groups)
        normed: Tensor = self.norm(convolved)
        return normed

    def fold(self) -> None:
        """Merge the batch norm's running statistics into the convolution; for inference only."""
        assert isinstance(self.norm, nn.BatchNorm2d)
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


def _is_differentiated() -> bool:
    """Whether there may be gradients, or the exporter follows the weights of convolutions."""
    return torch.is_grad_enabled() or torch.onnx.is_in_onnx_export()


def _total_padding(side: int, kernel: int, stride: int) -> int:
    """Pixels to add to a side, so that the output's is ceil(side / stride)."""
    return max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)


class _InvertedResidual(nn.Module):
    """Expand, filter each channel, project; with a skip connection where the shape is kept."""

    def __init__(self, inputs: int, outputs: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        self.expand = _ConvNorm(inputs, inner) if stage.expansion > 1 else None
        self.depthwise = _ConvNorm(inner, inner, stage.kernel, stride, groups=inner)
        self.project = _ConvNorm(inner, outputs)
        self.has_skip = stride == 1 and inputs == outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', ceil(H / stride), ceil(W / stride)]`."""
        hidden = inputs if self.expand is None else relu6(self.expand(inputs))
        outputs: Tensor = self.project(relu6(self.depthwise(hidden)))
        return inputs + outputs if self.has_skip else outputs


class EfficientNetLite(nn.Module):
    """An EfficientNet-lite classifier, whose features serve on their own.

    Images are `[B, 3, H, W]` float32 in [-1, 1]: the published weights expect (v - 127) / 128 of
    levels v from 0 to 255, which is that range to within 1/127.

    Args:
        scaling: One of `SCALINGS`.
        num_classes: Number of outputs of the classifier.
    """

    def __init__(self, scaling: Scaling, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = _ConvNorm(3, _STEM_CHANNELS, 3, 2)
        widths = [_STEM_CHANNELS, *(scaling.channels(stage.channels) for stage in _STAGES)]
        self.blocks = nn.ModuleList()
        last: list[int] = []  # index of the last block of each stage
        for stage, (inputs, outputs) in zip(_STAGES, pairwise(widths), strict=True):
            is_outer = stage in (_STAGES[0], _STAGES[-1])  # one block in every variant
            repeats = 1 if is_outer else scaling.repeats(stage.repeats)
            self.blocks.append(_InvertedResidual(inputs, outputs, stage, stage.stride))
            for _ in range(repeats - 1):
                self.blocks.append(_InvertedResidual(outputs, outputs, stage, 1))
            last.append(len(self.blocks) - 1)
        self.feature_blocks = tuple(last[number] for number in _FEATURE_STAGES)
        self.feature_channels = tuple(widths[number + 1] for number in _FEATURE_STAGES)
        self.head = _ConvNorm(widths[-1], _HEAD_CHANNELS)
        self.classifier = nn.Linear(_HEAD_CHANNELS, num_classes)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """The last block's output at strides 4, 8, 16 and 32, each `[B, C_l, H_l, W_l]`."""
        hidden = relu6(self.stem(images))
        found: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            hidden = block(hidden)
            if index in self.feature_blocks:
                found.append(hidden)
        return tuple(found)

    def pooled(self, images: Tensor) -> Tensor:
        """The classifier's input, `[B, 1280]`: the head averaged over the image."""
        return relu6(self.head(self.features(images)[-1])).mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Class logits `[B, num_classes]`."""
        logits: Tensor = self.classifier(self.pooled(images))
        return logits

    def fold_batch_norms(self) -> None:
        """Merge each batch norm into its convolution: the same outputs, faster.

        Only in evaluation mode: a folded network has no batch statistics left to learn.
        """
        for module in self.modules():
            if isinstance(module, _ConvNorm):
                module.fold()

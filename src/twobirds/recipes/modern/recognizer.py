"""The attribute recognizer, and a head that tells people apart; both see real faces alone."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.layers import BatchNorm

_NUM_EMBEDDED = 128
_SQUEEZE = 4  # by how much the bottleneck of the channel attention is narrower


class RecognizerBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and channel attention, beside a shortcut.

    The attention is squeeze-and-excitation (Hu et al., 2018).

    Args:
        in_channels: C of what comes in.
        out_channels: C' of what goes out.
        stride: By how much height and width shrink.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.norms = nn.ModuleList(BatchNorm(c) for c in (in_channels, out_channels))
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.squeeze = nn.Linear(out_channels, out_channels // _SQUEEZE)
        self.excite = nn.Linear(out_channels // _SQUEEZE, out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', H / stride, W / stride]`."""
        h = self.first(F.relu(self.norms[0](x)))
        h = self.second(F.relu(self.norms[1](h)))
        attention = torch.sigmoid(self.excite(F.relu(self.squeeze(h.mean((2, 3))))))
        h = h * attention[:, :, None, None]
        return self.shortcut(F.avg_pool2d(x, self.stride) if self.stride > 1 else x) + h  # type: ignore[no-any-return]


class AttributeRecognizer(nn.Module):
    """A small residual network; its first grid is 32x32 whatever the image's size.

    Args:
        num_attributes: K.
        size: Height and width of the images, 32 or more.
        channels: Of the grids 32x32, 16x16, 8x8, 4x4.
    """

    def __init__(self, *, num_attributes: int, size: int, channels: Sequence[int]) -> None:
        super().__init__()
        stem: list[nn.Module] = []
        c_in = 3
        for stride in [2] * ((size // 32).bit_length() - 1) or [1]:
            stem.append(nn.Conv2d(c_in, channels[0], 3, stride, 1, bias=False))
            c_in = channels[0]
        self.stem = nn.ModuleList(stem)
        self.blocks = nn.ModuleList(
            RecognizerBlock(c, c_out, stride=2 if i else 1)
            for i, (c, c_out) in enumerate(zip((c_in, *channels[:-1]), channels, strict=True))
        )
        self.norm = BatchNorm(channels[-1])
        self.attributes = nn.Linear(channels[-1], num_attributes)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Classify the attributes of faces `[B, 3, H, W]` in [-1, 1].

        Returns:
            Attribute logits `[B, K]`; features `[B, C, h, w]` of each block, fine to coarse.
        """
        x = images.contiguous(memory_format=torch.channels_last)
        for i, convolution in enumerate(self.stem):
            x = convolution(F.relu(x) if i else x)
        features = []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        pooled = F.relu(self.norm(x)).mean((2, 3))  # [B, C]
        return self.attributes(pooled), features


class PersonHead(nn.Module):
    """Embeds faces by who they show, from the last features of a recognizer; for training only.

    Args:
        num_features: C of those features.
        num_people: P.
    """

    def __init__(self, num_features: int, num_people: int) -> None:
        super().__init__()
        self.norm = BatchNorm(num_features)
        self.embed = nn.Linear(num_features, _NUM_EMBEDDED, bias=False)
        self.people = nn.Linear(_NUM_EMBEDDED, num_people, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Embed faces of features `[B, C, h, w]`: `[B, 128]` float32 of unit length."""
        pooled = F.relu(self.norm(features.float())).mean((2, 3))  # [B, C]
        return F.normalize(self.embed(pooled), dim=1)

    def cosines(self, embeddings: Tensor) -> Tensor:
        """Of embeddings `[B, 128]` to the people: `[B, P]` float32 in [-1, 1]."""
        return embeddings @ F.normalize(self.people.weight.float(), dim=1).T

"""The discriminator: is it a real face, and one with these attributes."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import DownBlock, he_init

_NUM_HIDDEN = 256
_GROUP = 4  # faces of one minibatch standard deviation


class ProjectionDiscriminator(nn.Module):
    """Residual blocks without norm, and a score that projects on the attributes.

    The score is w h + h V c of hidden features h and attributes c (Miyato and Koyama, 2018).

    Args:
        num_attributes: K.
        channels: Of each grid, from half the image's to 4x4.
    """

    def __init__(self, *, num_attributes: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(c_in, c_out, has_norm=False) for c_in, c_out in itertools.pairwise(channels)
        )
        # One channel more: the minibatch standard deviation.
        self.last = nn.Conv2d(channels[-1] + 1, channels[-1], 3, padding=1)
        self.hidden = nn.Linear(channels[-1] * 16, _NUM_HIDDEN)
        self.score = nn.Linear(_NUM_HIDDEN, 1)
        self.project = nn.Linear(num_attributes, _NUM_HIDDEN, bias=False)
        for layer in (self.last, self.hidden):
            he_init(layer)
        for layer in (self.pixels, self.score, self.project):
            he_init(layer, gain=1)

    def forward(self, images: Tensor, attributes: Tensor) -> Tensor:
        """Score faces.

        Args:
            images: `[B, 3, H, W]` in [-1, 1].
            attributes: `[B, K]` in [0, 1], which the faces have or shall have.

        Returns:
            `[B]`, unbounded: higher for real faces that have them.
        """
        x = self.pixels(images.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        x = self.last(F.leaky_relu(torch.cat([x, _minibatch_standard_deviation(x)], dim=1), 0.2))
        h = F.leaky_relu(self.hidden(F.leaky_relu(x, 0.2).flatten(1)), 0.2)  # [B, hidden]
        projected = (h * self.project(attributes * 2 - 1)).sum(1) / _NUM_HIDDEN**0.5
        return self.score(h).squeeze(1) + projected  # type: ignore[no-any-return]


def _minibatch_standard_deviation(x: Tensor) -> Tensor:
    """Minibatch standard deviation of groups of faces, `[B, 1, H, W]` (Karras et al., 2018).

    Faces a quarter of the batch apart make a group; a batch that four does not divide is one.
    """
    group = _GROUP if len(x) % _GROUP == 0 else len(x)
    variance = x.float().unflatten(0, (group, -1)).var(0, correction=0)  # [B / group, C, H, W]
    deviation = torch.sqrt(variance + 1e-8).mean((1, 2, 3))
    return deviation.repeat(group).to(x.dtype).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])

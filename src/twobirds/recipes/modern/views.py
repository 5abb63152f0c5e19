"""What the discriminator sees of a face: never the same pixels twice."""

from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.runtime import to_device

VIEW_SIZE = 96
"""Height and width of a view: enough for frozen features, at half the cost of 128."""
_CONTRAST, _BRIGHTNESS, _SATURATION = 0.15, 0.12, 0.3
_CAST = 0.12  # gain and offset of each colour channel
_CAST_SHARE = 0.5  # of the faces that get one
_ZOOM, _TURN, _SHIFT = 0.08, 0.1, 0.2  # factor, radians, part of half the side
_HIDDEN_SIDE, _HIDDEN_SHARE = 0.4, 0.3  # of a square, as a part of the face's; how many have one
_NOISE = 0.25  # largest standard deviation; half of the faces have none


class Views(NamedTuple):
    """Random changes of B faces. A face and its edit are seen through the same one.

    Colour casts are among them, so that no edit can gain by one: the faces that have an attribute
    differ a little from the others in light and colour, which is not what the attribute is.
    """

    contrast: Tensor
    saturation: Tensor
    gain: Tensor
    offset: Tensor
    theta: Tensor
    centre: Tensor
    is_hidden: Tensor
    noise: Tensor

    @classmethod
    def sample(cls, count: int, generator: torch.Generator, device: torch.device) -> Self:
        """Sample the changes of `count` faces; `generator` is on the CPU."""

        def uniform(*shape: int) -> Tensor:
            return torch.rand(count, *shape, generator=generator)

        def spread(*shape: int) -> Tensor:
            return 2 * uniform(*shape) - 1

        has_cast = (uniform(1, 1, 1) < _CAST_SHARE).float()
        zoom, turn = 1 + _ZOOM * spread(), _TURN * spread()
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0] = theta[:, 1, 1] = zoom
        theta[:, 0, 1], theta[:, 1, 0] = turn, -turn
        theta[:, :, 2] = _SHIFT * spread(2)
        views = cls(
            contrast=1 + _CONTRAST * spread(1, 1, 1),
            saturation=1 + _SATURATION * spread(1, 1, 1),
            gain=1 + _CAST * has_cast * spread(3, 1, 1),
            offset=_BRIGHTNESS * spread(1, 1, 1) + _CAST * has_cast * spread(3, 1, 1),
            theta=theta,
            centre=uniform(2),
            is_hidden=uniform(1) < _HIDDEN_SHARE,
            noise=_NOISE * spread(1, 1, 1).clamp(min=0),
        )
        return cls(*(to_device(change, device) for change in views))

    def __call__(self, images: Tensor, noise: Tensor) -> Tensor:
        """Show faces.

        Args:
            images: `[B, 3, H, W]` float32, about [-1, 1].
            noise: `[B, 3, 96, 96]`, standard normal; each face has its own share of it.

        Returns:
            `[B, 3, 96, 96]` float32, channels last; gradients pass.
        """
        mean = images.mean((1, 2, 3), keepdim=True)
        seen = torch.lerp(mean, images, self.contrast)
        seen = torch.lerp(seen.mean(1, keepdim=True), seen, self.saturation)
        seen = seen * self.gain + self.offset
        shape = [len(seen), 3, VIEW_SIZE, VIEW_SIZE]
        grid = F.affine_grid(self.theta, shape, align_corners=False)
        seen = F.grid_sample(seen, grid, padding_mode="reflection", align_corners=False)
        seen = seen * _outside_square(self.centre, self.is_hidden) + self.noise * noise
        return seen.contiguous(memory_format=torch.channels_last)


def _outside_square(centre: Tensor, is_hidden: Tensor) -> Tensor:
    """0 in a square around its centre `[B, 2]`, 1 elsewhere, or everywhere: `[B, 1, S, S]`."""
    places = (torch.arange(VIEW_SIZE, device=centre.device) + 0.5) / VIEW_SIZE
    is_near = (places - centre[:, :, None]).abs() < _HIDDEN_SIDE / 2  # [B, 2, S]
    square = is_near[:, 0, :, None] & is_near[:, 1, None, :] & is_hidden[:, :, None]
    return 1 - square.float().unsqueeze(1)

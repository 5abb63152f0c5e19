"""Directions of z along which faces differ most."""

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.api.model import FaceModel
from twobirds.errors import InputError

_FACES = 8  # random ones, at which is measured
_STEP = 0.2  # of finite differences
_GRID = 16  # height and width at which images are compared: of large things, not of pixels


@torch.no_grad()
def latent_directions(model: FaceModel, count: int, *, seed: int = 0) -> Tensor:
    """Directions of z that change generated faces most, the strongest first.

    The principal axes of what an image does when z moves: eigenvectors of the mean of J' J over
    some faces, J by finite differences on images of 16 pixels. Takes a pass for each entry of z.

    Args:
        model: Whose.
        count: How many; at most the length of z.
        seed: Of the faces.

    Returns:
        `[count, Z]` float32 of unit length, orthogonal; the largest entry of each is positive.

    Raises:
        InputError: If there are not so many.
    """
    if not 0 <= count <= model.num_latents:
        raise InputError(f"count must lie between 0 and {model.num_latents}, not {count}")
    generator = torch.Generator().manual_seed(seed)
    latents = torch.rand(_FACES, model.num_latents, generator=generator) - 0.5  # [N, Z]
    rows = model.complete_attributes(_FACES, {}, seed=seed)
    start = _small(model.decode(latents, rows))
    slopes = []
    for axis in range(model.num_latents):
        moved = latents.clone()
        moved[:, axis] += _STEP
        slopes.append((_small(model.decode(moved, rows)) - start) / _STEP)
    jacobian = torch.stack(slopes, dim=2)  # [N, pixels, Z]
    metric = (jacobian.mT @ jacobian).mean(0)  # [Z, Z]
    axes: Tensor = torch.linalg.eigh(metric)[1].T.flip(0)[:count]
    signs = axes.gather(1, axes.abs().argmax(1, keepdim=True)).sign()
    return axes * signs


def _small(images: Tensor) -> Tensor:
    """`[N, pixels]` of images `[N, 3, S, S]`."""
    return F.adaptive_avg_pool2d(images, _GRID).flatten(1)

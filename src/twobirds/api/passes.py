"""Passes of a model's networks over faces, at most `BATCH_SIZE` at a time."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from twobirds.api.refine import refine_latents
from twobirds.api.rows import with_changes
from twobirds.errors import InputError
from twobirds.models.networks import ModernNetworks, PaperNetworks, Reading
from twobirds.runtime import keyed_generator

BATCH_SIZE = 64
"""Faces in one pass."""
_LATENTS = 41  # purpose of the random draws
Networks = PaperNetworks | ModernNetworks


def check_codes(latents: Tensor, attributes: Tensor, num_latents: int, num_attributes: int) -> None:
    """Make sure that faces can be drawn from these.

    Raises:
        InputError: If something is not a tensor, the shapes do not fit the model or each other, or
            a value is out of range or NaN.
    """
    for what, tensor, width, low in (
        ("latents", latents, num_latents, -1),
        ("attributes", attributes, num_attributes, 0),
    ):
        if not isinstance(tensor, Tensor):
            raise InputError(f"{what} must be a tensor, not {type(tensor).__name__}")
        if tensor.ndim != 2 or tensor.shape[1] != width or len(tensor) != len(latents):
            raise InputError(
                f"{what} must have shape [B, {width}], with the same B for latents and "
                f"attributes, not {list(tensor.shape)}"
            )
        outside = tensor[~((tensor >= low) & (tensor <= 1))]  # NaN too
        if len(outside):
            raise InputError(f"{what} must lie in [{low}, 1], but one is {outside[0]:.3g}")


@torch.no_grad()
def decode(networks: Networks, latents: Tensor, attributes: Tensor, size: int) -> Tensor:
    """Draw faces `[B, 3, size, size]` from codes `[B, Z]` and attributes `[B, K]` alone."""
    device = _device(networks)
    pairs = zip(latents.split(BATCH_SIZE), attributes.split(BATCH_SIZE), strict=True)
    images = [
        networks.draw(z.float().to(device), c.float().to(device)).float().cpu() for z, c in pairs
    ]
    return torch.cat(images) if images else torch.empty(0, 3, size, size)


def rebuild(networks: Networks, images: Tensor, *, refine_steps: int) -> Tensor:
    """Draw at most `BATCH_SIZE` faces `[B, 3, H, W]` from their own codes and attributes alone."""
    images = images.to(_device(networks))
    with torch.no_grad():
        reading = networks.read(images)
    has = (reading.attribute_logits > 0).float()
    latents = reading.latents
    if refine_steps:

        def draw(codes: Tensor) -> Tensor:
            return networks.draw(codes, has)

        latents = refine_latents(draw, images, latents, steps=refine_steps)
    with torch.no_grad():
        return networks.draw(latents, has).float().cpu()


class Redrawing:
    """Faces that were read once; called, it changes their attributes with any strength.

    Args:
        networks: The model's.
        parts: Faces, `[b, 3, H, W]` in [-1, 1], at most `BATCH_SIZE` each.
        changes: Targets by name.
        names: The K attributes.
        refine_steps: Steps of refining the codes, each for an edit of nothing to be the face.
    """

    def __init__(
        self,
        networks: Networks,
        parts: Sequence[Tensor],
        changes: Mapping[str, float],
        names: Sequence[str],
        *,
        refine_steps: int,
    ) -> None:
        self._networks = networks
        device = _device(networks)
        self._read = [self._read_part(part.to(device), refine_steps) for part in parts]
        self.has = torch.cat([has.cpu() for _, _, has in self._read])
        """`[B, K]` 0/1: what the faces have, as read."""
        self.target = with_changes(self.has, changes, names)
        """`[B, K]` in [0, 1]: what they shall have."""

    @torch.no_grad()
    def __call__(self, strength: float) -> Tensor:
        """Faces `[B, 3, H, W]` in [-1, 1]; strength 0 changes nothing."""
        wanted = self.has + strength * (self.target - self.has)  # [B, K]
        targets = wanted.split([len(has) for _, _, has in self._read])
        redrawn = [
            self._networks.redraw(images, reading, has, target.to(has.device)).float().cpu()
            for (images, reading, has), target in zip(self._read, targets, strict=True)
        ]
        return torch.cat(redrawn)

    def _read_part(self, images: Tensor, refine_steps: int) -> tuple[Tensor, Reading, Tensor]:
        networks = self._networks
        with torch.no_grad():
            reading = networks.read(images)
        has = (reading.attribute_logits > 0).float()
        if refine_steps:

            def draw(codes: Tensor) -> Tensor:
                return networks.redraw(images, reading._replace(latents=codes), has, has)

            latents = refine_latents(draw, images, reading.latents, steps=refine_steps)
            reading = reading._replace(latents=latents)
        return images, reading, has


def _device(networks: Networks) -> torch.device:
    return next(networks.parameters()).device


def draw_latents(count: int, num_latents: int, *, seed: int) -> Tensor:
    """Codes z of generated faces, `[count, Z]` float32 from U(-1, 1), a function of the seed."""
    generator = keyed_generator(seed, _LATENTS)
    return torch.rand(count, num_latents, generator=generator) * 2 - 1

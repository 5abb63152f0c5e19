"""Faces on the device of the networks, and what is known of them."""

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from twobirds.models.networks import Encoding, FaceNetworks


class Part:
    """At most `inference_batch_size` faces; made by the functions of this module.

    Args:
        images: `[b, 3, H, W]` in [-1, 1].
        attribute_logits: `[b, K]`.
        find_latents: Gives the latents, `[b, Z]` in [-1, 1].
    """

    def __init__(
        self, images: Tensor, attribute_logits: Tensor, find_latents: Callable[[], Tensor]
    ) -> None:
        self.images, self.attribute_logits = images, attribute_logits
        self._find_latents = find_latents

    @cached_property
    def latents(self) -> Tensor:
        """`[b, Z]` in [-1, 1], found when they are first asked for."""
        with torch.no_grad():
            return self._find_latents()

    @property
    def encoding(self) -> Encoding:
        """Latents and logits."""
        return Encoding(self.latents, self.attribute_logits)

    @property
    def has(self) -> Tensor:
        """`[b, K]` 0/1: the attributes that the faces have."""
        return (self.attribute_logits > 0).float()

    def rows(self, rows: Sequence[int]) -> "Part":
        """Some of the faces."""
        chosen = self.attribute_logits[rows]
        return Part(self.images[rows], chosen, lambda: self.latents[rows])

    def with_latents(self, latents: Tensor) -> "Part":
        """The same faces with other latents `[b, Z]`."""
        return Part(self.images, self.attribute_logits, lambda: latents)

    def with_attributes(self, probabilities: Tensor, networks: FaceNetworks) -> "Part":
        """The same faces with attributes that were decided elsewhere, `[K]` in [0, 1], for all."""
        logits = _logits(probabilities, self.images)

        def find_latents() -> Tensor:
            return networks.encode_latents(self.images, Encoding(self.latents, logits))

        return Part(self.images, logits, find_latents)


def encoded_part(images: Tensor, networks: FaceNetworks) -> Part:
    """Faces `[b, 3, H, W]`, after a pass through the networks that encode."""
    latents, logits = networks.encode(images)
    return Part(images, logits, lambda: latents)


def decided_part(images: Tensor, networks: FaceNetworks, probabilities: Tensor) -> Part:
    """Faces `[b, 3, H, W]` of known attributes, `[K]` in [0, 1]: encoded only for their latents."""
    logits = _logits(probabilities, images)

    def find_latents() -> Tensor:
        found = networks.encode(images)
        return networks.encode_latents(images, found._replace(attribute_logits=logits))

    return Part(images, logits, find_latents)


def _logits(probabilities: Tensor, images: Tensor) -> Tensor:
    """Logits `[b, K]` of probabilities `[K]`, the same for all images."""
    logits = torch.logit(probabilities.float(), eps=1e-6)  # [K]
    return logits.to(images.device).expand(len(images), -1)

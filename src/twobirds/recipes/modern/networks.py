"""The networks of recipe `modern` at inference: G, an encoder and a recognizer of their own."""

import torch
from torch import Tensor

from twobirds.config import RunConfig
from twobirds.models.layers import rotate_and_zoom
from twobirds.models.networks import Encoding, FaceNetworks
from twobirds.recipes.modern.build import build_encoder, build_generator, build_recognizer
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.encoder import Encoder
from twobirds.recipes.modern.generator import EditingGenerator, Source
from twobirds.recipes.modern.recognizer import AttributeRecognizer

_TILT = 0.08
"""Radians to either side of two further views of a face; the recognizer learns from up to 0.2."""


class ModernNetworks(FaceNetworks):
    """G, an encoder and a recognizer of their own.

    Args:
        generator: G's moving average.
        encoder: The encoder's.
        recognizer: The recognizer's.
    """

    def __init__(
        self, generator: EditingGenerator, encoder: Encoder, recognizer: AttributeRecognizer
    ) -> None:
        super().__init__()
        self.generator, self.encoder, self.recognizer = generator, encoder, recognizer

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.generator.num_latents

    def encode(self, images: Tensor) -> Encoding:
        """Encode faces; the logits are averaged over six views of each."""
        latents, features = self.encoder(images)
        views = [images]
        for angle in (-_TILT, _TILT):
            angles = images.new_full((images.shape[0],), angle)
            views.append(rotate_and_zoom(images, angles, torch.ones_like(angles)))
        views += [view.flip(3) for view in views]
        logits, _ = self.recognizer(torch.cat(views))  # [V B, K]
        return Encoding(latents, logits.unflatten(0, (len(views), -1)).mean(0), features)

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """One pass of G without a source; see `FaceNetworks`."""
        images: Tensor = self.generator(latents, attributes)
        return images

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """Change the faces by way of their features; see `FaceNetworks`."""
        if not self.generator.skips:  # learned from the latents alone
            return self.generate(encoding.latents, target.clamp(0, 1))
        weight = torch.ones(images.shape[0], device=images.device)
        source = Source(images, encoding.features, target - attributes, weight)
        edited: Tensor = self.generator(encoding.latents, target.clamp(0, 1), source)
        return edited


def build_networks(config: RunConfig) -> ModernNetworks:
    """Build what inference needs of a run's networks.

    Raises:
        InputError: If the configuration names no attributes.
    """
    recipe, data = config.recipe, config.data
    assert isinstance(recipe, ModernConfig)
    return ModernNetworks(
        build_generator(recipe, data), build_encoder(recipe, data), build_recognizer(recipe, data)
    )

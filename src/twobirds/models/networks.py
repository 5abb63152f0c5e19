"""What inference needs of a trained model, whichever networks it is made of."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from twobirds.models.discriminator import Discriminator
from twobirds.models.editing_generator import EditingGenerator, Source
from twobirds.models.encoder import Encoder
from twobirds.models.generator import Generator
from twobirds.models.layers import turn
from twobirds.models.recognizer import AttributeRecognizer

_TILT = 0.08
"""Radians to either side of two further views of a face; the recognizer learns from up to 0.2."""


class Encoding(NamedTuple):
    """What a model's networks know of faces."""

    latents: Tensor
    """`[B, Z]` in [-1, 1]: the codes."""
    attribute_logits: Tensor
    """`[B, K]`."""
    features: Sequence[Tensor]
    """What edits start from, each `[B, F, h, w]`; none where they start from the code alone."""


class FaceNetworks(Protocol):
    """The networks of a model: an `nn.Module` whose children are what is saved."""

    def encode(self, images: Tensor) -> Encoding:
        """Encode faces `[B, 3, H, W]` in [-1, 1] and classify their attributes."""

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Faces `[B, 3, H, W]` in [-1, 1] from latents `[B, Z]` and attributes `[B, K]` alone."""

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """Faces `[B, 3, H, W]` edited from the attributes `[B, K]` they have to `target`."""


class PaperNetworks(nn.Module):
    """The paper's: G, and D with C; an edit is generated from the latents.

    Args:
        generator: G, or its moving average.
        discriminator: D with C.
    """

    def __init__(self, generator: Generator, discriminator: Discriminator) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def encode(self, images: Tensor) -> Encoding:
        """Encode faces; see `FaceNetworks`."""
        output = self.discriminator(images)
        return Encoding(output.latents, output.attribute_logits, ())

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate faces; see `FaceNetworks`."""
        images: Tensor = self.generator(latents, attributes)
        return images

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """Generate from the faces' latents with other attributes; see `FaceNetworks`."""
        return self.generate(encoding.latents, target)


class ModernNetworks(nn.Module):
    """The modern preset's: G, an encoder and a recognizer of their own.

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

    def encode(self, images: Tensor) -> Encoding:
        """Encode faces; the logits are averaged over six views of each."""
        latents, features = self.encoder(images)
        views = [images]
        for angle in (-_TILT, _TILT):
            angles = images.new_full((len(images),), angle)
            views.append(turn(images, angles, torch.ones_like(angles)))
        views += [view.flip(3) for view in views]
        logits, _ = self.recognizer(torch.cat(views))  # [V B, K]
        return Encoding(latents, logits.unflatten(0, (len(views), -1)).mean(0), features)

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate faces; see `FaceNetworks`."""
        images: Tensor = self.generator(latents, attributes)
        return images

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """Change the faces by way of their features; see `FaceNetworks`."""
        if not self.generator.skips:  # learned from the code alone
            return self.generate(encoding.latents, target.clamp(0, 1))
        weight = torch.ones(len(images), device=images.device)
        source = Source(images, encoding.features, target - attributes, weight)
        edited: Tensor = self.generator(encoding.latents, target.clamp(0, 1), source)
        return edited

"""The networks of recipe `modern` at inference."""

from functools import partial

import torch
from torch import Tensor

from twobirds.config import RunConfig
from twobirds.models.edit_layers import EditLayers, apply_layers, at_full_strength
from twobirds.models.networks import EditAmounts, Encoding, FaceNetworks, in_parts
from twobirds.recipes.modern.build import (
    build_editor,
    build_encoder,
    build_generator,
    build_recognizer,
)
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.editor import Editor
from twobirds.recipes.modern.encoder import Encoder
from twobirds.recipes.modern.generator import Generator
from twobirds.recipes.modern.recognizer import LiteRecognizer

_FURTHER = 1.2
"""How much larger than in training the recognizer's second view is: details of two sizes."""


class ModernNetworks(FaceNetworks):
    """Recognizer, editor, encoder and generator.

    Args:
        generator: G's moving average.
        encoder: The encoder's.
        recognizer: The recognizer's.
        editor: The editor's.
    """

    amounts: Tensor
    prototype_amounts: Tensor

    def __init__(
        self, generator: Generator, encoder: Encoder, recognizer: LiteRecognizer, editor: Editor
    ) -> None:
        super().__init__()
        num_attributes = len(editor.prototypes)
        self.register_buffer("amounts", torch.ones(2, num_attributes))
        self.register_buffer("prototype_amounts", torch.zeros(2, num_attributes))
        self.generator, self.encoder = generator, encoder
        self.recognizer, self.editor = recognizer, editor

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.generator.num_latents

    def encode(self, images: Tensor) -> Encoding:
        """Encode faces; logits are the mean of a face's and of its larger mirror image's."""
        logits = in_parts(self.recognizer, images)
        larger = in_parts(partial(self.recognizer, further=_FURTHER), images.flip(3))
        logits = (logits + larger) / 2
        return Encoding(self._latents(images, logits), logits)

    def encode_latents(self, images: Tensor, encoding: Encoding) -> Tensor:
        """What is left of faces when their attributes are known; see `FaceNetworks`."""
        return self._latents(images, encoding.attribute_logits)

    def _latents(self, images: Tensor, attribute_logits: Tensor) -> Tensor:
        latents: Tensor = self.encoder(images, (attribute_logits > 0).float())
        return latents

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """One pass of G; see `FaceNetworks`."""
        images: Tensor = self.generator(latents, attributes)
        return images.clamp(-1, 1)

    def edit(
        self,
        images: Tensor,
        encoding: Encoding,  # noqa: ARG002 -- an edit starts from the pixels
        attributes: Tensor,
        target: Tensor,
    ) -> Tensor:
        """Move, recolour and paint the pixels of the faces; see `FaceNetworks`."""
        layers, strength = self.edit_layers(images, attributes, target)
        return apply_layers(images, layers, strength).clamp(-1, 1)

    def edit_layers(
        self, images: Tensor, attributes: Tensor, target: Tensor
    ) -> tuple[EditLayers, Tensor]:
        """The editor's layers, of changes scaled to full strength; see `FaceNetworks`.

        Prototypes that are added lie below the paint, as those within the editor's mask do.
        """
        whole, strength = at_full_strength(target - attributes)  # [B, K], [B]
        part = whole * _by_value(self.amounts, whole)
        layers = self.editor(images, part, (attributes + whole).clamp(0, 1)).layers
        added = whole * _by_value(self.prototype_amounts, whole)
        prototypes = torch.einsum("bk,kchw->bchw", added, self.editor.prototypes)
        return layers._replace(offset=layers.offset + prototypes), strength

    def edit_amounts(self) -> EditAmounts:
        """Those of the editor and of its prototypes; see `FaceNetworks`."""
        return EditAmounts(self.amounts, self.prototype_amounts)


def _by_value(amounts: Tensor, change: Tensor) -> Tensor:
    """Amounts `[2, K]` for the values that attributes `[B, K]` change to, `[B, K]`."""
    return torch.where(change > 0, amounts[1], amounts[0])


def build_networks(config: RunConfig) -> ModernNetworks:
    """Build what inference needs of a run's networks.

    Raises:
        InputError: If the configuration names no attributes.
    """
    recipe, data = config.recipe, config.data
    assert isinstance(recipe, ModernConfig)
    return ModernNetworks(
        build_generator(recipe, data),
        build_encoder(recipe, data),
        build_recognizer(recipe, data),
        build_editor(recipe, data),
    )

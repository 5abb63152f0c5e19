"""What inference needs of a trained model, whichever networks it is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from twobirds.models.edit_layers import EditLayers
from twobirds.runtime import inference_batch_size

FeatureNetwork = Callable[[Tensor], Sequence[Tensor]]
"""Images `[B, 3, H, W]` in [-1, 1] to features, each `[B, C_l, H_l, W_l]`; nothing in it learns."""


class Encoding(NamedTuple):
    """What a model's networks know of faces."""

    latents: Tensor
    """`[B, Z]` in [-1, 1]."""
    attribute_logits: Tensor
    """`[B, K]`."""


class EditAmounts(NamedTuple):
    """What an edit of strength 1 is made of, by the value that an attribute is changed to."""

    editor: Tensor
    """`[2, K]` in (0, 1]: how much of the change the editor is told to make."""
    prototypes: Tensor
    """`[2, K]`, not below 0: how many prototypes of the change are added to what it makes; one is
    1.5 times what matched faces differ by on average."""


class FaceNetworks(nn.Module, ABC):
    """The networks of a model; the module's children are what is saved, by their names."""

    @property
    @abstractmethod
    def num_latents(self) -> int:
        """Z, the length of the latents."""

    @abstractmethod
    def encode(self, images: Tensor) -> Encoding:
        """Encode faces `[B, 3, H, W]` in [-1, 1] and classify their attributes."""

    def encode_latents(self, images: Tensor, encoding: Encoding) -> Tensor:  # noqa: ARG002
        """Latents `[B, Z]` of encoded faces `[B, 3, H, W]` whose attributes were decided anew.

        Those of the encoding, unless they depend on the attributes.
        """
        return encoding.latents

    @abstractmethod
    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Faces `[B, 3, H, W]` in [-1, 1] from latents `[B, Z]` and attributes `[B, K]` alone."""

    @abstractmethod
    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """Faces `[B, 3, H, W]` edited from the attributes `[B, K]` they have to `target`."""

    def edit_layers(
        self,
        images: Tensor,  # noqa: ARG002 -- for the networks that have layers
        attributes: Tensor,  # noqa: ARG002
        target: Tensor,  # noqa: ARG002
    ) -> tuple[EditLayers, Tensor] | None:
        """What `edit` does to the faces, as operations that apply at any resolution.

        Args:
            images: `[B, 3, H, W]` in [-1, 1].
            attributes: `[B, K]`: what the faces have.
            target: `[B, K]`: what they shall have.

        Returns:
            The layers at full strength, and the strength of each face `[B]`; None of networks that
            generate pixels instead.
        """
        return None

    def edit_amounts(self) -> EditAmounts | None:
        """What edits of strength 1 are made of; may be set in place.

        Returns:
            None of networks without amounts.
        """
        return None

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients pass from faces to latents, and the weights can be saved."""
        return True

    def feature_network(self) -> nn.Module | None:
        """The features that another run's perceptual loss may compare (P12); None: it has none."""
        return None


def in_parts(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Outputs of a network for images, at most `inference_batch_size` in one pass."""
    if torch.onnx.is_in_onnx_export():  # a file in ONNX takes any number of images
        return network(images)
    parts = images.split(inference_batch_size(images.device))
    return torch.cat([network(part) for part in parts])

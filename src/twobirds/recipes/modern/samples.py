"""The sample grid of recipe `modern`."""

from collections.abc import Mapping

import torch
from torch import Tensor

from twobirds.data.attributes import EDITED_BY_ATTGAN
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.modern.networks import ModernNetworks
from twobirds.recipes.modern.players import Players

_SHOWN = (*EDITED_BY_ATTGAN, "Smiling", "Wearing_Hat")


@torch.no_grad()
def sample_rows(players: Players, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
    """Rows of faces `[N, 3, H, W]`, all from the moving averages.

    Faces from a fixed z with the labels of real ones; real faces; their reconstructions from
    latents; and edits that reverse one attribute each.
    """
    config = players.config
    networks = ModernNetworks(
        players.average_generator,
        players.average_encoder,
        players.average_recognizer,
        players.average_editor,
    )
    shape = (len(real_images), players.recipe.num_latents)
    keyed = keyed_generator(config.train.seed, RandomPurpose.SAMPLE_GRID)
    latents = torch.rand(shape, generator=keyed) * 2 - 1  # [N, Z]
    encoding = networks.encode(real_images)

    def edit(name: str) -> Tensor:
        target = attributes.clone()
        column = config.data.attributes.index(name)
        target[:, column] = 1 - target[:, column]
        return networks.edit(real_images, encoding, attributes, target)

    names = [name for name in _SHOWN if name in config.data.attributes]
    return {
        "generated": networks.generate(latents.to(real_images.device), attributes),
        "real": real_images,
        "reconstructed": networks.generate(encoding.latents, attributes),
        **{name: edit(name) for name in names},
    }

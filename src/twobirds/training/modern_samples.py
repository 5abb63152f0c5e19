"""The sample grid of preset modern."""

from collections.abc import Mapping

import torch
from torch import Tensor

from twobirds.models.networks import ModernNetworks
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.training.modern_players import ModernPlayers

_SHOWN = ("Smiling", "Eyeglasses", "Bangs", "Blond_Hair", "Male", "Young", "Mustache", "Bald")
_NUM_SHOWN = 6


@torch.no_grad()
def sample_rows(
    players: ModernPlayers, real_images: Tensor, attributes: Tensor
) -> Mapping[str, Tensor]:
    """Rows of faces `[N, 3, H, W]`, all from the moving averages.

    Faces from a fixed z with the labels of real ones; real faces; both ways of rebuilding them;
    and each of a few attributes reversed.
    """
    config = players.config
    networks = ModernNetworks(
        players.average_generator, players.average_encoder, players.average_recognizer
    )
    shape = (len(real_images), config.model.num_latents)
    latents = (
        torch.rand(shape, generator=keyed_generator(config.train.seed, RandomPurpose.SAMPLE_GRID))
        * 2
        - 1
    )
    encoding = networks.encode(real_images)

    def edit(name: str | None) -> Tensor:
        target = attributes.clone()
        if name is not None:
            column = config.model.attributes.index(name)
            target[:, column] = 1 - target[:, column]
        return networks.edit(real_images, encoding, attributes, target)

    names = [name for name in _SHOWN if name in config.model.attributes][:_NUM_SHOWN]
    return {
        "generated": networks.generate(latents.to(real_images.device), attributes),
        "real": real_images,
        "coded": networks.generate(encoding.latents, attributes),
        "copied": edit(None),
        **{name: edit(name) for name in names},
    }

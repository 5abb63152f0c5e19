"""The paper's training as an objective of the loop: two stages, balanced updates."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.config import RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.networks import FeatureNetwork
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.paper.balance import UpdateBalance
from twobirds.recipes.paper.players import Players
from twobirds.recipes.paper.stages import (
    Fakes,
    stage1_update,
    stage2_update,
    update_discriminator,
    update_generator,
)
from twobirds.runtime import Runtime, to_device
from twobirds.training.warm_start import NetworkWeights, load_matching

_KEYS_BETWEEN_UPDATES = 100
"""By how much the key of random numbers differs from one update of an iteration to the next."""


class IterativeGAN:
    """Stage 1 is ACGAN with many labels; stage 2 adds the integrated loss (P14; Fig. 2).

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.
        feature_network: What the perceptual loss compares if `feature_source` is "network".

    Raises:
        InputError: If a feature network is configured and none is given, or the reverse.
    """

    def __init__(
        self, config: RunConfig, runtime: Runtime, feature_network: FeatureNetwork | None = None
    ) -> None:
        self.players = Players(config, runtime)
        self.config, self.recipe, self.runtime = config, self.players.recipe, runtime
        if (self.recipe.feature_source == "network") != (feature_network is not None):
            raise InputError("recipe.feature_source is network exactly when a network is given")
        self.feature_network = feature_network
        self.balance = UpdateBalance(self.recipe.balance_ratio, self.recipe.max_updates)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """G, D with C, and G's moving average if one is kept."""
        return self.players.networks

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """One Adam for G, one for D with C."""
        return self.players.optimizers

    def stage(self, images_seen: int) -> int:
        """1 until `stage1_share` of the images has been shown, then 2."""
        stage1_images = round(self.config.train.images * self.recipe.stage1_share)
        return 1 if images_seen < stage1_images else 2

    def initialize(self, pack: Pack) -> None:
        """Nothing depends on the train split."""

    def warm_start(self, weights: NetworkWeights) -> None:
        """Take G, and D with C; a moving average starts as G."""
        load_matching(self.networks, weights)

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One iteration: the shared passes of the stage, then what the balance adds.

        An extra update answers the adversarial imbalance alone. Of D and C it is one of stage 1 in
        both stages: without the integrated loss and the latent code loss, and so without another
        pass over reconstructions. Of G it has the latent code loss in stage 2, but reconstructs
        nothing.
        """
        images_seen = iteration * loader.batch_size
        stage = self.stage(images_seen)
        fakes = self._fakes(loader, iteration, 0)
        if stage == 1:
            metrics = stage1_update(self.players, batch, fakes)
        else:
            metrics = stage2_update(self.players, batch, fakes, self.feature_network)
        for number in range(1, self.balance.num_discriminator):
            with torch.no_grad():
                extra = self._fakes(loader, iteration, number)
            # Known fault: C's labels for these fakes are those of the iteration's first ones. To
            # correct it would change what every run of this recipe learns from its seed.
            update_discriminator(self.players, batch, extra._replace(attributes=fakes.attributes))
        for number in range(1, self.balance.num_generator):
            extra = self._fakes(loader, iteration, number)
            update_generator(self.players, extra, has_latent_loss=stage == 2)
        self.players.update_average(images_seen + loader.batch_size)
        return metrics

    def adapt(self, means: Mapping[str, float]) -> None:
        """Follow the imbalance of the adversarial losses (P15)."""
        self.balance.adjust(means["d_adversarial"], means["g_adversarial"])

    def schedule_state(self) -> dict[str, float]:
        """The numbers of updates per iteration at present."""
        return {
            "num_discriminator": self.balance.num_discriminator,
            "num_generator": self.balance.num_generator,
        }

    def load_schedule_state(self, state: Mapping[str, float]) -> None:
        """Restore what `schedule_state` gave."""
        self.balance.num_discriminator = int(state["num_discriminator"])
        self.balance.num_generator = int(state["num_generator"])

    @torch.no_grad()
    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Faces from a fixed z with the labels of real ones; real faces; their reconstructions."""
        generator = self.players.average or self.players.generator
        generator.eval()
        self.players.discriminator.eval()
        keyed = keyed_generator(self.config.train.seed, RandomPurpose.SAMPLE_GRID)
        latents = self._uniform(len(real_images), keyed)  # [N, Z]
        real = self.players.discriminate(real_images)
        rows = {
            "generated": generator(latents, attributes),
            "real": real_images,
            "reconstructed": generator(real.latents, (real.attribute_logits > 0).float()),
        }
        generator.train()
        self.players.discriminator.train()
        return rows

    def _fakes(self, loader: Loader, iteration: int, number: int) -> Fakes:
        """This process's slice of the faces generated for an update of an iteration."""
        step, share = _KEYS_BETWEEN_UPDATES * number, self.recipe.edited_share
        keys = self.config.train.seed, iteration, RandomPurpose.LATENTS + step
        latents = self._uniform(loader.batch_size, keyed_generator(*keys))[loader.mine]  # [B, Z]
        purpose = RandomPurpose.FAKE_ATTRIBUTES
        if number:
            purpose = RandomPurpose.EXTRA_FAKE_ATTRIBUTES
        attributes = loader.fake_attributes(iteration, purpose + step, edited_share=share)  # [B, K]
        return Fakes(self.players.generate(latents, attributes), latents, attributes)

    def _uniform(self, count: int, generator: torch.Generator) -> Tensor:
        """Z ~ U(-1, 1), `[count, Z]`."""
        latents = torch.rand(count, self.recipe.num_latents, generator=generator) * 2 - 1
        return to_device(latents, self.runtime.device)

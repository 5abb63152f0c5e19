"""The paper's training as an objective of the loop: two stages, balanced updates."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.config import RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.runtime import Runtime
from twobirds.training.balance import UpdateBalance
from twobirds.training.players import Players
from twobirds.training.stage1 import stage1_update, update_discriminator, update_generator
from twobirds.training.stage2 import FeatureNetwork, stage2_update


class IterativeGAN:
    """Stage 1 is ACGAN with many labels; stage 2 adds the integrated loss (P14; Fig. 2).

    Args:
        config: The run; `config.model.attributes` must be filled.
        runtime: Device and processes.
        feature_network: What the perceptual loss compares if `feature_source` is "network".

    Raises:
        InputError: If a feature network is configured and none is given.
    """

    def __init__(
        self, config: RunConfig, runtime: Runtime, feature_network: FeatureNetwork | None = None
    ) -> None:
        if (config.loss.feature_source == "network") != (feature_network is not None):
            raise InputError("loss.feature_source is network exactly when a network is given")
        self.players = Players(config, runtime)
        self.config, self.runtime = config, runtime
        self.feature_network = feature_network
        self.balance = UpdateBalance(config.train.balance_ratio, config.train.max_updates)

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
        return 1 if images_seen < self.config.train.stage1_images else 2

    def begin(self, pack: Pack) -> None:
        """Nothing is taken from the faces beforehand."""

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One iteration: the shared passes of the stage, then what the balance adds.

        An extra update answers the adversarial imbalance alone. Of D and C it is one of stage 1 in
        both stages: without the integrated loss and the latent code loss, and so without another
        pass over rebuilt images. Of G it has the latent code loss in stage 2, but rebuilds nothing.
        """
        images_seen = iteration * loader.batch_size
        stage = self.stage(images_seen)
        latents = self._latents(loader, iteration, 0)
        if stage == 1:
            metrics = stage1_update(self.players, batch, latents)
        else:
            metrics = stage2_update(self.players, batch, latents, self.feature_network)
        for extra in range(1, self.balance.num_discriminator):
            with torch.no_grad():
                fakes = self._fakes(loader, iteration, extra)[0]
            update_discriminator(self.players, batch, fakes)
        for extra in range(1, self.balance.num_generator):
            fakes, latents, attributes = self._fakes(loader, iteration, extra)
            update_generator(self.players, fakes, latents, attributes, latent=stage == 2)
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
        shape = (len(real_images), self.config.model.num_latents)
        latents = self._uniform(
            shape, keyed_generator(self.config.train.seed, RandomPurpose.SAMPLE_GRID)
        )
        read = self.players.discriminate(real_images)
        rebuilt = generator(read.latents, (read.attribute_logits > 0).float())
        rows = {
            "generated": generator(latents, attributes),
            "real": real_images,
            "rebuilt": rebuilt,
        }
        generator.train()
        self.players.discriminator.train()
        return rows

    def _fakes(self, loader: Loader, iteration: int, extra: int) -> tuple[Tensor, Tensor, Tensor]:
        latents = self._latents(loader, iteration, extra)
        attributes = loader.fake_attributes(
            iteration, RandomPurpose.EXTRA_FAKE_ATTRIBUTES + 100 * extra
        )
        return self.players.generate(latents, attributes), latents, attributes

    def _latents(self, loader: Loader, iteration: int, extra: int) -> Tensor:
        """This process's slice of z ~ U(-1, 1), `[B, Z]`, for the global batch."""
        shape = (loader.batch_size, self.config.model.num_latents)
        keys = (self.config.train.seed, iteration, RandomPurpose.LATENTS + 100 * extra)
        return self._uniform(shape, keyed_generator(*keys))[loader.mine.start : loader.mine.stop]

    def _uniform(self, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
        return (torch.rand(shape, generator=generator) * 2 - 1).to(self.runtime.device)

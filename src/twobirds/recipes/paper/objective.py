"""The paper's training as an objective of the loop: two stages, balanced updates."""

from collections.abc import Mapping
from typing import NamedTuple

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
from twobirds.training.graphs import ReplayedUpdate
from twobirds.training.warm_start import NetworkWeights, load_matching

_KEYS_BETWEEN_UPDATES = 100
"""By how much the key of random numbers differs from one update of an iteration to the next."""


class FakeInputs(NamedTuple):
    """What faces are generated from."""

    latents: Tensor
    """`[B, Z]` in [-1, 1]."""
    attributes: Tensor
    """`[B, K]` 0/1."""


class Iteration(NamedTuple):
    """All that an iteration is a function of, beside the weights."""

    batch: Batch
    fakes: FakeInputs
    """Of the first update of D, and of G."""
    discriminator_extras: tuple[FakeInputs, ...]
    """Of what the balance adds."""
    generator_extras: tuple[FakeInputs, ...]
    decay: float | Tensor
    """Of G's moving average; a scalar `[]` on a GPU, where iterations are replayed."""
    stage: int


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
        self._learn = ReplayedUpdate(self._update, self.optimizers.values(), runtime)

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
        seen = iteration * loader.batch_size
        decay: float | Tensor = self.players.average_decay(seen + loader.batch_size)
        if self.runtime.device.type == "cuda":
            decay = to_device(torch.tensor(decay, dtype=torch.float32), self.runtime.device)
        inputs = Iteration(
            batch,
            self._fake_inputs(loader, iteration, 0),
            self._extra_inputs(loader, iteration, self.balance.num_discriminator),
            self._extra_inputs(loader, iteration, self.balance.num_generator),
            decay,
            self.stage(seen),
        )
        return self._learn(inputs)

    def _update(self, iteration: Iteration) -> dict[str, Tensor]:
        """What `update` does once everything is sampled."""
        players, batch, has_latents = self.players, iteration.batch, iteration.stage == 2
        fakes = self._generate(iteration.fakes)
        if iteration.stage == 1:
            metrics = stage1_update(players, batch, fakes)
        else:
            metrics = stage2_update(players, batch, fakes, self.feature_network)
        for extra in iteration.discriminator_extras:
            with torch.no_grad():
                others = self._generate(extra)
            # Known fault: C's labels for these fakes are those of the iteration's first ones. To
            # correct it would change what every run of this recipe learns from its seed.
            update_discriminator(players, batch, others._replace(attributes=fakes.attributes))
        for extra in iteration.generator_extras:
            update_generator(players, self._generate(extra), has_latent_loss=has_latents)
        players.update_average(iteration.decay)
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

    def _generate(self, inputs: FakeInputs) -> Fakes:
        return Fakes(self.players.generate(*inputs), *inputs)

    def _extra_inputs(self, loader: Loader, iteration: int, count: int) -> tuple[FakeInputs, ...]:
        """What the updates after the first generate faces from, if there are `count` in all."""
        return tuple(self._fake_inputs(loader, iteration, number) for number in range(1, count))

    def _fake_inputs(self, loader: Loader, iteration: int, number: int) -> FakeInputs:
        """This process's slice of what an update of an iteration generates faces from."""
        step, share = _KEYS_BETWEEN_UPDATES * number, self.recipe.edited_share
        keys = self.config.train.seed, iteration, RandomPurpose.LATENTS + step
        latents = self._uniform(loader.batch_size, keyed_generator(*keys))[loader.mine]  # [B, Z]
        purpose = RandomPurpose.FAKE_ATTRIBUTES
        if number:
            purpose = RandomPurpose.EXTRA_FAKE_ATTRIBUTES
        attributes = loader.fake_attributes(iteration, purpose + step, edited_share=share)  # [B, K]
        return FakeInputs(latents, attributes)

    def _uniform(self, count: int, generator: torch.Generator) -> Tensor:
        """Z ~ U(-1, 1), `[count, Z]`."""
        latents = torch.rand(count, self.recipe.num_latents, generator=generator) * 2 - 1
        return to_device(latents, self.runtime.device)

"""G, D with C, their optimizers, and the passes that both stages are made of."""

import copy

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from twobirds.config import RunConfig, TrainConfig
from twobirds.models.build import build_discriminator, build_generator
from twobirds.models.discriminator import DiscriminatorOutput
from twobirds.models.ema import ema_decay, update_ema
from twobirds.models.layers import frozen_statistics
from twobirds.runtime import Runtime, average_gradients


def make_adam(network: nn.Module, train: TrainConfig) -> Adam:
    """Adam with the settings of a run (P15; Sec. 4.1)."""
    return Adam(network.parameters(), lr=train.learning_rate, betas=train.betas, fused=True)


def apply_gradients(network: nn.Module, optimizer: Optimizer) -> None:
    """Step with a network's gradients, averaged over the processes, and clear them."""
    average_gradients(network.parameters())
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


class Players:
    """The networks of the iterative GAN in training.

    Args:
        config: The run; `config.model.attributes` must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        self.config, self.runtime = config, runtime
        seed = config.train.seed
        self.generator = build_generator(config.model, seed=seed).to(runtime.device)
        self.discriminator = build_discriminator(config.model, seed=seed).to(runtime.device)
        self.networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self.optimizers: dict[str, Optimizer] = {
            name: make_adam(network, config.train) for name, network in self.networks.items()
        }
        self.average = copy.deepcopy(self.generator) if config.train.ema_half_life_images else None
        if self.average is not None:
            self.networks["generator_ema"] = self.average.requires_grad_(False)

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """G's images `[B, 3, H, W]` float32 in [-1, 1] of `[B, Z]` and `[B, K]`."""
        with self.runtime.autocast():
            images: Tensor = self.generator(latents, attributes)
        return images.float()

    def discriminate(self, images: Tensor) -> DiscriminatorOutput:
        """One pass of D and C over images `[B, 3, H, W]` float32 in [-1, 1].

        What the heads give is cast to float32 for the losses; the features stay as they are
        computed, bfloat16 on CUDA.
        """
        with self.runtime.autocast():
            output: DiscriminatorOutput = self.discriminator(images)
        score_logits, latents, attribute_logits, features = output
        return DiscriminatorOutput(
            score_logits.float(), latents.float(), attribute_logits.float(), features
        )

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features of D's trunk alone, of images `[B, 3, H, W]` in [-1, 1]; bfloat16 on CUDA."""
        with self.runtime.autocast(), frozen_statistics(self.discriminator):
            features: tuple[Tensor, ...] = self.discriminator.trunk(images)
        return features

    def step(self, name: str) -> None:
        """Apply and clear the gradients of one network, averaged over the processes."""
        apply_gradients(self.networks[name], self.optimizers[name])

    def update_average(self, images_seen: int) -> None:
        """Move G's moving average, if one is kept."""
        if self.average is not None:
            train = self.config.train
            decay = ema_decay(train.batch_size, train.ema_half_life_images, images_seen)
            update_ema(self.average, self.generator, decay)

"""G, D with C, their optimizers, and the passes that both stages are made of."""

import copy

from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.config import RunConfig
from twobirds.models.ema import ema_decay, update_ema
from twobirds.models.layers import frozen_statistics
from twobirds.recipes.paper.build import build_discriminator, build_generator
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.discriminator import DiscriminatorOutput
from twobirds.runtime import Runtime
from twobirds.training.optimizers import apply_gradients, make_adam


class Players:
    """The networks of the iterative GAN in training.

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        assert isinstance(config.recipe, PaperConfig)
        self.config, self.recipe, self.runtime = config, config.recipe, runtime
        seed, data, device = config.train.seed, config.data, runtime.device
        self.generator = build_generator(self.recipe, data, seed=seed).to(device)
        self.discriminator = build_discriminator(self.recipe, data, seed=seed).to(device)
        self.networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self.optimizers: dict[str, Optimizer] = {
            name: make_adam(network, config.train) for name, network in self.networks.items()
        }
        keeps_average = self.recipe.ema_half_life_images > 0
        self.average = copy.deepcopy(self.generator) if keeps_average else None
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

    def discriminate_fakes(self, images: Tensor) -> DiscriminatorOutput:
        """One pass of D and C over generated images `[B, 3, H, W]`.

        The running statistics of batch norm stay those of real images, which inference is about
        (ADR 8).
        """
        with frozen_statistics(self.discriminator):
            return self.discriminate(images)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features of D's trunk alone, of images `[B, 3, H, W]` in [-1, 1]; bfloat16 on CUDA."""
        with self.runtime.autocast(), frozen_statistics(self.discriminator):
            features: tuple[Tensor, ...] = self.discriminator.trunk(images)
        return features

    def step(self, name: str) -> None:
        """Apply and clear the gradients of one network, averaged over the processes."""
        apply_gradients(self.networks[name], self.optimizers[name])

    def average_decay(self, images_seen: int) -> float:
        """Decay of G's moving average in an iteration that ends at so many images."""
        half_life = self.recipe.ema_half_life_images
        return ema_decay(self.config.train.batch_size, half_life, images_seen)

    def update_average(self, decay: float | Tensor) -> None:
        """Move G's moving average, if one is kept."""
        if self.average is not None:
            update_ema(self.average, self.generator, decay)

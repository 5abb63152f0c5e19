"""The networks of recipe `modern` in training.

G, encoder and recognizer make the model. D and the noise-robust classifier teach them: the
classifier is a recognizer that sees images through noise and tells people apart, and says which
attributes generated faces lack. The recognizer itself classifies real faces; no gradient of it
reaches G.
"""

import copy
import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from twobirds.config import RunConfig
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.models.ema import ema_decay, update_ema
from twobirds.models.pca import Moments
from twobirds.randomness import InitialWeights
from twobirds.recipes.modern.build import (
    build_discriminator,
    build_encoder,
    build_generator,
    build_person_head,
    build_recognizer,
)
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.generator import Source
from twobirds.runtime import Runtime, average_gradients, take_from_main
from twobirds.training.optimizers import make_adam
from twobirds.training.warm_start import AVERAGE_SUFFIX

T = TypeVar("T", bound=nn.Module)
_MIN_RATE = 0.25  # of the step sizes at the end, but for the classifiers'
_CHUNK = 512  # faces loaded at a time
_WEIGHT_DECAY = 0.05  # of the classifiers
GENERATOR, DISCRIMINATOR, CLASSIFIERS = "generator", "discriminator", "classifiers"
"""The optimizers: of G with the encoder, of D, of recognizer and noise-robust classifier."""


class Players:
    """Networks, optimizers and the passes that an iteration is made of.

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        recipe, data, seed = config.recipe, config.data, config.train.seed
        assert isinstance(recipe, ModernConfig)
        self.config, self.recipe, self.runtime = config, recipe, runtime
        self.generator = build_generator(recipe, data, seed=seed)
        self.encoder = build_encoder(recipe, data, seed=seed)
        self.recognizer = build_recognizer(recipe, data, seed=seed)
        self.robust_classifier = build_recognizer(
            recipe, data, seed=seed, key=InitialWeights.ROBUST_CLASSIFIER
        )
        self.discriminator = build_discriminator(recipe, data, seed=seed)
        averaged: dict[str, nn.Module] = {
            "generator": self.generator,
            "encoder": self.encoder,
            "recognizer": self.recognizer,
            "robust_classifier": self.robust_classifier,
        }
        self.person_head = None
        if recipe.uses_identity and data.num_people > 1:
            self.person_head = build_person_head(recipe, data, seed=seed)
            averaged["person_head"] = self.person_head
        self.networks = averaged | {"discriminator": self.discriminator}
        for network in self.networks.values():
            network.to(runtime.device)
        self.average_generator = _average(self.generator)
        self.average_encoder = _average(self.encoder)
        self.average_recognizer = _average(self.recognizer)
        self.average_classifier = _average(self.robust_classifier)
        self._averages: dict[str, nn.Module] = {
            "generator": self.average_generator,
            "encoder": self.average_encoder,
            "recognizer": self.average_recognizer,
            "robust_classifier": self.average_classifier,
        }
        self.average_person_head = None
        if self.person_head is not None:
            self.average_person_head = _average(self.person_head)
            self._averages["person_head"] = self.average_person_head
        self.networks |= {name + AVERAGE_SUFFIX: net for name, net in self._averages.items()}
        self.optimizers = self._make_optimizers()

    def _make_optimizers(self) -> dict[str, Optimizer]:
        train = self.config.train
        generator = nn.ModuleList([self.generator, self.encoder])
        heads = filter(None, [self.person_head])
        classifiers = nn.ModuleList([self.recognizer, self.robust_classifier, *heads])
        return {
            GENERATOR: make_adam(generator, train),
            DISCRIMINATOR: make_adam(self.discriminator, train),
            CLASSIFIERS: AdamW(classifiers.parameters(), weight_decay=_WEIGHT_DECAY, fused=True),
        }

    @torch.no_grad()
    def initialize_pca(self, pack: Pack) -> None:
        """Set latents to principal components of the train split, which convolutions correct."""
        rows = pack.rows("train")
        moments = Moments(self.config.data.num_attributes)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            images = from_pixels(torch.from_numpy(pack.images[chunk]))
            moments.add(images, torch.from_numpy(pack.attributes[chunk]))
        components = moments.principal_components(self.recipe.num_latents)
        for encoder in (self.encoder, self.average_encoder):
            encoder.initialize_pca(components)
        for generator in (self.generator, self.average_generator):
            generator.initialize_pca(components)
        # Components have no sign of their own: another processor may find the opposite.
        networks = self.encoder, self.average_encoder, self.generator, self.average_generator
        for network in networks:
            take_from_main(network.parameters())

    def encode(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Latents `[B, Z]` float32 and features of images `[B, 3, H, W]`."""
        with self.runtime.autocast():
            latents, features = self.encoder(images)
        return latents.float(), features

    def generate(self, latents: Tensor, attributes: Tensor, source: Source | None) -> Tensor:
        """G's images `[B, 3, H, W]` float32 in [-1, 1]."""
        with self.runtime.autocast():
            images: Tensor = self.generator(latents, attributes, source)
        return images.float()

    def score(self, images: Tensor, attributes: Tensor) -> Tensor:
        """D's scores `[B]` float32."""
        with self.runtime.autocast():
            scores: Tensor = self.discriminator(images, attributes)
        return scores.float()

    def classify(self, network: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits `[B, K]` float32 and features of a classifier or of its average."""
        with self.runtime.autocast():
            logits, features = network(images)
        return logits.float(), features

    def step(self, name: str, images_seen: int) -> None:
        """Apply and clear the gradients of an optimizer's weights, at the current step size."""
        optimizer = self.optimizers[name]
        rate = self._learning_rate(name, images_seen)
        for group in optimizer.param_groups:
            group["lr"] = rate
            average_gradients(group["params"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def update_averages(self, images_seen: int) -> None:
        """Move the moving averages."""
        half_life = self.recipe.ema_half_life_images
        decay = ema_decay(self.config.train.batch_size, half_life, images_seen)
        for name, average in self._averages.items():
            update_ema(average, self.networks[name], decay)

    def _learning_rate(self, name: str, images_seen: int) -> float:
        """Half a cosine: to a quarter over the run; to zero over the classifiers' images."""
        images = self.config.train.images
        if name == CLASSIFIERS:
            last = min(self.recipe.recognizer_images, images)
            return self.recipe.recognizer_learning_rate * _half_cosine(images_seen / last)
        fall = _half_cosine(images_seen / images)
        return self.config.train.learning_rate * (_MIN_RATE + (1 - _MIN_RATE) * fall)


def _average(network: T) -> T:
    """A copy to hold a moving average, in evaluation mode."""
    return copy.deepcopy(network).requires_grad_(False).eval()


def _half_cosine(share: float) -> float:
    """From 1 at a share of 0 to 0 at 1 and beyond."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

"""The networks of preset modern in training.

G, encoder and recognizer make the model. D and the guide teach them: the guide is a recognizer that
reads through noise and tells people apart, and says what drawn faces lack. The recognizer itself
says what real faces have; no gradient of it reaches G.
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
from twobirds.models.build import (
    build_editing_generator,
    build_encoder,
    build_person_head,
    build_projection_discriminator,
    build_recognizer,
)
from twobirds.models.editing_generator import Source
from twobirds.models.eigenfaces import Moments
from twobirds.models.ema import ema_decay, update_ema
from twobirds.runtime import Runtime, average_gradients, take_from_main
from twobirds.training.players import make_adam

T = TypeVar("T", bound=nn.Module)
_LEAST_RATE = 0.25  # of the step sizes at the end, but for what reads
_CHUNK = 512  # faces read at a time
_WEIGHT_DECAY = 0.05  # of recognizer and guide
DRAWING, DISCRIMINATOR, READING = "drawing", "discriminator", "reading"


class ModernPlayers:
    """Networks, optimizers and the passes that an iteration is made of.

    Args:
        config: The run; `config.model.attributes` and `config.modern` must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        assert config.modern is not None
        self.config, self.modern, self.runtime = config, config.modern, runtime
        model, seed = config.model, config.train.seed
        self.generator = build_editing_generator(model, config.modern, seed=seed)
        self.encoder = build_encoder(model, config.modern, seed=seed)
        self.recognizer = build_recognizer(model, seed=seed)
        self.guide = build_recognizer(model, seed=seed, is_guide=True)
        self.discriminator = build_projection_discriminator(model, seed=seed)
        averaged: dict[str, nn.Module] = {
            "generator": self.generator,
            "encoder": self.encoder,
            "recognizer": self.recognizer,
            "guide": self.guide,
        }
        self.person_head = None
        if self.modern.tells_people:
            self.person_head = build_person_head(model, self.modern.num_people, seed=seed)
            averaged["person_head"] = self.person_head
        self.networks = averaged | {"discriminator": self.discriminator}
        for network in self.networks.values():
            network.to(runtime.device)
        self.average_generator = _average(self.generator)
        self.average_encoder = _average(self.encoder)
        self.average_recognizer = _average(self.recognizer)
        self.average_guide = _average(self.guide)
        self._averages: dict[str, nn.Module] = {
            "generator": self.average_generator,
            "encoder": self.average_encoder,
            "recognizer": self.average_recognizer,
            "guide": self.average_guide,
        }
        self.average_person_head = None
        if self.person_head is not None:
            self.average_person_head = _average(self.person_head)
            self._averages["person_head"] = self.average_person_head
        self.networks |= {f"{name}_ema": network for name, network in self._averages.items()}
        self.optimizers = self._make_optimizers()

    def _make_optimizers(self) -> dict[str, Optimizer]:
        train = self.config.train
        drawing = nn.ModuleList([self.generator, self.encoder])
        reading = nn.ModuleList([self.recognizer, self.guide, *filter(None, [self.person_head])])
        return {
            DRAWING: make_adam(drawing, train),
            DISCRIMINATOR: make_adam(self.discriminator, train),
            READING: AdamW(reading.parameters(), weight_decay=_WEIGHT_DECAY, fused=True),
        }

    @torch.no_grad()
    def begin_with_eigenfaces(self, pack: Pack) -> None:
        """Let codes begin as principal components, which the convolutions then correct."""
        model, rows = self.config.model, pack.rows("train")
        moments = Moments(model.num_attributes)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            images = from_pixels(torch.from_numpy(pack.images[chunk]))
            moments.add(images, torch.from_numpy(pack.attributes[chunk]))
        found = moments.eigenfaces(model.num_latents)
        for network in (self.encoder, self.average_encoder):
            network.begin_with_eigenfaces(found)
        for drawing in (self.generator, self.average_generator):
            drawing.begin_with_eigenfaces(found)
        # Components have no sign of their own: another processor may find the opposite.
        for begun in (self.encoder, self.average_encoder, self.generator, self.average_generator):
            take_from_main(begun.parameters())

    def encode(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Codes `[B, Z]` float32 and features of images `[B, 3, H, W]`."""
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

    def recognize(self, network: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits `[B, K]` float32 and features of recognizer, guide or an average."""
        with self.runtime.autocast():
            logits, features = network(images)
        return logits.float(), features

    def step(self, name: str, images_seen: int) -> None:
        """Apply and clear the gradients of an optimizer's weights, at the step size of the time."""
        optimizer = self.optimizers[name]
        rate = self._learning_rate(name, images_seen)
        for group in optimizer.param_groups:
            group["lr"] = rate
            average_gradients(group["params"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def update_averages(self, images_seen: int) -> None:
        """Move the moving averages."""
        train = self.config.train
        decay = ema_decay(train.batch_size, train.ema_half_life_images, images_seen)
        for name, average in self._averages.items():
            update_ema(average, self.networks[name], decay)

    def _learning_rate(self, name: str, images_seen: int) -> float:
        """Half a cosine: to a quarter over the run, for what reads to zero over its images."""
        if name == READING:
            last = min(self.modern.recognizer_images, self.config.train.images)
            fall = _half_cosine(images_seen / last)
            return self.modern.recognizer_learning_rate * fall
        fall = _half_cosine(images_seen / self.config.train.images)
        return self.config.train.learning_rate * (_LEAST_RATE + (1 - _LEAST_RATE) * fall)


def _average(network: T) -> T:
    """A copy to hold a moving average, which reads as a trained network does."""
    return copy.deepcopy(network).requires_grad_(False).eval()


def _half_cosine(share: float) -> float:
    """From 1 at a share of 0 to 0 at 1 and beyond."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

"""The networks of recipe `modern` in training, and their optimizers."""

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from twobirds.config import RunConfig
from twobirds.data.attributes import exclusion_matrix
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.models.ema import update_ema
from twobirds.models.initialization import channels_last
from twobirds.models.pca import Moments
from twobirds.models.pretrained import load_efficientnet_lite
from twobirds.randomness import InitialWeights
from twobirds.recipes.modern.build import (
    build_discriminator,
    build_editor,
    build_encoder,
    build_feature_means,
    build_generator,
    build_prototypes,
    build_recognizer,
)
from twobirds.recipes.modern.config import ModernConfig
from twobirds.runtime import Runtime, average_gradients, take_from_main
from twobirds.training.optimizers import make_adam
from twobirds.training.warm_start import AVERAGE_SUFFIX

T = TypeVar("T", bound=nn.Module)
EDITOR, GENERATOR, DISCRIMINATOR, RECOGNIZER = "editor", "generator", "discriminator", "recognizer"
"""The optimizers: of the editor, of G with the encoder, of both D, of the recognizer."""
_MAX_NORM = 20.0  # of the gradient of editor, and of G with the encoder
_CHUNK = 512  # faces loaded at a time
_WEIGHT_DECAY = 0.05  # of the recognizer
_CLASSIFIER_SPEED = 2.5  # step size of D's classifier, as a multiple of D's
_PCA_SPEED = 0.02  # of the PCA layers, whose weights are small: at 1 they lose the faces
_CLASSIFIER_BETAS = (0.9, 0.99)
_PROTOTYPE_STRENGTH = 1.5  # of the prototypes that edits begin as: at 1 they are faint


class Players:
    """Networks, optimizers and the passes that an iteration is made of.

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.

    Raises:
        InputError: If the package with the weights of EfficientNet-lite0 is not installed.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        recipe, data, seed = config.recipe, config.data, config.train.seed
        assert isinstance(recipe, ModernConfig)
        self.config, self.recipe, self.runtime = config, recipe, runtime
        self.features_of = channels_last(load_efficientnet_lite("lite0")).to(runtime.device)
        self.editor = build_editor(recipe, data, seed=seed)
        self.generator = build_generator(recipe, data, seed=seed)
        self.encoder = build_encoder(recipe, data, seed=seed)
        self.recognizer = build_recognizer(recipe, data, seed=seed)
        self.recognizer.initialize_pretrained()
        self.edit_discriminator = build_discriminator(data, seed=seed)
        self.face_discriminator = build_discriminator(
            data, seed=seed, key=InitialWeights.FACE_DISCRIMINATOR
        )
        self.prototypes = build_prototypes(data)
        self.feature_means = build_feature_means(data)
        self.networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "encoder": self.encoder,
            "recognizer": self.recognizer,
            "editor": self.editor,
            "edit_discriminator": self.edit_discriminator,
            "face_discriminator": self.face_discriminator,
            "prototypes": self.prototypes,
            "feature_means": self.feature_means,
        }
        for network in self.networks.values():
            network.to(runtime.device)
        self.optimizers = self._make_optimizers()  # freezes the first half of the recognizer
        self._averages = self._make_averages()
        self.networks |= {name + AVERAGE_SUFFIX: net for name, net in self._averages.items()}

    def _make_averages(self) -> dict[str, nn.Module]:
        self.average_generator = _average(self.generator)
        self.average_encoder = _average(self.encoder)
        self.average_recognizer = _average(self.recognizer)
        self.average_editor = _average(self.editor)
        return {
            "generator": self.average_generator,
            "encoder": self.average_encoder,
            "recognizer": self.average_recognizer,
            "editor": self.average_editor,
        }

    def _make_optimizers(self) -> dict[str, Optimizer]:
        train, rate = self.config.train, self.recipe.discriminator_learning_rate
        discriminators = self.edit_discriminator, self.face_discriminator
        heads = [p for d in discriminators for p in d.heads.parameters()]
        classifiers = [p for d in discriminators for p in d.classifier.parameters()]
        groups = [
            {"params": heads, "lr": rate, "betas": train.betas, "speed": 1.0},
            {
                "params": classifiers,
                "lr": rate * _CLASSIFIER_SPEED,
                "betas": _CLASSIFIER_BETAS,
                "speed": _CLASSIFIER_SPEED,
            },
        ]
        linear = [*self.generator.pca_decoder.parameters(), *self.encoder.pca_encoder.parameters()]
        known = {id(p) for p in linear}
        both = nn.ModuleList([self.generator, self.encoder])
        convolutions = [p for p in both.parameters() if id(p) not in known]
        generator_groups: list[dict[str, Any]] = [
            {"params": convolutions},
            {"params": linear, "speed": _PCA_SPEED},
        ]
        return {
            EDITOR: make_adam(self.editor, train),
            GENERATOR: Adam(generator_groups, train.learning_rate, train.betas, fused=True),
            DISCRIMINATOR: Adam(groups, fused=True),
            RECOGNIZER: AdamW(self.recognizer.trainable(), weight_decay=_WEIGHT_DECAY, fused=True),
        }

    @torch.no_grad()
    def initialize(self, pack: Pack) -> None:
        """Set the latents to principal components, and the prototypes, of the train split."""
        exclusion = torch.from_numpy(exclusion_matrix(pack.attribute_names)).float()
        found = self.prototypes.fit(pack, self.features_of, exclusion, self.feature_means)
        pixels = found * _PROTOTYPE_STRENGTH
        half = nn.functional.avg_pool2d(pixels, 2)
        rows = pack.rows("train")
        moments = Moments(self.config.data.num_attributes)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            images = from_pixels(torch.from_numpy(pack.images[chunk]))
            moments.add(images, torch.from_numpy(pack.attributes[chunk]))
        components = moments.principal_components(self.recipe.num_latents)
        networks = self.encoder, self.average_encoder, self.generator, self.average_generator
        for network in networks:
            network.initialize_pca(components)
        for editor in (self.editor, self.average_editor):
            editor.prototypes.copy_(half)
        for module in (
            *networks,
            self.editor,
            self.average_editor,
            self.prototypes,
            self.feature_means,
        ):
            take_from_main([*module.parameters(), *module.buffers()])

    def features(self, images: Tensor) -> list[Tensor]:
        """Frozen features of views `[B, 3, 96, 96]`, fine to coarse, float32; gradients pass.

        What looks at them is not autocast: spectral norms would be computed in bfloat16.
        """
        with self.runtime.autocast():
            features = self.features_of.features(images)
        return [f.float() for f in features]

    def step(self, name: str, rate: float | Tensor) -> None:
        """Apply and clear the gradients of an optimizer's weights, at a step size."""
        optimizer = self.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("speed", 1.0)
        params = [p for group in optimizer.param_groups for p in group["params"]]
        average_gradients(params)
        if name in (EDITOR, GENERATOR):
            nn.utils.clip_grad_norm_(params, _MAX_NORM)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def update_averages(self, names: Iterable[str], decay: float | Tensor) -> None:
        """Move the moving averages of these networks."""
        for name in names:
            update_ema(self._averages[name], self.networks[name], decay)


def _average(network: T) -> T:
    """A copy to hold a moving average, in evaluation mode."""
    return copy.deepcopy(network).requires_grad_(False).eval()

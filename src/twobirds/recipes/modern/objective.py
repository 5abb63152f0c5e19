"""The training of recipe `modern`: real faces are edited and new ones generated in every batch.

D works on frozen features and is conditioned on attributes; real faces with mismatched attributes
count as fake, too (Reed et al., 2016). So D learns what each attribute looks like, and the
classifier, which alone would teach the editor adversarial patterns, can have a small weight.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.config import RunConfig
from twobirds.data.attributes import EDITED_BY_ATTGAN, exclusion_matrix
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import latent_distance, perceptual_distance, pixel_distance
from twobirds.models.edit_layers import apply_layers
from twobirds.models.layers import clamp_inward, evaluation_mode, frozen_weights
from twobirds.recipes.modern import discriminator_losses, losses
from twobirds.recipes.modern.discriminator import conditions_of
from twobirds.recipes.modern.inputs import EditBatch, Inputs, Step
from twobirds.recipes.modern.iteration import Edits, Faces, Iteration, Seen
from twobirds.recipes.modern.players import (
    DISCRIMINATOR,
    EDITOR,
    GENERATOR,
    RECOGNIZER,
    Players,
)
from twobirds.recipes.modern.rates import Rates
from twobirds.recipes.modern.recognition import recognizer_loss
from twobirds.recipes.modern.samples import sample_rows
from twobirds.recipes.modern.sampling import EditSampler
from twobirds.runtime import Runtime, to_device
from twobirds.training.graphs import ReplayedUpdate
from twobirds.training.schedule import Unscheduled

Terms = dict[str, tuple[float | Tensor, Tensor]]
"""Losses by name, scalars `[]`, each with its weight."""
_MIN_BATCH = 4
_ALSO_PREFERRED = ("Smiling", "Wearing_Hat", "Gray_Hair")
# Weights of the regularizers, times `regularization_weight`.
_CHANGE, _FLOW, _COLOUR, _MASK = 0.1, 0.2, 1.0, 0.1
_DETAIL, _PAINT = 0.1, 0.002


class ModernGAN(Unscheduled):
    """Two adversarial games on frozen features, of edits and of generated faces.

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.

    Raises:
        InputError: If a batch is too small to be divided, or the package with the weights of
            EfficientNet-lite0 is not installed.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        if config.train.batch_size // runtime.world_size < _MIN_BATCH:
            raise InputError(
                f"recipe modern divides each batch: train.batch_size must be {_MIN_BATCH} or more "
                f"for each process, not {config.train.batch_size}"
            )
        self.players = Players(config, runtime)
        self.networks: Mapping[str, nn.Module] = self.players.networks
        self.optimizers: Mapping[str, Optimizer] = self.players.optimizers
        self.config, self.recipe, self.runtime = config, self.players.recipe, runtime
        names = EDITED_BY_ATTGAN + _ALSO_PREFERRED
        preferred = torch.tensor([name in names for name in config.data.attributes]).float()
        self._preference = 1 + (self.recipe.change_preference - 1) * preferred  # [K], on the CPU
        self._device_preference = self._preference.to(runtime.device)
        self._sampler: EditSampler | None = None
        self._dense_weights: Tensor | None = None
        self._learn = ReplayedUpdate(self._update, self.optimizers.values(), runtime)

    def initialize(self, pack: Pack) -> None:
        """Set latents and prototypes from the train split."""
        self.players.initialize(pack)

    def stage(self, images_seen: int) -> int:
        """1 until editor and generator begin, then 2; 3 when the recognizer is done."""
        if images_seen < self.recipe.discriminator_lead_images:
            return 1
        return 2 if images_seen < self.recipe.recognizer_images else 3

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One iteration: recognizer, D, then editor and generator."""
        seen, recipe = iteration * loader.batch_size, self.recipe
        inputs = Inputs.sample(
            Step(batch, loader, iteration),
            recipe,
            self._edit_sampler(loader),
            has_recognizer=seen < recipe.recognizer_images,
        )
        if self._dense_weights is None:
            self._dense_weights = self._weights_by_value(loader)
        rates: Rates = Rates.of(self.config, recipe, seen)
        if self.runtime.device.type == "cuda":
            numbers = to_device(torch.tensor(rates, dtype=torch.float32), self.runtime.device)
            rates = Rates(*numbers.unbind())
        return self._learn(Iteration(inputs, rates, leads=self.stage(seen) == 1))

    def _update(self, iteration: Iteration) -> dict[str, Tensor]:
        inputs, rates, leads = iteration
        players, metrics = self.players, dict[str, Tensor]()
        if inputs.recognized is not None:
            metrics["recognizer"] = loss = recognizer_loss(players, inputs.recognized)
            loss.backward()
            players.step(RECOGNIZER, rates.recognizer)
            players.update_averages(["recognizer"], rates.recognizer_decay)

        with torch.set_grad_enabled(not leads):
            edits, faces = self._edit(inputs.edits), self._generate(inputs)
            seen_edits, seen_faces = self._see_edits(inputs, edits), self._see_faces(inputs, faces)

        assert self._dense_weights is not None
        terms = discriminator_losses.of_edits(
            players.edit_discriminator, inputs.edits, seen_edits, self._dense_weights
        ) | discriminator_losses.of_faces(players.face_discriminator, faces, seen_faces)
        torch.stack([weight * loss for weight, loss in terms.values()]).sum().backward()
        players.step(DISCRIMINATOR, rates.discriminator)
        metrics |= {name: loss for name, (_, loss) in terms.items()}

        if leads:
            before = [f[: len(edits.edited)] for f in seen_edits.real]
            batch = inputs.edits
            players.feature_means.observe(before, seen_edits.fake, batch.change, batch.columns)
        else:
            both = self._edit_losses(edits, seen_edits, rates.ramp) | self._face_losses(
                faces, seen_faces, rates.ramp
            )
            torch.stack([weight * loss for weight, loss in both.values()]).sum().backward()
            players.step(EDITOR, rates.generator)
            players.step(GENERATOR, rates.generator)
            players.update_averages(["editor", "generator", "encoder"], rates.decay)
            metrics |= {name: loss for name, (_, loss) in both.items()}
        return {name: value.detach() for name, value in metrics.items()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Generated faces, real ones, their reconstructions, and edits."""
        return sample_rows(self.players, real_images, attributes)

    def _edit(self, batch: EditBatch) -> Edits:
        """Edit real faces of every attribute and value as often as of any other."""
        with self.runtime.autocast():
            output = self.players.editor(batch.sources, batch.change, batch.target)
        strength = torch.ones(len(batch.sources), device=batch.sources.device)
        edited = apply_layers(batch.sources, output.layers, strength)
        edited = clamp_inward(edited, -1.1, 1.1)
        return Edits(batch, edited, output)

    def _generate(self, inputs: Inputs) -> Faces:
        """Reconstruct real faces from their latents, and generate others from random ones."""
        real, attributes = inputs.faces
        num_reconstructed = len(real) - len(inputs.latents)
        with self.runtime.autocast():
            encoded = self.players.encoder(real[:num_reconstructed], attributes[:num_reconstructed])
            latents = torch.cat([encoded.float(), inputs.latents])  # [F, Z]
            fake = self.players.generator(latents, attributes)
        return Faces(real, attributes, latents, fake.float(), num_reconstructed)

    def _see_edits(self, inputs: Inputs, edits: Edits) -> Seen:
        """Features of sources and examples, and of edits through their sources' views."""
        batch, views = edits.batch, inputs.views
        sources = views.edits(batch.sources, views.source_noise)
        examples = views.examples(batch.examples, views.example_noise)
        with torch.no_grad():
            features = self.players.features(torch.cat([sources, examples]))
        return Seen(features, self.players.features(views.edits(edits.edited, views.edit_noise)))

    def _see_faces(self, inputs: Inputs, faces: Faces) -> Seen:
        """Features of real faces, and of generated ones through the same views."""
        views = inputs.views
        with torch.no_grad():
            features = self.players.features(views.faces(faces.real, views.real_noise))
        return Seen(features, self.players.features(views.faces(faces.fake, views.fake_noise)))

    def _edit_losses(self, edits: Edits, seen: Seen, ramp: float | Tensor) -> Terms:
        """The editor's losses by name, each with its weight."""
        batch, recipe, discriminator = edits.batch, self.recipe, self.players.edit_discriminator
        with frozen_weights(discriminator), evaluation_mode(discriminator):
            outputs = discriminator(seen.fake)
            scores = discriminator.score(
                outputs, slice(None), conditions_of(batch.target, batch.columns)
            )
            realness = discriminator.realness(outputs, slice(None))
            logits = discriminator.classify(seen.fake)
            before = [f[: len(batch.sources)] for f in seen.real]
            source_logits = discriminator.classify(before)
        is_changed, confidence = batch.change != 0, discriminator.confidence
        changed = losses.changed_label_loss(logits, batch.target, is_changed, confidence)
        kept = losses.kept_label_loss(logits, source_logits, is_changed)
        adversarial = recipe.adversarial_weight * ramp
        return {
            "edit_adversarial": (adversarial, -scores.sum(1).mean()),
            "edit_realness": (adversarial, -realness.sum(1).mean()),
            "edit_label": (recipe.label_weight, changed),
            "edit_label_kept": (recipe.kept_label_weight, kept),
            "prototype": (
                recipe.prototype_weight,
                self.players.prototypes.pull(before, seen.fake, batch.change),
            ),
            "edit_means": (
                recipe.mean_weight,
                self.players.feature_means.distance(before, seen.fake, batch.change, batch.columns),
            ),
        } | self._edit_costs(edits)

    def _edit_costs(self, edits: Edits) -> Terms:
        """What keeps edits small, by name, each with its weight."""
        batch, scale = edits.batch, self.recipe.regularization_weight
        freedom = self.players.prototypes.colourfulness[batch.columns]
        cost = losses.regularizers(batch.sources, edits.edited, edits.output, freedom)
        return {
            "edit_cast": (self.recipe.colour_cast_weight, cost.cast),
            "edit_change": (_CHANGE * scale, cost.change),
            "edit_flow": (_FLOW * scale, cost.flow),
            "edit_colour": (_COLOUR * scale, cost.colour),
            "edit_detail": (_DETAIL * scale, cost.detail),
            "edit_paint": (_PAINT * scale, cost.paint),
            "edit_colour_mask": (_MASK * scale, cost.colour_mask),
            "edit_prototype_mask": (_MASK * scale, cost.prototype_mask),
        }

    def _face_losses(self, faces: Faces, seen: Seen, ramp: float | Tensor) -> Terms:
        """Losses of generator and encoder; the paper's integrated loss on reconstructions."""
        recipe, discriminator = self.recipe, self.players.face_discriminator
        count = faces.num_reconstructed
        with frozen_weights(discriminator), evaluation_mode(discriminator):
            scores = discriminator.score(
                discriminator(seen.fake), slice(None), conditions_of(faces.attributes)
            )
            logits = discriminator.classify(seen.fake)
        adversarial = recipe.face_adversarial_weight * ramp
        terms: Terms = {
            "face_adversarial": (adversarial, -scores.sum(1).mean()),
            "face_label": (recipe.face_label_weight, label_loss(logits, faces.attributes)),
        }
        if count < len(faces.fake):
            with self.runtime.autocast():
                encoded = self.players.encoder(faces.fake[count:], faces.attributes[count:]).float()
            distance = latent_distance(encoded, faces.latents[count:])
            terms["latent"] = (recipe.latent_weight, distance)
        if count:
            original, reconstructed = faces.real[:count], faces.fake[:count]
            real, fake = losses.comparable(seen.real, seen.fake, count)
            terms["perceptual"] = (recipe.perceptual_weight, perceptual_distance(real, fake, "l1"))
            terms["pixel"] = (recipe.pixel_weight, pixel_distance(original, reconstructed))
        if count > 1:  # a variance takes two
            terms["prior"] = (recipe.prior_weight, losses.prior_distance(faces.latents[:count]))
        return terms

    def _edit_sampler(self, loader: Loader) -> EditSampler:
        if self._sampler is None:
            labels = loader.labels_on_cpu(loader.rows)
            exclusion = torch.from_numpy(exclusion_matrix(self.config.data.attributes)).float()
            self._sampler = EditSampler(labels, exclusion, self._preference)
        return self._sampler

    def _weights_by_value(self, loader: Loader) -> Tensor:
        """`[2, K]`: weights of the loss on each attribute and value; rare values count more."""
        share = loader.frequencies.clamp(0.03, 0.97)
        by_value = torch.stack([0.5 / (1 - share), 0.5 / share]).clamp(max=5.0)
        preference = self._device_preference
        return by_value * preference / preference.mean()

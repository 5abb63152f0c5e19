"""The training of recipe `layered`: real faces are edited and new ones generated in every batch.

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
from twobirds.models.layers import evaluation_mode, frozen_weights
from twobirds.randomness import RandomPurpose
from twobirds.recipes.layered import discriminator_losses, losses
from twobirds.recipes.layered.discriminator import conditions_of
from twobirds.recipes.layered.iteration import EditBatch, Edits, Faces, Seen, Step
from twobirds.recipes.layered.players import (
    DISCRIMINATOR,
    EDITOR,
    GENERATOR,
    RECOGNIZER,
    Players,
)
from twobirds.recipes.layered.recognition import recognizer_loss
from twobirds.recipes.layered.samples import sample_rows
from twobirds.recipes.layered.sampling import EditSampler
from twobirds.runtime import Runtime, to_device
from twobirds.training.schedule import Unscheduled

_MIN_BATCH = 4
_ALSO_PREFERRED = ("Smiling", "Wearing_Hat", "Gray_Hair")
# Weights of the regularizers, times `regularization_weight`.
_CHANGE, _FLOW, _COLOUR, _MASK = 0.1, 0.2, 1.0, 0.1
_DETAIL, _PAINT = 0.1, 0.002


class LayeredGAN(Unscheduled):
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
                f"recipe layered divides each batch: train.batch_size must be {_MIN_BATCH} or more "
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
        step = Step(batch, loader, iteration)
        players, leads = self.players, self.stage(step.images_seen) == 1
        metrics: dict[str, Tensor] = {}
        if step.images_seen < self.recipe.recognizer_images:
            metrics["recognizer"] = loss = recognizer_loss(players, step)
            loss.backward()
            players.step(RECOGNIZER, step.images_seen)
            players.update_averages(["recognizer"], step.images_seen + loader.batch_size)

        with torch.set_grad_enabled(not leads):
            edits, faces = self._edit(step), self._generate(step)
            seen_edits, seen_faces = self._see_edits(step, edits), self._see_faces(step, faces)

        terms = discriminator_losses.of_edits(
            players.edit_discriminator, edits.batch, seen_edits, self._dense_weights(loader)
        ) | discriminator_losses.of_faces(players.face_discriminator, faces, seen_faces)
        torch.stack([weight * loss for weight, loss in terms.values()]).sum().backward()
        players.step(DISCRIMINATOR, step.images_seen)
        metrics |= {name: loss for name, (_, loss) in terms.items()}

        if not leads:
            edit_terms = self._edit_losses(step, edits, seen_edits)
            face_terms = self._face_losses(step, faces, seen_faces)
            both = edit_terms | face_terms
            torch.stack([weight * loss for weight, loss in both.values()]).sum().backward()
            players.step(EDITOR, step.images_seen)
            players.step(GENERATOR, step.images_seen)
            averaged = step.images_seen + loader.batch_size - self.recipe.discriminator_lead_images
            players.update_averages(["editor", "generator", "encoder"], averaged)
            metrics |= {name: loss for name, (_, loss) in both.items()}
        return {name: value.detach() for name, value in metrics.items()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Generated faces, real ones, their reconstructions, and edits."""
        return sample_rows(self.players, real_images, attributes)

    def _edit(self, step: Step) -> Edits:
        """Edit real faces of every attribute and value as often as of any other."""
        count = self._num_edited(step)
        batch = EditBatch.sample(step, self._edit_sampler(step.loader), count)
        with self.runtime.autocast():
            output = self.players.editor(batch.sources, batch.change, batch.target)
        strength = torch.ones(count, device=batch.sources.device)
        edited = apply_layers(batch.sources, output.layers, strength).clamp(-1.1, 1.1)
        return Edits(batch, edited, output)

    def _generate(self, step: Step) -> Faces:
        """Reconstruct real faces from their latents, and generate others from random ones."""
        count = len(step.batch.images) - self._num_edited(step)
        num_coded = round(count * self.recipe.reconstructed_share)
        real, attributes = step.batch.images[:count], step.batch.attributes[:count]
        shape = (count - num_coded, self.recipe.num_latents)
        sampled = torch.rand(shape, generator=step.generator(RandomPurpose.LATENTS)) * 2 - 1
        with self.runtime.autocast():
            encoded = self.players.encoder(real[:num_coded])
            latents = torch.cat([encoded.float(), to_device(sampled, real.device)])  # [F, Z]
            fake = self.players.generator(latents, attributes)
        return Faces(real, attributes, latents, fake.float(), num_coded)

    def _see_edits(self, step: Step, edits: Edits) -> Seen:
        """Features of sources and examples, and of edits through their sources' views."""
        batch, noise = edits.batch, step.noise(RandomPurpose.VIEW_NOISE)
        views = step.views(RandomPurpose.EDIT_VIEW, len(batch.sources))
        others = step.views(RandomPurpose.EXAMPLE_VIEW, len(batch.examples))
        real = torch.cat([views(batch.sources, noise), others(batch.examples, noise)])
        with torch.no_grad():
            features = self.players.features(real)
        return Seen(features, self.players.features(views(edits.edited, noise)))

    def _see_faces(self, step: Step, faces: Faces) -> Seen:
        """Features of real faces, and of generated ones through the same views."""
        noise = step.noise(RandomPurpose.FACE_NOISE)
        views = step.views(RandomPurpose.FACE_VIEW, len(faces.real))
        with torch.no_grad():
            features = self.players.features(views(faces.real, noise))
        return Seen(features, self.players.features(views(faces.fake, noise)))

    def _edit_losses(self, step: Step, edits: Edits, seen: Seen) -> dict[str, tuple[float, Tensor]]:
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
        adversarial = recipe.adversarial_weight * self._ramp(step)
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

    def _edit_costs(self, edits: Edits) -> dict[str, tuple[float, Tensor]]:
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

    def _face_losses(self, step: Step, faces: Faces, seen: Seen) -> dict[str, tuple[float, Tensor]]:
        """Losses of generator and encoder; the paper's integrated loss on reconstructions."""
        recipe, discriminator, coded = self.recipe, self.players.face_discriminator, faces.num_coded
        with frozen_weights(discriminator), evaluation_mode(discriminator):
            scores = discriminator.score(
                discriminator(seen.fake), slice(None), conditions_of(faces.attributes)
            )
            logits = discriminator.classify(seen.fake)
        adversarial = recipe.face_adversarial_weight * self._ramp(step)
        terms = {
            "face_adversarial": (adversarial, -scores.sum(1).mean()),
            "face_label": (recipe.face_label_weight, label_loss(logits, faces.attributes)),
        }
        if coded < len(faces.fake):
            with self.runtime.autocast():
                encoded = self.players.encoder(faces.fake[coded:]).float()
            distance = latent_distance(encoded, faces.latents[coded:])
            terms["latent"] = (recipe.latent_weight, distance)
        if coded:
            original, reconstructed = faces.real[:coded], faces.fake[:coded]
            real, fake = losses.comparable(seen.real, seen.fake, coded)
            terms["perceptual"] = (recipe.perceptual_weight, perceptual_distance(real, fake, "l1"))
            terms["pixel"] = (recipe.pixel_weight, pixel_distance(original, reconstructed))
        if coded > 1:  # a variance takes two
            terms["prior"] = (recipe.prior_weight, losses.prior_distance(faces.latents[:coded]))
        return terms

    def _num_edited(self, step: Step) -> int:
        """E: at least one face of a batch is edited; batch norm needs two that are generated."""
        total = len(step.batch.images)
        return min(max(1, round(total * self.recipe.edited_share)), total - 2)

    def _ramp(self, step: Step) -> float:
        """Factor on the adversarial weights: rises from 0 to 1 after the editor has begun."""
        since = step.images_seen - self.recipe.discriminator_lead_images
        return min(1.0, max(0.0, since / max(1, self.recipe.ramp_images)))

    def _edit_sampler(self, loader: Loader) -> EditSampler:
        if self._sampler is None:
            labels = loader.labels_on_cpu(loader.rows)
            exclusion = torch.from_numpy(exclusion_matrix(self.config.data.attributes)).float()
            self._sampler = EditSampler(labels, exclusion, self._preference)
        return self._sampler

    def _dense_weights(self, loader: Loader) -> Tensor:
        """`[2, K]`: weights of the loss on each attribute and value; rare values count more."""
        share = loader.frequencies.clamp(0.03, 0.97)
        by_value = torch.stack([0.5 / (1 - share), 0.5 / share]).clamp(max=5.0)
        preference = self._device_preference
        return by_value * preference / preference.mean()

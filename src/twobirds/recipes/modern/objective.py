"""The training of recipe `modern`: a batch is divided between four tasks (docs/recipes/modern.md).

Stage 1 generates from noise alone. In stage 2 a part of the batch is edited, a part reconstructed
from latents and features, a part from latents alone, and the rest generated: one pass of G serves
all, and the paper's integrated loss falls on the reconstructions.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.config import RunConfig
from twobirds.data.attributes import EDITED_BY_ATTGAN
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.losses.adversarial import discriminator_loss, generator_loss
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import latent_distance, perceptual_distance, pixel_distance
from twobirds.models import augmentation
from twobirds.models.layers import frozen_weights
from twobirds.randomness import RandomPurpose
from twobirds.recipes.modern.changes import sample_changes
from twobirds.recipes.modern.classifiers import PERSON_WEIGHT, classifier_terms
from twobirds.recipes.modern.generator import Source
from twobirds.recipes.modern.losses import (
    cosine_distance,
    edit_label_loss,
    gradient_penalty,
    prior_distance,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    unit_channels,
)
from twobirds.recipes.modern.plan import Parts, Plan, Step
from twobirds.recipes.modern.players import CLASSIFIERS, DISCRIMINATOR, GENERATOR, Players
from twobirds.recipes.modern.samples import sample_rows
from twobirds.runtime import Runtime, to_device
from twobirds.training.schedule import Unscheduled
from twobirds.training.warm_start import NetworkWeights, load_matching

Losses = dict[str, tuple[float, Tensor]]
"""By name: the weight, and the loss, a scalar `[]`."""

_PENALTY_STRIDE = 8  # D's gradient is measured at every eighth face of a batch


class ModernGAN(Unscheduled):
    """Adversarial game on all generated faces, and a noise-robust classifier of their attributes.

    Args:
        config: The run; its attributes must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        self.players = Players(config, runtime)
        self.networks: Mapping[str, nn.Module] = self.players.networks
        self.optimizers: Mapping[str, Optimizer] = self.players.optimizers
        self.config, self.recipe, self.runtime = config, self.players.recipe, runtime
        preferred = [name in EDITED_BY_ATTGAN for name in config.data.attributes]
        preference = 1 + (self.recipe.change_preference - 1) * torch.tensor(preferred).float()
        self._preference = preference.to(runtime.device)  # [K]
        noise, cutout = self.recipe.classifier_noise, self.recipe.classifier_cutout
        self._classifier_view, self._classifier_augmentation = augmentation.classifier_views(
            noise, cutout
        )

    def initialize(self, pack: Pack) -> None:
        """Initialize latents as principal components of the train split."""
        if self.recipe.has_pca:
            self.players.initialize_pca(pack)

    def warm_start(self, weights: NetworkWeights) -> None:
        """Take what the model has; see `Objective`.

        A saved model has no noise-robust classifier: it starts as the recognizer. The person head
        knows the people of one pack only and starts anew.
        """
        substitutes = {"robust_classifier": "recognizer"}
        load_matching(self.networks, weights, substitutes=substitutes, skipped={"person_head"})

    def stage(self, images_seen: int) -> int:
        """1 until `stage1_share` of the images has been shown, then 2."""
        stage1_images = round(self.config.train.images * self.recipe.stage1_share)
        return 1 if images_seen < stage1_images else 2

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One iteration: classifiers step, faces are generated, D steps, G and encoder step."""
        step = Step(batch, loader, iteration)
        learned: dict[str, Tensor] = {}
        if step.images_seen < self.recipe.recognizer_images:
            learned = classifier_terms(self.players, step, self._classifier_augmentation)
            loss = learned["label_learned"] + learned["label_robust"]
            if "person" in learned:
                loss = loss + PERSON_WEIGHT * learned["person"]
            loss.backward()
            self.players.step(CLASSIFIERS, step.images_seen)
        plan, metrics = self._plan(step)
        metrics |= learned
        latents, fakes = self._generate(step, plan)
        scored, real_scores = self._discriminator_gradients(step, plan, fakes)
        self.players.step(DISCRIMINATOR, step.images_seen)
        metrics |= scored | self._generator_gradients(step, plan, latents, fakes, real_scores)
        self.players.step(GENERATOR, step.images_seen)
        self.players.update_averages(step.images_seen + loader.batch_size)
        return {name: value.detach() for name, value in metrics.items()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Generated faces, real ones, both kinds of reconstructions, and edits."""
        return sample_rows(self.players, real_images, attributes)

    @torch.no_grad()
    def _plan(self, step: Step) -> tuple[Plan, dict[str, Tensor]]:
        """Classify the faces, divide the batch, and decide what is to be generated of it."""
        batch, loader = step.batch, step.loader
        recipe, stage = self.recipe, self.stage(step.images_seen)
        shares = (recipe.edited_share, recipe.copied_share, recipe.coded_share)
        parts = Parts.of(len(batch.images), shares if stage == 2 else (0, 0, 0))
        logits, _ = self.players.classify(self.players.average_recognizer, batch.images)
        metrics = {"label_real": label_loss(logits, batch.attributes)}
        attributes = (logits > 0).float()  # [B, K]
        probabilities, features = self._classify_sources(step, parts)
        attributes[parts.generated] = batch.attributes[parts.generated]
        target = attributes.clone()
        if parts.edited.stop:
            target[parts.edited] = sample_changes(
                attributes[parts.edited],
                loader.frequencies,
                loader.exclusion,
                self._preference,
                step.generator(RandomPurpose.ATTRIBUTE_CHANGES),
                num_varying=loader.num_varying,
            )
        return Plan(parts, attributes, target, probabilities, features), metrics

    def _classify_sources(self, step: Step, parts: Parts) -> tuple[Tensor, list[Tensor]]:
        """Probabilities `[S, K]` and features of S real faces by the noise-robust classifier.

        Those to be edited are seen through the same noise and augmentation as their edits will be:
        else edits would have to exaggerate what they shall keep.
        """
        images = step.batch.images
        if not parts.sources.stop:
            return images.new_zeros(0, len(self._preference)), []
        seen = self._classifier_view(images, step.generator(RandomPurpose.CLASSIFIER_VIEW))
        shown = torch.cat([seen[parts.edited], images[parts.reconstructed]])
        logits, features = self.players.classify(self.players.average_classifier, shown)
        return torch.sigmoid(logits), features

    def _generate(self, step: Step, plan: Plan) -> tuple[Tensor, Tensor]:
        """Latents of all faces `[B, Z]`, encoded or sampled, and G's images `[B, 3, H, W]`."""
        parts, count = plan.parts, len(plan.target)
        shape = (count, self.recipe.num_latents)
        latents = torch.rand(shape, generator=step.generator(RandomPurpose.LATENTS)) * 2 - 1
        latents = to_device(latents, self.runtime.device)  # [B, Z]
        if not parts.sources.stop:
            return latents, self.players.generate(latents, plan.target, None)
        encoded, features = self.players.encode(step.batch.images[parts.sources])
        latents = torch.cat([encoded, latents[parts.generated]])  # [B, Z]
        if not self.recipe.has_skips:
            return latents, self.players.generate(latents, plan.target, None)
        missing = count - parts.sources.stop
        features = [F.pad(f, (0, 0, 0, 0, 0, 0, 0, missing)) for f in features]  # [B, F, h, w]
        weight = torch.zeros(count, device=latents.device)
        weight[parts.from_features] = 1
        source = Source(step.batch.images, features, plan.target - plan.attributes, weight)
        return latents, self.players.generate(latents, plan.target, source)

    def _discriminator_gradients(
        self, step: Step, plan: Plan, fakes: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """D's gradients; the losses by name, and D's scores of the real faces `[B]`, detached."""
        # Sources are scored with predicted attributes, as their edits are: labels have other
        # errors, by which D could tell real from fake without looking.
        real = self._augmented(step, step.batch.images, RandomPurpose.REAL_AUGMENTATION)
        fake = self._augmented(step, fakes.detach(), RandomPurpose.FAKE_AUGMENTATION)
        real_scores = self.players.score(real, plan.attributes)
        fake_scores = self.players.score(fake, plan.target)
        if self.recipe.game == "relativistic":
            loss = relativistic_discriminator_loss(real_scores, fake_scores)
        else:
            loss = discriminator_loss(real_scores, fake_scores)
        metrics = {"d_adversarial": loss}
        total = self.recipe.adversarial_weight * loss
        if self.recipe.gradient_penalty_weight:
            r1 = self._gradient_penalty(step, real, plan.attributes)
            r2 = self._gradient_penalty(step, fake, plan.target)
            metrics["gradient_penalty"] = r1 + r2
            total = total + self.recipe.gradient_penalty_weight * (r1 + r2)
        total.backward()
        return metrics, real_scores.detach()

    def _augmented(self, step: Step, images: Tensor, purpose: int) -> Tensor:
        """Images as D sees them."""
        if not self.recipe.augment:
            return images
        return augmentation.DISCRIMINATOR(images, step.generator(purpose))

    def _gradient_penalty(self, step: Step, images: Tensor, attributes: Tensor) -> Tensor:
        """D's squared gradient at a part of the images, each iteration another."""
        # So far apart they are whole groups of D's minibatch standard deviation.
        stride = _PENALTY_STRIDE if len(images) > _PENALTY_STRIDE else 1
        some = slice(step.number % stride, None, stride)
        at = images[some].detach().requires_grad_(True)
        return gradient_penalty(self.players.score(at, attributes[some]), at)

    def _generator_gradients(
        self, step: Step, plan: Plan, latents: Tensor, fakes: Tensor, real_scores: Tensor
    ) -> dict[str, Tensor]:
        """Gradients of G and the encoder; D's and the classifiers' weights get none."""
        with frozen_weights(self.players.discriminator):
            scores = self.players.score(
                self._augmented(step, fakes, RandomPurpose.FAKE_AUGMENTATION), plan.target
            )
        if self.recipe.game == "relativistic":
            # The real scores are those from before D's step: one pass less, and nearly the same.
            adversarial = relativistic_generator_loss(real_scores, scores)
        else:
            adversarial = generator_loss(scores, self.recipe.game)
        losses = {"g_adversarial": (self.recipe.adversarial_weight, adversarial)}
        losses |= self._label_losses(step, plan, fakes) | self._latent_losses(plan, latents, fakes)
        if plan.parts.sources.stop:
            losses |= self._pixel_losses(step, plan, fakes)
        total = sum(weight * loss for weight, loss in losses.values())
        assert isinstance(total, Tensor)
        total.backward()
        return {name: loss for name, (_, loss) in losses.items()}

    def _label_losses(self, step: Step, plan: Plan, fakes: Tensor) -> Losses:
        """The averaged noise-robust classifier on generated and edited faces."""
        parts = plan.parts
        seen = self._classifier_view(fakes, step.generator(RandomPurpose.CLASSIFIER_VIEW))
        shown = torch.cat([seen[parts.edited], seen[parts.generated]])
        logits, features = self.players.classify(self.players.average_classifier, shown)
        edited, generated = logits.split([parts.edited.stop, len(logits) - parts.edited.stop])
        losses: Losses = {}
        if len(generated):
            loss = label_loss(generated, plan.target[parts.generated])
            losses["label_fake"] = (self.recipe.label_weight, loss)
        if len(edited):
            target, before = plan.target[parts.edited], plan.attributes[parts.edited]
            probabilities = plan.probabilities[parts.edited]
            loss = edit_label_loss(edited, target, target != before, probabilities)
            losses["label_edited"] = (self.recipe.edit_label_weight, loss)
            losses |= self._identity_losses(plan, parts.edited, features[-1][: parts.edited.stop])
        return losses

    def _identity_losses(self, plan: Plan, part: slice, features: Tensor) -> Losses:
        """Identity distance of the edited or the reconstructed part, of these features."""
        head, recipe = self.players.average_person_head, self.recipe
        if head is None:
            return {}
        distance = cosine_distance(head(features), head(plan.features[-1][part]))
        if part == plan.parts.edited:
            return {"identity_edited": (recipe.edit_identity_weight, distance)}
        return {"identity_reconstructed": (recipe.identity_weight, distance)}

    def _latent_losses(self, plan: Plan, latents: Tensor, fakes: Tensor) -> Losses:
        """Latents of a generated face are its z, those of an edit its source's."""
        parts, recipe = plan.parts, self.recipe
        encoded, _ = self.players.encode(torch.cat([fakes[parts.edited], fakes[parts.generated]]))
        edited, generated = encoded.split([parts.edited.stop, len(encoded) - parts.edited.stop])
        given = latents.detach()  # [B, Z]
        norm = recipe.latent_norm
        losses: Losses = {}
        if len(generated):
            distance = latent_distance(generated, given[parts.generated], norm)
            losses["latent"] = (recipe.latent_weight, distance)
        if parts.sources.stop > 1:
            losses["prior"] = (recipe.prior_weight, prior_distance(latents[parts.sources]))
        if len(edited):
            kept = latent_distance(edited, given[parts.edited], norm)
            losses["consistency"] = (recipe.consistency_weight, kept)
        return losses

    def _pixel_losses(self, step: Step, plan: Plan, fakes: Tensor) -> Losses:
        """The integrated loss of reconstructions, and the distance of edits from their sources."""
        parts, recipe, images = plan.parts, self.recipe, step.batch.images
        reconstructed, edited = fakes[parts.reconstructed], fakes[parts.edited]
        losses: Losses = {}
        if len(reconstructed):
            _, features = self.players.classify(self.players.average_classifier, reconstructed)
            last = features[-1]
            features = [unit_channels(feature) for feature in features]
            real = [unit_channels(feature[parts.reconstructed]) for feature in plan.features]
            distance = perceptual_distance(real, features, recipe.perceptual_norm)
            losses["perceptual"] = (recipe.perceptual_weight, distance)
            losses |= self._identity_losses(plan, parts.reconstructed, last)
            distance = pixel_distance(images[parts.reconstructed], reconstructed, recipe.pixel_norm)
            losses["pixel"] = (recipe.pixel_weight, distance)
        if len(edited):
            distance = pixel_distance(images[parts.edited], edited, recipe.pixel_norm)
            losses["edit_pixel"] = (recipe.edit_pixel_weight, distance)
        return losses

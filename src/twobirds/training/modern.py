"""Preset modern as an objective of the loop: every face of a batch plays one part (docs/modern.md).

Stage 1 generates from noise alone. In stage 2 a part of the batch is edited, a part rebuilt by way
of the encoder's features, a part rebuilt from the code alone, and the rest generated: one pass of G
serves all, and the paper's integrated loss falls on the rebuilt ones.
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
from twobirds.losses.adversarial import (
    discriminator_loss,
    generator_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
)
from twobirds.losses.attributes import label_loss
from twobirds.losses.editing import edit_label_loss, prior_distance
from twobirds.losses.identity import cosine_distance, person_loss
from twobirds.losses.integrated import (
    latent_distance,
    perceptual_distance,
    pixel_distance,
    unit_channels,
)
from twobirds.losses.penalty import gradient_penalty
from twobirds.models.editing_generator import Source
from twobirds.models.layers import frozen_weights
from twobirds.randomness import RandomPurpose
from twobirds.runtime import Runtime
from twobirds.training import augment
from twobirds.training.changes import sample_changes
from twobirds.training.modern_plan import Parts, Plan, Step
from twobirds.training.modern_players import DISCRIMINATOR, DRAWING, READING, ModernPlayers
from twobirds.training.modern_samples import sample_rows
from twobirds.training.schedule import Unscheduled

Losses = dict[str, tuple[float, Tensor]]
"""By name: the weight, and the loss, a scalar `[]`."""

_PERSONS = 0.1  # weight of telling people apart, in what the guide learns
_PENALTY_STRIDE = 8  # D's gradient is measured at every eighth face of a batch


class ModernGAN(Unscheduled):
    """Relativistic game on everything drawn, and a guide that says what drawn faces lack.

    Args:
        config: The run; `config.model.attributes` and `config.modern` must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        self.players = ModernPlayers(config, runtime)
        self.networks: Mapping[str, nn.Module] = self.players.networks
        self.optimizers: Mapping[str, Optimizer] = self.players.optimizers
        self.config, self.modern, self.runtime = config, self.players.modern, runtime
        favoured = [name in EDITED_BY_ATTGAN for name in config.model.attributes]
        favour = 1 + (self.modern.favour - 1) * torch.tensor(favoured).float()
        self._favour = favour.to(runtime.device)  # [K]
        views = augment.guide_views(self.modern.guide_noise, self.modern.guide_cutout)
        self._guide_view, self._guide_lesson = views

    def begin(self, pack: Pack) -> None:
        """Let codes begin as principal components of the train split."""
        if self.modern.has_eigenfaces:
            self.players.begin_with_eigenfaces(pack)

    def stage(self, images_seen: int) -> int:
        """1 until `stage1_share` of the images has been shown, then 2."""
        return 1 if images_seen < self.config.train.stage1_images else 2

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One iteration: what reads learns, faces are drawn, D learns, G and encoder learn."""
        step = Step(batch, loader, iteration)
        learned: dict[str, Tensor] = {}
        if step.images_seen < self.modern.recognizer_images:
            learned = self._learn_labels(step)
            self.players.step(READING, step.images_seen)
        plan, metrics = self._plan(step)
        metrics |= learned
        codes, fakes = self._draw(step, plan)
        scored, real_scores = self._score(step, plan, fakes)
        self.players.step(DISCRIMINATOR, step.images_seen)
        metrics |= scored | self._improve(step, plan, codes, fakes, real_scores)
        self.players.step(DRAWING, step.images_seen)
        self.players.update_averages(step.images_seen + loader.batch_size)
        return {name: value.detach() for name, value in metrics.items()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Generated faces, real ones, both ways of rebuilding them, and edits."""
        return sample_rows(self.players, real_images, attributes)

    def _learn_labels(self, step: Step) -> dict[str, Tensor]:
        """Gradients of recognizer and guide, from real faces alone; the losses by name."""
        players, batch, mixup = self.players, step.batch, self.modern.recognizer_mixup
        generator = step.generator(RandomPurpose.RECOGNIZER_AUGMENTATION)
        faces, labels = augment.RECOGNIZER(batch.images, generator), batch.attributes
        faces, labels = augment.mix(faces, labels, mixup, step.generator(RandomPurpose.MIXUP))
        logits, _ = players.recognize(players.recognizer, faces)
        losses = {"label_learned": label_loss(logits, labels)}
        generator = step.generator(RandomPurpose.CLASSIFIER_AUGMENTATION)
        faces = self._guide_lesson(batch.images, generator)
        logits, features = players.recognize(players.guide, faces)
        losses["label_guide"] = label_loss(logits, batch.attributes)
        total = losses["label_learned"] + losses["label_guide"]
        if (head := players.person_head) is not None:
            losses["person"] = person_loss(head.cosines(head(features[-1])), batch.people)
            total = total + _PERSONS * losses["person"]
        total.backward()
        return losses

    @torch.no_grad()
    def _plan(self, step: Step) -> tuple[Plan, dict[str, Tensor]]:
        """Read the faces, divide the batch, and decide what is to be drawn of it."""
        batch, loader = step.batch, step.loader
        modern, stage = self.modern, self.stage(step.images_seen)
        shares = (modern.edited_share, modern.copied_share, modern.coded_share)
        parts = Parts.of(len(batch.images), shares if stage == 2 else (0, 0, 0))
        logits, _ = self.players.recognize(self.players.average_recognizer, batch.images)
        metrics = {"label_real": label_loss(logits, batch.attributes)}
        has = (logits > 0).float()
        read, features = self._read_sources(step, parts)
        has[parts.generated] = batch.attributes[parts.generated]
        target = has.clone()
        if parts.edited.stop:
            target[parts.edited] = sample_changes(
                has[parts.edited],
                loader.frequencies,
                loader.exclusion,
                self._favour,
                step.generator(RandomPurpose.ATTRIBUTE_CHANGES),
            )
        return Plan(parts, has, target, read, features), metrics

    def _read_sources(self, step: Step, parts: Parts) -> tuple[Tensor, list[Tensor]]:
        """The guide's attributes `[S, K]` in [0, 1] and features of S real faces.

        Those to be edited are seen through the same noise and changes as their edits will be: were
        they read clearly, edits would have to exaggerate what they shall keep.
        """
        images = step.batch.images
        if not parts.sources.stop:
            return images.new_zeros(0, len(self._favour)), []
        seen = self._guide_view(images, step.generator(RandomPurpose.CLASSIFIER_VIEW))
        shown = torch.cat([seen[parts.edited], images[parts.rebuilt]])
        logits, features = self.players.recognize(self.players.average_guide, shown)
        return torch.sigmoid(logits), features

    def _draw(self, step: Step, plan: Plan) -> tuple[Tensor, Tensor]:
        """Codes of all faces `[B, Z]`, read or drawn at random, and G's images of them."""
        parts, count = plan.parts, len(plan.target)
        shape = (count, self.config.model.num_latents)
        codes = torch.rand(shape, generator=step.generator(RandomPurpose.LATENTS)) * 2 - 1
        codes = codes.to(self.runtime.device)
        if not parts.sources.stop:
            return codes, self.players.generate(codes, plan.target, None)
        read, features = self.players.encode(step.batch.images[parts.sources])
        codes = torch.cat([read, codes[parts.generated]])  # [B, Z]
        if not self.modern.has_skips:
            return codes, self.players.generate(codes, plan.target, None)
        missing = count - parts.sources.stop
        features = [F.pad(f, (0, 0, 0, 0, 0, 0, 0, missing)) for f in features]  # [B, F, h, w]
        weight = torch.zeros(count, device=codes.device)
        weight[parts.from_features] = 1
        source = Source(step.batch.images, features, plan.target - plan.has, weight)
        return codes, self.players.generate(codes, plan.target, source)

    def _score(self, step: Step, plan: Plan, fakes: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """D's gradients; also its scores of the real faces `[B]`, detached."""
        # Sources are scored with what was read off them, as what is drawn of them is: labels have
        # other errors, by which D could tell without looking.
        real = self._as_seen(step, step.batch.images, RandomPurpose.REAL_AUGMENTATION)
        fake = self._as_seen(step, fakes.detach(), RandomPurpose.FAKE_AUGMENTATION)
        real_scores = self.players.score(real, plan.has)
        fake_scores = self.players.score(fake, plan.target)
        if self.modern.relativistic:
            loss = relativistic_discriminator_loss(real_scores, fake_scores)
        else:
            loss = discriminator_loss(real_scores, fake_scores)
        metrics = {"d_adversarial": loss}
        total = self.config.loss.adversarial * loss
        if self.modern.gradient_penalty:
            r1 = self._gradient_penalty(step, real, plan.has)
            r2 = self._gradient_penalty(step, fake, plan.target)
            metrics["gradient_penalty"] = r1 + r2
            total = total + self.modern.gradient_penalty * (r1 + r2)
        total.backward()
        return metrics, real_scores.detach()

    def _as_seen(self, step: Step, images: Tensor, purpose: int) -> Tensor:
        """Images as D sees them."""
        if not self.modern.augment:
            return images
        return augment.DISCRIMINATOR(images, step.generator(purpose))

    def _gradient_penalty(self, step: Step, images: Tensor, attributes: Tensor) -> Tensor:
        """D's squared gradient at a part of the images, each iteration another."""
        # So far apart they make whole groups of D's deviation, of which each face's score depends.
        stride = _PENALTY_STRIDE if len(images) > _PENALTY_STRIDE else 1
        some = slice(step.number % stride, None, stride)
        at = images[some].detach().requires_grad_(True)
        return gradient_penalty(self.players.score(at, attributes[some]), at)

    def _improve(
        self, step: Step, plan: Plan, codes: Tensor, fakes: Tensor, real_scores: Tensor
    ) -> dict[str, Tensor]:
        """Gradients of G and the encoder; D's and the guide's weights get none."""
        with frozen_weights(self.players.discriminator):
            scores = self.players.score(
                self._as_seen(step, fakes, RandomPurpose.FAKE_AUGMENTATION), plan.target
            )
        if self.modern.relativistic:
            # The real scores are those from before D's step: one pass less, and nearly the same.
            adversarial = relativistic_generator_loss(real_scores, scores)
        else:
            adversarial = generator_loss(scores, self.config.loss.adversarial_form)
        losses = {"g_adversarial": (self.config.loss.adversarial, adversarial)}
        losses |= self._label_losses(step, plan, fakes) | self._code_losses(plan, codes, fakes)
        if plan.parts.sources.stop:
            losses |= self._pixel_losses(step, plan, fakes)
        total = sum(weight * loss for weight, loss in losses.values())
        assert isinstance(total, Tensor)
        total.backward()
        return {name: loss for name, (_, loss) in losses.items()}

    def _label_losses(self, step: Step, plan: Plan, fakes: Tensor) -> Losses:
        """What the averaged guide reads off generated and edited faces."""
        parts = plan.parts
        seen = self._guide_view(fakes, step.generator(RandomPurpose.CLASSIFIER_VIEW))
        shown = torch.cat([seen[parts.edited], seen[parts.generated]])
        logits, features = self.players.recognize(self.players.average_guide, shown)
        edited, generated = logits.split([parts.edited.stop, len(logits) - parts.edited.stop])
        losses: Losses = {}
        if len(generated):
            loss = label_loss(generated, plan.target[parts.generated])
            losses["label_fake"] = (self.config.loss.label, loss)
        if len(edited):
            target, has, read = (t[parts.edited] for t in (plan.target, plan.has, plan.read))
            loss = edit_label_loss(edited, target, target != has, read)
            losses["label_edited"] = (self.modern.attribute, loss)
            losses |= self._identity_losses(plan, parts.edited, features[-1][: parts.edited.stop])
        return losses

    def _identity_losses(self, plan: Plan, part: slice, features: Tensor) -> Losses:
        """Whether the edited or the rebuilt part, of these features, still shows its people."""
        head, modern = self.players.average_person_head, self.modern
        if head is None:
            return {}
        distance = cosine_distance(head(features), head(plan.features[-1][part]))
        if part == plan.parts.edited:
            return {"identity_edited": (modern.identity_edited, distance)}
        return {"identity_rebuilt": (modern.identity_rebuilt, distance)}

    def _code_losses(self, plan: Plan, codes: Tensor, fakes: Tensor) -> Losses:
        """The code of a generated face is the z it was made from, that of an edit its source's."""
        parts, loss = plan.parts, self.config.loss
        read, _ = self.players.encode(torch.cat([fakes[parts.edited], fakes[parts.generated]]))
        edited, generated = read.split([parts.edited.stop, len(read) - parts.edited.stop])
        given = codes.detach()
        norm = loss.latent_norm
        losses: Losses = {}
        if len(generated):
            distance = latent_distance(generated, given[parts.generated], norm)
            losses["latent"] = (loss.latent, distance)
        if parts.sources.stop > 1:
            losses["prior"] = (self.modern.prior, prior_distance(codes[parts.sources]))
        if len(edited):
            kept = latent_distance(edited, given[parts.edited], norm)
            losses["consistency"] = (self.modern.consistency, kept)
        return losses

    def _pixel_losses(self, step: Step, plan: Plan, fakes: Tensor) -> Losses:
        """The integrated loss of rebuilt faces, and how far edits are from their sources."""
        parts, loss, images = plan.parts, self.config.loss, step.batch.images
        rebuilt, edited = fakes[parts.rebuilt], fakes[parts.edited]
        losses: Losses = {}
        if len(rebuilt):
            _, features = self.players.recognize(self.players.average_guide, rebuilt)
            last = features[-1]
            features = [unit_channels(feature) for feature in features]
            real = [unit_channels(feature[parts.rebuilt]) for feature in plan.features]
            distance = perceptual_distance(real, features, loss.perceptual_norm)
            losses["perceptual"] = (loss.perceptual, distance)
            losses |= self._identity_losses(plan, parts.rebuilt, last)
            distance = pixel_distance(images[parts.rebuilt], rebuilt, loss.pixel_norm)
            losses["pixel"] = (loss.pixel, distance)
        if len(edited):
            distance = pixel_distance(images[parts.edited], edited, loss.pixel_norm)
            losses["kept"] = (self.modern.keep, distance)
        return losses

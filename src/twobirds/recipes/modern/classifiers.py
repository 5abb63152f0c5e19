"""What recognizer and noise-robust classifier learn: labels and people of real faces, no fakes."""

from torch import Tensor

from twobirds.losses.attributes import label_loss
from twobirds.models import augmentation
from twobirds.randomness import RandomPurpose
from twobirds.recipes.modern.losses import person_loss
from twobirds.recipes.modern.plan import Step
from twobirds.recipes.modern.players import Players

PERSON_WEIGHT = 0.1
"""Weight of telling people apart, beside the label losses."""


def classifier_terms(
    players: Players, step: Step, view: augmentation.Augmentation
) -> dict[str, Tensor]:
    """The losses of both classifiers.

    Args:
        players: The networks.
        step: The iteration.
        view: What the noise-robust classifier sees; the recognizer has its own.

    Returns:
        `label_learned` of the recognizer, `label_robust` and, where the pack knows people, `person`
        of the noise-robust classifier; scalars `[]`.
    """
    batch, mixup = step.batch, players.recipe.recognizer_mixup
    generator = step.generator(RandomPurpose.RECOGNIZER_AUGMENTATION)
    faces, labels = augmentation.RECOGNIZER(batch.images, generator), batch.attributes
    faces, labels = augmentation.mix(faces, labels, mixup, step.generator(RandomPurpose.MIXUP))
    logits, _ = players.classify(players.recognizer, faces)  # [B, K]
    terms = {"label_learned": label_loss(logits, labels)}
    generator = step.generator(RandomPurpose.CLASSIFIER_AUGMENTATION)
    faces = view(batch.images, generator)
    logits, features = players.classify(players.robust_classifier, faces)
    terms["label_robust"] = label_loss(logits, batch.attributes)
    if (head := players.person_head) is not None:
        terms["person"] = person_loss(head.cosines(head(features[-1])), batch.people)
    return terms

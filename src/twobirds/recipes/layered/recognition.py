"""What the recognizer learns: labels of real faces, no fakes."""

from torch import Tensor

from twobirds.losses.attributes import label_loss
from twobirds.models import augmentation
from twobirds.randomness import RandomPurpose
from twobirds.recipes.layered.iteration import Step
from twobirds.recipes.layered.players import Players

_MIXUP = 0.2
_SHARE = 2  # one in so many of a batch's faces: they cost as much as all edits otherwise


def recognizer_loss(players: Players, step: Step) -> Tensor:
    """Binary cross-entropy of the recognizer on augmented and blended real faces, scalar `[]`."""
    generator = step.generator(RandomPurpose.RECOGNIZER_AUGMENTATION)
    count = max(1, len(step.batch.images) // _SHARE)
    images, labels = step.batch.images[:count], step.batch.attributes[:count]
    faces = augmentation.RECOGNIZER(images, generator)
    faces, labels = augmentation.mix(faces, labels, _MIXUP, step.generator(RandomPurpose.MIXUP))
    with players.runtime.autocast():
        logits = players.recognizer(faces).float()
    return label_loss(logits, labels)

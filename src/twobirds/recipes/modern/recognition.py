"""What the recognizer learns: labels of real faces, no fakes."""

from torch import Tensor

from twobirds.losses.attributes import label_loss
from twobirds.recipes.modern.inputs import LabelledFaces
from twobirds.recipes.modern.players import Players


def recognizer_loss(players: Players, faces: LabelledFaces) -> Tensor:
    """Binary cross-entropy of the recognizer on augmented and blended real faces, scalar `[]`."""
    with players.runtime.autocast():
        logits = players.recognizer(faces.images).float()
    return label_loss(logits, faces.labels)

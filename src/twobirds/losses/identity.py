"""The losses on who a face is, of preset modern."""

import torch.nn.functional as F
from torch import Tensor

_SCALE = 24.0
_MARGIN = 0.2


def person_loss(cosines: Tensor, people: Tensor) -> Tensor:
    """Which person a face shows, with a margin: the loss of CosFace (Wang et al., 2018).

    Args:
        cosines: `[B, P]` float32 in [-1, 1], of faces to each of P people.
        people: `[B]` int64, who they show; -1 where unknown, which counts nothing.

    Returns:
        Scalar `[]` float32, not negative; 0 if nobody is known.
    """
    known = people >= 0
    margins = _MARGIN * F.one_hot(people.clamp(min=0), cosines.shape[1])
    losses = F.cross_entropy(_SCALE * (cosines - margins), people.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def cosine_distance(embeddings: Tensor, sources: Tensor) -> Tensor:
    """How far the embeddings of drawn faces are from those of the people they are drawn from.

    Args:
        embeddings: `[B, E]` float32 of unit length.
        sources: The same of the real faces.

    Returns:
        Scalar `[]` float32 in [0, 2]: one minus the mean cosine.
    """
    return 1 - (embeddings * sources).sum(1).mean()

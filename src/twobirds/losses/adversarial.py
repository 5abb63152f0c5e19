"""The adversarial loss of the min-max game (P9; Sec. 3.2.1)."""

import torch.nn.functional as F
from torch import Tensor

from twobirds.config import AdversarialForm


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """D's part of the min-max game, as a loss: -log D(x) - log(1 - D(G(z, c))).

    Args:
        real_logits: `[B]` float32, unbounded: the logits of real images being real.
        fake_logits: `[B]` float32, unbounded: those of generated ones.

    Returns:
        Scalar `[]` float32, not negative; 2 log 2 = 1.386 where D cannot tell.
    """
    # -log sigmoid(x) = softplus(-x) and -log(1 - sigmoid(x)) = softplus(x)
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor, form: AdversarialForm = "non_saturating") -> Tensor:
    """G's part: -log D(G(z, c)), or the game's own log(1 - D(G(z, c))).

    Paper: the min-max form. Here: the non-saturating form by default (Goodfellow et al., 2014,
    Sec. 3), because the min-max form's gradient vanishes while D wins (ADR 8).

    Args:
        fake_logits: `[B]` float32, unbounded: the logits of generated images being real.
        form: Which of the two.

    Returns:
        Scalar `[]` float32; the min-max form is not positive, the other not negative.
    """
    if form == "minmax":
        return -F.softplus(fake_logits).mean()
    return F.softplus(-fake_logits).mean()

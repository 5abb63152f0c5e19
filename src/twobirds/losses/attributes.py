"""The label consistency loss (P10; Sec. 3.2.2)."""

import torch.nn.functional as F
from torch import Tensor


def label_loss(attribute_logits: Tensor, attributes: Tensor) -> Tensor:
    """Binary cross-entropy of C, one per attribute.

    Paper: E[log C(D(x))], without saying what C's probability of many labels is. Here: the mean
    over the attributes, because one weight then serves any number of them (ADR 3).

    Args:
        attribute_logits: `[B, K]` float32, unbounded: C's logits.
        attributes: `[B, K]` float32 in [0, 1]: labels of real images, or what G was asked for.

    Returns:
        Scalar `[]` float32, not negative, averaged over attributes and batch; log 2 for logits of
        zero.
    """
    return F.binary_cross_entropy_with_logits(attribute_logits, attributes)

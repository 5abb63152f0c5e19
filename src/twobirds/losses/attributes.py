"""The label consistency loss (P10; Sec. 3.2.2)."""

import torch.nn.functional as F
from torch import Tensor


def label_loss(attribute_logits: Tensor, attributes: Tensor) -> Tensor:
    """Negative log-likelihood of the attribute vector under C, a binary one per attribute.

    Summed over the attributes, as the log-likelihood of the vector is, and averaged over the
    batch.

    Args:
        attribute_logits: `[B, K]`, C's logits.
        attributes: `[B, K]` float in [0, 1]: labels of real images, or what G was asked for.

    Returns:
        Scalar `[]`; K log 2 for logits of zero.
    """
    total = F.binary_cross_entropy_with_logits(attribute_logits, attributes, reduction="sum")
    return total / attribute_logits.shape[0]

"""The losses that only recipe `modern` has; those it shares lie in `twobirds.losses`."""

import torch
import torch.nn.functional as F
from torch import Tensor

PRIOR_VARIANCE = 1 / 3
"""Variance of z ~ U(-1, 1)."""
_COSFACE_SCALE = 24.0
_COSFACE_MARGIN = 0.2


def relativistic_discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """-log sigmoid(D(x) - D(x')): each real face shall score higher than a fake one.

    The pairing loss of R3GAN (Huang et al., 2024), after Jolicoeur-Martineau (2019). A score that
    is the same for all fakes gains D nothing, so G cannot collapse to one mode of it.

    Args:
        real_scores: `[B]` float32, unbounded.
        fake_scores: `[B]` float32, unbounded, paired with the real ones.

    Returns:
        Scalar `[]` float32, not negative; log 2 where D cannot tell.
    """
    return F.softplus(fake_scores - real_scores).mean()


def relativistic_generator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """-log sigmoid(D(x') - D(x)), G's part of the same game; arguments and range likewise."""
    return F.softplus(real_scores - fake_scores).mean()


def gradient_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Squared norm of D's gradient, the penalty R1 on real and R2 on generated images.

    After Mescheder et al. (2018, Sec. 4); both together as in R3GAN (Huang et al., 2024).

    Args:
        scores: `[B]` float32. Where one image moves another's score, by a statistic of the batch,
            that counts as the image's too.
        images: `[B, 3, H, W]`, with gradients on, which the scores were computed from.

    Returns:
        Scalar `[]` float32, the mean over the images; differentiable by D's weights.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean()


def edit_label_loss(
    attribute_logits: Tensor, target: Tensor, is_changed: Tensor, source: Tensor
) -> Tensor:
    """Binary cross-entropy of edited faces: changed attributes to their target, others kept.

    Of n changed attributes each weighs 0.5 / sqrt(n): in a mean over all forty a lone change would
    not be heard, with 1 / n faces of many changes would learn each of them too little. The
    attributes that are kept are averaged.

    Args:
        attribute_logits: `[B, K]` float32: of the noise-robust classifier on the edited faces.
        target: `[B, K]` 0/1: the attributes wanted.
        is_changed: `[B, K]` bool: where that differs from the source, also where a contradiction
            was switched off.
        source: `[B, K]` in [0, 1]: the classifier's probabilities on the sources.

    Returns:
        Scalar `[]` float32, not negative.
    """
    wanted = torch.where(is_changed, target, source)
    losses = F.binary_cross_entropy_with_logits(attribute_logits, wanted, reduction="none")
    changed = is_changed.float()
    kept = 1 - changed
    on_changed = (losses * changed).sum(1) / changed.sum(1).clamp(min=1).sqrt()  # [B]
    on_kept = (losses * kept).sum(1) / kept.sum(1).clamp(min=1)  # [B]
    return (0.5 * on_changed + on_kept).mean()


def prior_distance(latents: Tensor) -> Tensor:
    """How far the latents of real faces are from U(-1, 1) in mean and variance, per dimension.

    Args:
        latents: `[B, Z]` float32 in [-1, 1], B of 2 or more.

    Returns:
        Scalar `[]` float32, not negative.
    """
    mean, variance = latents.mean(0), latents.var(0)  # [Z] each
    return mean.square().mean() + (variance - PRIOR_VARIANCE).square().mean()


def person_loss(cosines: Tensor, people: Tensor) -> Tensor:
    """Which person a face shows, with a margin: the loss of CosFace (Wang et al., 2018).

    Args:
        cosines: `[B, P]` float32 in [-1, 1], of faces to each of P people.
        people: `[B]` int64, who they show; -1 where unknown, which counts nothing.

    Returns:
        Scalar `[]` float32, not negative; 0 if nobody is known.
    """
    known = people >= 0
    margins = _COSFACE_MARGIN * F.one_hot(people.clamp(min=0), cosines.shape[1])  # [B, P]
    logits = _COSFACE_SCALE * (cosines - margins)
    losses = F.cross_entropy(logits, people.clamp(min=0), reduction="none")  # [B]
    return (losses * known).sum() / known.sum().clamp(min=1)


def cosine_distance(embeddings: Tensor, sources: Tensor) -> Tensor:
    """How far the embeddings of edited or reconstructed faces are from those of their sources.

    Args:
        embeddings: `[B, E]` float32 of unit length.
        sources: The same of the real faces.

    Returns:
        Scalar `[]` float32 in [0, 2]: one minus the mean cosine.
    """
    return 1 - (embeddings * sources).sum(1).mean()


def unit_channels(features: Tensor) -> Tensor:
    """Scale the channels at each place to length 1, so that no layer outweighs another.

    As in LPIPS (Zhang et al., 2018), times the square root of C: a mean square is then 1.

    Args:
        features: `[B, C, H, W]`.

    Returns:
        The same shape, float32.
    """
    features = features.float()
    square = features.square().mean(1, keepdim=True)  # [B, 1, H, W]
    return features * torch.rsqrt(square + 1e-6)

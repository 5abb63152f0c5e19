"""Comparing faces that have an attribute with faces that lack it and are alike in all else.

Men with a beard differ from women without one in more than a beard. Overlap weights undo that: a
face that has the attribute counts by how little its other attributes suggest it, one that lacks it
by how much (Li, Morgan and Zaslavsky, 2018). Weighted so, the two groups have nearly the same mean
of every other attribute that took part; exactly the same without the ridge.
"""

import torch
from torch import Tensor

_MAX_ASSOCIATION = 0.45  # beyond this correlation an attribute is part of what changes
_RIDGE = 1.0  # of the logistic regressions, in faces
_NEWTON_STEPS = 8


def overlap_weights(attributes: Tensor, exclusion: Tensor) -> Tensor:
    """How much each face counts where faces with and without an attribute are compared.

    Args:
        attributes: `[N, K]` 0/1 labels of the training faces.
        exclusion: `[K, K]` 0/1: which attributes exclude which.

    Returns:
        `[N, K]` float32 in (0, 1): for attribute k the probability, given the other attributes,
        that the face has the value which it has not.
    """
    labels = attributes.double()
    likeness = _correlations(labels).abs()
    weights = torch.empty(labels.shape)
    for k in range(labels.shape[1]):
        takes_part = (likeness[k] < _MAX_ASSOCIATION) & (exclusion[k] == 0)
        takes_part[k] = False
        probability = _logistic_regression(labels[:, takes_part] * 2 - 1, labels[:, k])
        weights[:, k] = torch.where(labels[:, k] > 0, 1 - probability, probability).float()
    return weights


def contrast_weights(attributes: Tensor, weights: Tensor) -> Tensor:
    """Weights with which a sum over the faces becomes a difference of matched means.

    Args:
        attributes: `[N, K]` 0/1.
        weights: `[N, K]`, from `overlap_weights`.

    Returns:
        `[N, K]` float32: above 0 for faces that have the attribute, with sum 1, else below, with
        sum -1; all 0 for an attribute that all faces have, or none.
    """
    has = attributes.float()
    with_it, without = weights * has, weights * (1 - has)
    totals = with_it.sum(0), without.sum(0)
    varies = ((totals[0] > 0) & (totals[1] > 0)).float()
    contrast = with_it / totals[0].clamp(min=1e-12) - without / totals[1].clamp(min=1e-12)
    return contrast * varies


def _correlations(values: Tensor) -> Tensor:
    """`[K, K]` of columns `[N, K]`; 0 where one is constant."""
    centred = values - values.mean(0)
    scale = centred.square().mean(0).sqrt()
    covariance = centred.T @ centred / len(values)
    return covariance / torch.outer(scale, scale).clamp(min=1e-12)


def _logistic_regression(inputs: Tensor, labels: Tensor) -> Tensor:
    """Fitted probabilities `[N]` by Newton's method, of `[N, F]` inputs and `[N]` 0/1 labels."""
    inputs = torch.cat([inputs, inputs.new_ones(len(inputs), 1)], dim=1)
    ridge = _RIDGE * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    ridge[-1, -1] = 1e-6  # the intercept is free
    coefficients = inputs.new_zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        probability = torch.sigmoid(inputs @ coefficients)
        gradient = inputs.T @ (labels - probability) - ridge @ coefficients
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs + ridge
        coefficients = coefficients + torch.linalg.solve(curvature, gradient)
    return torch.sigmoid(inputs @ coefficients)

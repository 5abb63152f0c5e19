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
_MAX_FITTED = 200_000  # faces that a regression is fitted to; of more, evenly spaced ones


def overlap_weights(attributes: Tensor, exclusion: Tensor) -> Tensor:
    """How much each face counts where faces with and without an attribute are compared.

    Args:
        attributes: `[N, K]` 0/1 labels of the training faces.
        exclusion: `[K, K]` 0/1: which attributes exclude which.

    Returns:
        `[N, K]` float32 in (0, 1): for attribute k the probability, given the other attributes,
        that the face has the value which it has not.
    """
    step = -(-len(attributes) // _MAX_FITTED)  # 41 coefficients do not need a million faces
    fitted = attributes[::step].double()
    likeness = _correlations(fitted).abs()
    weights = torch.empty(attributes.shape)
    for k in range(attributes.shape[1]):
        takes_part = (likeness[k] < _MAX_ASSOCIATION) & (exclusion[k] == 0)
        takes_part[k] = False
        coefficients = _logistic_regression(_inputs(fitted, takes_part), fitted[:, k])
        for rows in range(0, len(attributes), _MAX_FITTED):
            part = slice(rows, rows + _MAX_FITTED)
            probability = torch.sigmoid(_inputs(attributes[part], takes_part) @ coefficients)
            has = attributes[part, k] > 0
            weights[part, k] = torch.where(has, 1 - probability, probability).float()
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


def _inputs(attributes: Tensor, takes_part: Tensor) -> Tensor:
    """Some columns of `[N, K]` as -1 and 1, and a last one of ones, float64."""
    signs = attributes[:, takes_part].double() * 2 - 1
    return torch.cat([signs, signs.new_ones(len(signs), 1)], dim=1)


def _logistic_regression(inputs: Tensor, labels: Tensor) -> Tensor:
    """Coefficients `[F]` by Newton's method, of `[N, F]` inputs and `[N]` 0/1 labels."""
    ridge = _RIDGE * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    ridge[-1, -1] = 1e-6  # the intercept is free
    coefficients = inputs.new_zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        probability = torch.sigmoid(inputs @ coefficients)
        gradient = inputs.T @ (labels - probability) - ridge @ coefficients
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs + ridge
        coefficients = coefficients + torch.linalg.solve(curvature, gradient)
    return coefficients

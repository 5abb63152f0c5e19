"""The losses of recipe `modern` against numbers worked out by hand."""

import math

import pytest
import torch

from twobirds.recipes.modern.losses import (
    cosine_distance,
    edit_label_loss,
    gradient_penalty,
    person_loss,
    prior_distance,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    unit_channels,
)


def test_relativistic_losses_compare_pairs() -> None:
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 0.0])
    # -mean(log sigmoid(2), log sigmoid(0)); the other way round -mean(log sigmoid(-2), ...)
    first = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    second = (math.log(1 + math.exp(2)) + math.log(2)) / 2
    assert relativistic_discriminator_loss(real, fake).item() == pytest.approx(first)
    assert relativistic_generator_loss(real, fake).item() == pytest.approx(second)
    shifted = relativistic_discriminator_loss(real + 50, fake + 50).item()
    assert shifted == pytest.approx(first)  # a score that is the same for all says nothing


def test_gradient_penalty_is_the_squared_slope() -> None:
    # Scores 3 x and 3 x + y: slopes (3, 0) and (3, 1), squared 9 and 10.
    images = torch.zeros(2, 2, 1, 1, requires_grad=True)
    weights = torch.tensor([[3.0, 0.0], [3.0, 1.0]], requires_grad=True)
    penalty = gradient_penalty((images.flatten(1) * weights).sum(1), images)
    assert penalty.item() == pytest.approx(9.5)
    penalty.backward()
    torch.testing.assert_close(weights.grad, weights.detach())  # mean of 2 w over two images


def test_gradient_penalty_of_a_network_reaches_its_weights() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4), torch.nn.Softplus())
    images = torch.randn(3, 3, 2, 2, requires_grad=True)
    gradient_penalty(network(images).sum(1), images).backward()
    weights = network[1].weight
    assert weights.grad is not None
    assert weights.grad.abs().max() > 0


def test_edit_label_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0, 100.0, -100.0]])
    target = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    is_changed = torch.tensor([[True, False, False, False]])
    predicted = torch.tensor([[0.0, 0.5, 1.0, 0.0]])
    # changed: log 2, half; kept: (log 2 + 0 + 0) / 3
    expected = math.log(2) / 2 + math.log(2) / 3
    assert edit_label_loss(logits, target, is_changed, predicted).item() == pytest.approx(expected)


def test_edit_label_loss_of_a_face_without_change_is_what_it_keeps() -> None:
    logits, predicted = torch.zeros(1, 2), torch.full((1, 2), 0.5)
    loss = edit_label_loss(logits, torch.ones(1, 2), torch.zeros(1, 2, dtype=torch.bool), predicted)
    assert loss.item() == pytest.approx(math.log(2))


def test_prior_distance() -> None:
    # Means 0 and 1; variances 2 and 0 less a third each.
    latents = torch.tensor([[-1.0, 1.0], [1.0, 1.0]])
    expected = (0 + 1) / 2 + ((2 - 1 / 3) ** 2 + (1 / 3) ** 2) / 2
    assert prior_distance(latents).item() == pytest.approx(expected)


def test_unit_channels() -> None:
    features = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    scaled = unit_channels(features).flatten()
    assert scaled.tolist() == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5], rel=1e-4)
    assert scaled.square().mean().item() == pytest.approx(1, rel=1e-4)
    assert torch.equal(unit_channels(torch.zeros(1, 2, 1, 1)), torch.zeros(1, 2, 1, 1))


def test_person_loss_asks_for_a_margin_and_passes_over_strangers() -> None:
    cosines = torch.tensor([[0.9, 0.1], [0.3, 0.5], [0.0, 0.0]])
    # Of person 0: 24 (0.9 - 0.2) against 24 x 0.1; of person 1: 24 (0.5 - 0.2) against 24 x 0.3.
    expected = (math.log(1 + math.exp(2.4 - 16.8)) + math.log(2)) / 2
    assert person_loss(cosines, torch.tensor([0, 1, -1])).item() == pytest.approx(expected)
    assert person_loss(cosines, torch.full((3,), -1)).item() == 0


def test_cosine_distance_is_one_minus_the_cosine() -> None:
    first = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    second = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert cosine_distance(first, second).item() == pytest.approx(0.2)


def test_of_several_changes_each_counts_by_the_root() -> None:
    logits, predicted = torch.zeros(1, 5), torch.full((1, 5), 0.5)
    changed = torch.tensor([[True, True, True, True, False]])
    # Four times log 2 over the root of four, and log 2 for what is kept.
    loss = edit_label_loss(logits, torch.ones(1, 5), changed, predicted)
    assert loss.item() == pytest.approx(2 * math.log(2) / 2 + math.log(2))

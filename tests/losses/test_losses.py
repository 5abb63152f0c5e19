"""Every loss against numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from twobirds.losses.adversarial import discriminator_loss, generator_loss
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import latent_distance, perceptual_distance, pixel_distance

LOG_2 = math.log(2)


def logit(*probabilities: float) -> Tensor:
    return torch.logit(torch.tensor(probabilities, dtype=torch.float64)).float()


def test_discriminator_loss() -> None:
    # -mean(log .8, log .5) - mean(log(1 - .1), log(1 - .5))
    expected = -(math.log(0.8) + math.log(0.5)) / 2 - (math.log(0.9) + math.log(0.5)) / 2
    assert discriminator_loss(logit(0.8, 0.5), logit(0.1, 0.5)).item() == pytest.approx(expected)
    assert discriminator_loss(torch.zeros(3), torch.zeros(3)).item() == pytest.approx(2 * LOG_2)


def test_discriminator_loss_of_sure_logits_is_finite() -> None:
    loss = discriminator_loss(torch.tensor([-200.0]), torch.tensor([300.0]))
    assert loss.item() == pytest.approx(500.0)


def test_generator_loss_non_saturating() -> None:
    expected = -(math.log(0.25) + math.log(0.5)) / 2
    assert generator_loss(logit(0.25, 0.5)).item() == pytest.approx(expected)
    assert generator_loss(torch.tensor([-200.0])).item() == pytest.approx(200.0)


def test_generator_loss_minmax() -> None:
    expected = (math.log(0.75) + math.log(0.5)) / 2
    assert generator_loss(logit(0.25, 0.5), "minmax").item() == pytest.approx(expected)
    assert generator_loss(torch.tensor([200.0]), "minmax").item() == pytest.approx(-200.0)


def test_only_the_minmax_form_saturates_while_the_discriminator_wins() -> None:
    gradients = {}
    for form in ("non_saturating", "minmax"):
        logits = torch.tensor([-10.0], requires_grad=True)
        generator_loss(logits, form).backward()  # type: ignore[arg-type]
        assert logits.grad is not None
        gradients[form] = logits.grad.item()
    # d/dx softplus(-x) = sigmoid(x) - 1; d/dx -softplus(x) = -sigmoid(x)
    assert gradients["non_saturating"] == pytest.approx(1 / (1 + math.exp(10)) - 1)
    assert gradients["minmax"] == pytest.approx(-1 / (1 + math.exp(10)), rel=1e-4)


def test_label_loss() -> None:
    logits = torch.stack([logit(0.9, 0.2), logit(0.5, 0.6)])
    attributes = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    terms = [math.log(0.9), math.log(0.8), math.log(0.5), math.log(0.4)]
    assert label_loss(logits, attributes).item() == pytest.approx(-sum(terms) / 4)
    assert label_loss(torch.zeros(5, 40), torch.ones(5, 40)).item() == pytest.approx(LOG_2)


def test_label_loss_takes_soft_targets() -> None:
    expected = -(0.3 * math.log(0.9) + 0.7 * math.log(0.1))
    assert label_loss(logit(0.9)[None], torch.tensor([[0.3]])).item() == pytest.approx(expected)


@pytest.mark.parametrize(("norm", "expected"), [("l1", 3 / 4), ("l2", 3.5 / 4)])
def test_pixel_and_latent_distance(norm: str, expected: float) -> None:
    first = torch.tensor([0.0, 0.5, -1.0, 1.5]).view(1, 1, 2, 2)
    assert pixel_distance(first, torch.zeros_like(first), norm).item() == expected  # type: ignore[arg-type]
    codes = first.view(2, 2)
    assert latent_distance(codes, torch.zeros_like(codes), norm).item() == expected  # type: ignore[arg-type]


def test_default_norms() -> None:
    zeros, twos = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 2.0)
    assert pixel_distance(zeros, twos).item() == 2.0
    assert perceptual_distance([zeros], [twos]).item() == 4.0
    assert latent_distance(zeros[0, 0], twos[0, 0]).item() == 4.0


def test_perceptual_distance_is_a_mean_over_layers_not_entries() -> None:
    real = [torch.zeros(2, 3, 8, 8), torch.zeros(2, 5, 4, 4)]
    reconstructed = [torch.full_like(real[0], 3.0), torch.full_like(real[1], -1.0)]
    assert perceptual_distance(real, reconstructed).item() == (9 + 1) / 2
    assert perceptual_distance(real, reconstructed, "l1").item() == (3 + 1) / 2


@pytest.mark.parametrize(("norm", "expected"), [("l1", 1 + 2**-10), ("l2", 1 + 3 * 2**-10)])
def test_features_in_bfloat16_are_compared_in_float32(norm: str, expected: float) -> None:
    real = torch.zeros(1, 1, 32, 32, dtype=torch.bfloat16)
    reconstructed = torch.ones_like(real)
    reconstructed[0, 0, 0, 0] = 2.0  # (1023 * 1 + 2) / 1024, which bfloat16 would round to 1
    loss = perceptual_distance([real], [reconstructed], norm)  # type: ignore[arg-type]
    assert loss.dtype == torch.float32
    assert loss.item() == expected


def test_perceptual_distance_holds_the_real_features_still() -> None:
    real = torch.zeros(1, 1, 2, 2, requires_grad=True)
    reconstructed = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 2, 2).requires_grad_()
    perceptual_distance([real], [reconstructed]).backward()
    assert real.grad is None
    assert reconstructed.grad is not None
    assert reconstructed.grad.flatten().tolist() == [0.5, 1.0, 1.5, 2.0]  # 2 x / 4


def test_perceptual_distance_refuses_unequal_numbers_of_layers() -> None:
    layer = torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match="shorter"):
        perceptual_distance([layer, layer], [layer])

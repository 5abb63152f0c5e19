"""Layers, initial weights, frozen parts and moving averages that recipes share."""

import pytest
import torch
from torch import nn

from twobirds.models import layers
from twobirds.models.ema import ema_decay, update_ema
from twobirds.models.layers import (
    BatchNorm,
    clamp_inward,
    frozen_statistics,
    frozen_weights,
    initialize,
)
from twobirds.randomness import keyed_generator


def test_initial_weights_are_spread_like_dcgans() -> None:
    layers = nn.Sequential(nn.Linear(200, 300), nn.Conv2d(30, 40, 5), BatchNorm(5_000))
    initialize(layers, keyed_generator(0))
    linear, convolution, norm = layers
    for layer, mean in ((linear, 0.0), (convolution, 0.0), (norm, 1.0)):
        assert layer.weight.mean().item() == pytest.approx(mean, abs=1e-3)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.bias.abs().max() == 0


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3, 2)])
def test_batch_norm_is_torchs(shape: tuple[int, ...]) -> None:
    mine = BatchNorm(5)
    torchs: nn.Module = nn.BatchNorm2d(5) if len(shape) == 4 else nn.BatchNorm1d(5)
    initialize(mine, keyed_generator(3))
    torchs.load_state_dict(mine.state_dict(), strict=False)
    results = []
    for layer in (mine, torchs):
        generator = torch.Generator().manual_seed(1)
        outputs = []
        for step in range(3):
            layer.train(step < 2)  # twice with the batch's statistics, then with the running ones
            x = torch.randn(shape, generator=generator).requires_grad_()
            outputs.append(layer(x))
            outputs[-1].square().mul(torch.linspace(0, 1, x.numel()).view(shape)).sum().backward()
            assert x.grad is not None
            outputs.append(x.grad)
        results.append([*outputs, layer.weight.grad, layer.bias.grad])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert torch.equal(mine.running_mean, torchs.running_mean)
    assert torch.equal(mine.running_var, torchs.running_var)
    assert mine.running_mean.abs().max() > 0


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_batch_norm_over_processes_exchanges_once_each_way(
    shape: tuple[int, ...], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes with equal batches do what one does with that batch twice."""
    exchanges: list[str] = []

    def gather(values: torch.Tensor) -> torch.Tensor:
        exchanges.append("gather")
        return torch.stack([values, values])

    def average(values: torch.Tensor) -> torch.Tensor:
        exchanges.append("average")
        return values

    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    weights = torch.linspace(0, 1, x.numel()).view(shape)
    one, shared = BatchNorm(5), BatchNorm(5)
    twice, mine = torch.cat([x, x]).float().requires_grad_(), x.clone().requires_grad_()
    expected = one(twice)
    (expected.square() * torch.cat([weights, weights])).sum().backward()
    for name, double in (
        ("num_processes", lambda: 2), ("gather_values", gather), ("average_values", average)
    ):  # fmt: skip
        monkeypatch.setattr(f"twobirds.models.layers.{name}", double)
    found = shared(mine)
    (found.float().square() * weights).sum().backward()
    assert exchanges == ["gather", "average"]
    assert found.dtype == dtype
    assert mine.grad is not None
    assert twice.grad is not None
    exact = {"rtol": 1e-5, "atol": 1e-5}
    near = exact if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}
    torch.testing.assert_close(found.float(), expected[: len(x)], **near)
    torch.testing.assert_close(mine.grad.float(), twice.grad[: len(x)], **near)
    for name in ("weight", "bias"):
        whole, half = getattr(one, name).grad, getattr(shared, name).grad
        torch.testing.assert_close(2 * half, whole, rtol=near["rtol"], atol=10 * near["atol"])
    torch.testing.assert_close(shared.running_mean, one.running_mean, **exact)
    torch.testing.assert_close(shared.running_var, one.running_var, **exact)


def test_frozen_statistics_leave_the_running_ones_but_normalize_by_the_batch() -> None:
    norm = BatchNorm(3)
    x = torch.randn(8, 3) + 5
    with frozen_statistics(norm):
        frozen = norm(x)
    assert norm.running_mean.tolist() == [0, 0, 0]
    assert norm.running_var.tolist() == [1, 1, 1]
    assert torch.equal(frozen, norm(x))
    assert norm.running_mean.min() > 0.3  # a tenth of the way to 5


def test_frozen_statistics_are_released_after_an_error_and_nest() -> None:
    network = nn.Sequential(BatchNorm(3), nn.Sequential(BatchNorm(3)))
    norms = [m for m in network.modules() if isinstance(m, BatchNorm)]
    with pytest.raises(KeyError), frozen_statistics(network):
        raise KeyError
    assert all(norm.updates_statistics for norm in norms)
    with frozen_statistics(network):
        with frozen_statistics(norms[0]):
            pass
        assert not any(norm.updates_statistics for norm in norms)
    assert all(norm.updates_statistics for norm in norms)


def test_frozen_weights_pass_gradients_on_and_take_none() -> None:
    layer = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen_weights(layer):
        y = layer(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, layer.weight.detach())
    assert layer.weight.grad is None
    assert layer.bias.grad is None


def test_frozen_weights_are_released_after_an_error_and_stay_frozen_if_they_were() -> None:
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    with frozen_weights(layer):
        assert not layer.weight.requires_grad
    with pytest.raises(KeyError), frozen_weights(layer):
        raise KeyError
    assert layer.weight.requires_grad
    assert not layer.bias.requires_grad


def test_update_ema_by_hand() -> None:
    average, network = BatchNorm(2), BatchNorm(2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([2.0, 3.0]))
        network.running_mean.copy_(torch.tensor([4.0, -4.0]))
    update_ema(average, network, 0.75)
    assert average.weight.tolist() == [1.25, 1.5]
    assert average.running_mean.tolist() == [1.0, -1.0]
    update_ema(average, network, torch.tensor(0.5))  # as in a CUDA graph
    assert average.weight.tolist() == [1.625, 2.25]
    assert average.running_mean.tolist() == [2.5, -2.5]
    update_ema(average, network, 0.0)
    assert average.weight.tolist() == [2.0, 3.0]


def test_ema_decay_by_hand() -> None:
    assert ema_decay(64, 6_400, 10**9) == pytest.approx(0.5**0.01)
    assert ema_decay(64, 6_400, 1_280) == 0.5  # half-life a twentieth of what was seen
    assert ema_decay(64, 6_400, 0) == 0.0


def test_a_clamp_lets_what_lies_outside_come_back() -> None:
    x = torch.tensor([-3.0, -3.0, 0.5, 3.0, 3.0], requires_grad=True)
    clamped = clamp_inward(x, -1, 1)
    assert torch.equal(clamped, x.detach().clamp(-1, 1))
    (clamped * torch.tensor([1.0, -1.0, 2.0, 1.0, -1.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, -1, 2, 1, 0]  # steps go against it: up from -3, down from 3
    with torch.no_grad():
        assert torch.equal(clamp_inward(x, -1, 1), x.clamp(-1, 1))


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3, 2)])
def test_statistics_of_batch_norm_are_those_of_all_processes(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(1)
    mine = torch.randn(shape, generator=generator)
    others = 3 * torch.randn(shape, generator=generator) + 2
    own_of_others = torch.stack(torch.batch_norm_update_stats(others, None, None, 0.0))
    monkeypatch.setattr(
        "twobirds.models.layers.gather_values", lambda own: torch.stack([own, own_of_others])
    )
    mean, variance = layers._statistics_of_all(mine)
    both = torch.cat([mine, others]).transpose(0, 1).flatten(1)  # [C, values]
    torch.testing.assert_close(mean, both.mean(1))
    torch.testing.assert_close(variance, both.var(1, correction=0))

"""Which attributes are changed in training: no contradictions, every direction, one to six."""

import numpy as np
import torch

from twobirds.data.attributes import CELEBA_ATTRIBUTES, exclusion_matrix, resolve_conflicts
from twobirds.recipes.modern.changes import (
    MAX_CHANGES,
    sample_changes,
    sample_without_replacement,
)

EXCLUSION = torch.from_numpy(exclusion_matrix(CELEBA_ATTRIBUTES)).float()
K = len(CELEBA_ATTRIBUTES)


def sampled(count: int = 4_000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Consistent rows, what is made of them, and how often each attribute holds."""
    generator = torch.Generator().manual_seed(seed)
    frequencies = torch.linspace(0.02, 0.9, K)
    rows = (torch.rand(count, K, generator=generator) < frequencies).float()
    for column, name in enumerate(CELEBA_ATTRIBUTES):  # later names win
        on = rows[:, column] > 0
        resolved = resolve_conflicts(rows[on].numpy(), CELEBA_ATTRIBUTES, [name])
        rows[on] = torch.from_numpy(resolved)
    means = rows.mean(0)
    target = sample_changes(rows, means, EXCLUSION, torch.ones(K), generator, num_varying=K)
    return rows, target, means


def test_nothing_contradicts_itself() -> None:
    rows, target, _ = sampled()
    assert ((rows @ EXCLUSION) * rows).sum() == 0  # or the test says nothing
    assert ((target @ EXCLUSION) * target).sum() == 0
    assert set(target.unique().tolist()) == {0.0, 1.0}


def test_every_face_is_changed_in_one_to_six_ways() -> None:
    rows, target, _ = sampled()
    added = (target > rows).sum(1)
    changed = (target != rows).sum(1)
    assert (changed >= 1).all()
    assert added.max() <= MAX_CHANGES
    single = (changed == 1).float().mean()
    assert 0.3 < single < 0.7  # what an addition excludes is switched off besides


def test_rare_attributes_are_added_as_often_as_removed() -> None:
    rows, target, means = sampled(20_000)
    free = [k for k in range(K) if EXCLUSION[k].sum() == 0 and 0.03 < means[k] < 0.97]
    assert len(free) > 10
    for k in free:
        added = ((rows[:, k] == 0) & (target[:, k] == 1)).sum().item()
        removed = ((rows[:, k] == 1) & (target[:, k] == 0)).sum().item()
        assert 0.5 < added / removed < 2, CELEBA_ATTRIBUTES[k]


def test_what_nobody_or_everybody_has_is_left_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]).repeat(50, 1)
    none, preference = torch.zeros(3, 3), torch.ones(3)
    target = sample_changes(rows, rows.mean(0), none, preference, generator, num_varying=1)
    assert torch.equal(target[:, :2], rows[:, :2])
    assert torch.equal(target[:, 2], 1 - rows[:, 2])
    alike = rows[:, :2]
    nothing = sample_changes(
        alike, alike.mean(0), none[:2, :2], preference[:2], generator, num_varying=0
    )
    assert torch.equal(nothing, alike)


def test_preferenceed_attributes_are_changed_more_often() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (5_000, 4))).float()
    preference = torch.tensor([3.0, 1.0, 1.0, 1.0])
    none = torch.zeros(4, 4)
    even = torch.full((4,), 0.5)
    target = sample_changes(rows, even, none, preference, generator, num_varying=4)
    alone = (target != rows).sum(1) == 1
    share = (target != rows)[alone].float().mean(0)
    assert share[0] > 1.5 * share[1:].max()
    assert torch.allclose(share[1:], share[1:].mean(), atol=0.04)


def test_sampling_without_replacement_is_multinomials() -> None:
    weights = torch.rand(8, 40, generator=torch.Generator().manual_seed(1))
    weights[:, 3] = 0
    generators = [torch.Generator().manual_seed(2) for _ in range(2)]
    expected = torch.multinomial(weights, 6, generator=generators[0])
    assert torch.equal(sample_without_replacement(weights, 6, generators[1]), expected)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())

"""Matched comparisons, and which faces and changes training samples."""

import pytest
import torch

from twobirds.data.attributes import exclusion_matrix
from twobirds.errors import InputError
from twobirds.recipes.modern import matching
from twobirds.recipes.modern.matching import contrast_weights, overlap_weights
from twobirds.recipes.modern.sampling import EditSampler

NAMES = ("Male", "Mustache", "No_Beard", "Smiling", "Eyeglasses")
MALE, MUSTACHE, NO_BEARD, SMILING, EYEGLASSES = range(5)


def labels(count: int = 4000) -> torch.Tensor:
    """Men often wear glasses, and only men a mustache."""
    generator = torch.Generator().manual_seed(0)
    chance = torch.rand(count, 5, generator=generator)
    male = chance[:, MALE] < 0.4
    values = torch.zeros(count, 5)
    values[:, MALE] = male.float()
    values[:, MUSTACHE] = (male & (chance[:, MUSTACHE] < 0.3)).float()
    values[:, NO_BEARD] = 1 - values[:, MUSTACHE]
    values[:, SMILING] = (chance[:, SMILING] < 0.5).float()
    values[:, EYEGLASSES] = (chance[:, EYEGLASSES] < torch.where(male, 0.3, 0.1)).float()
    return values


def exclusion() -> torch.Tensor:
    return torch.from_numpy(exclusion_matrix(NAMES)).float()


def test_matched_groups_agree_in_what_took_part() -> None:
    values = labels()
    has = values[:, EYEGLASSES]
    plain = values[has > 0, MALE].mean() - values[has == 0, MALE].mean()
    assert plain > 0.2
    contrast = contrast_weights(values, overlap_weights(values, exclusion()))
    assert abs(float(contrast[:, EYEGLASSES] @ values[:, MALE])) < 0.01
    assert abs(float(contrast[:, EYEGLASSES] @ values[:, EYEGLASSES]) - 1) < 1e-5
    assert torch.allclose(contrast.sum(0), torch.zeros(5), atol=1e-5)


def test_an_attribute_that_all_have_has_no_contrast() -> None:
    values = labels(200)
    values[:, SMILING] = 1
    contrast = contrast_weights(values, overlap_weights(values, exclusion()))
    assert torch.equal(contrast[:, SMILING], torch.zeros(200))


def test_sources_lack_what_is_asked_for_and_examples_have_it() -> None:
    values = labels()
    sampler = EditSampler(values, exclusion(), torch.tensor([1.0, 1, 1, 1, 5]))
    generator = torch.Generator().manual_seed(1)
    task = sampler.sample(400, 200, generator)
    rows = torch.arange(400)
    assert torch.equal(values[task.sources, task.columns].long(), 1 - task.values)
    asked = task.columns[:200], task.values[:200]
    assert torch.equal(values[task.examples, asked[0]].long(), asked[1])
    shares = torch.bincount(task.columns, minlength=5) / 400
    assert 0.45 < float(shares[EYEGLASSES]) < 0.66  # five of nine
    target = sampler.targets(values[task.sources], task)
    assert torch.equal(target[rows, task.columns].long(), task.values)
    both = target[:, MUSTACHE] * target[:, NO_BEARD]
    assert not both.any()
    others = target != values[task.sources]
    others[rows, task.columns] = False
    is_beard = (task.columns == MUSTACHE) | (task.columns == NO_BEARD)
    assert not others[~is_beard].any()
    assert others[is_beard].any()


def test_an_attribute_that_never_varies_is_never_changed() -> None:
    values = labels()
    values[:, SMILING] = 0
    sampler = EditSampler(values, exclusion(), torch.ones(5))
    task = sampler.sample(200, 10, torch.Generator().manual_seed(2))
    assert SMILING not in task.columns
    target = sampler.targets(values[task.sources], task)
    assert not target[:, SMILING].any()


def test_faces_that_are_all_alike_are_refused() -> None:
    with pytest.raises(InputError, match="all of the train split have the same attributes"):
        EditSampler(torch.ones(20, 5), exclusion(), torch.ones(5))


def test_the_face_is_the_one_that_running_sums_over_all_faces_find() -> None:
    values = labels(1111)  # no multiple of the blocks of which sums are kept
    values[:, MUSTACHE] = (torch.arange(1111) == 1110).float()  # one face, the last
    sampler = EditSampler(values, exclusion(), torch.ones(5))
    weights = overlap_weights(values, exclusion())
    chances = torch.rand(3000, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    columns = torch.arange(3000) % 5
    for value in (0, 1):
        has = (values == value).double()
        chosen = weights * has.float()
        shares = 0.5 * chosen.double() / chosen.double().sum(0) + 0.5 * has / has.sum(0)
        running = shares.cumsum(0)  # [N, K]
        expected = (running[:, columns] <= chances * running[-1, columns]).sum(0)
        generator = torch.Generator().manual_seed(4)
        places = sampler._faces(columns, torch.full((3000,), value), generator)
        assert torch.equal(places, expected)


def test_of_many_faces_the_regressions_see_some(monkeypatch: pytest.MonkeyPatch) -> None:
    values = labels(4001)
    expected = overlap_weights(values, exclusion())
    monkeypatch.setattr(matching, "_MAX_FITTED", 1001)
    weights = overlap_weights(values, exclusion())
    assert weights.shape == expected.shape
    assert not torch.equal(weights, expected)
    clear = [SMILING, EYEGLASSES]  # the others' correlations are near the limit for taking part
    assert (weights - expected)[:, clear].abs().mean() < 0.04  # 800 faces tell chances to 0.02

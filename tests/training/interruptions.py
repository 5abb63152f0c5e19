"""What can befall a training in the midst of it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from twobirds.data.loader import Batch, Loader
from twobirds.recipes.paper.objective import IterativeGAN


def before_update(monkeypatch: pytest.MonkeyPatch, iteration: int, act: Any) -> None:
    """Have `act(objective)` called just before an iteration."""
    update = IterativeGAN.update

    def acting(self: IterativeGAN, batch: Batch, loader: Loader, now: int) -> dict[str, Tensor]:
        if now == iteration:
            act(self)
        return update(self, batch, loader, now)

    monkeypatch.setattr(IterativeGAN, "update", acting)


def poison(objective: IterativeGAN) -> None:
    """Put a NaN into the generator."""
    with torch.no_grad():
        objective.players.generator.project.weight[0, 0] = torch.nan

"""Fixtures of the tests of recipe `paper`."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from watched_players import WatchedPlayers

from making_runs import CPU, recipe
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.training.run import fit_to_pack


@pytest.fixture
def players(tiny_pack: Pack) -> Callable[..., WatchedPlayers]:
    """Builds players with changed settings, without moving average."""

    def build(**changes: Any) -> WatchedPlayers:
        changes = {"ema_half_life_images": 0} | changes
        return WatchedPlayers(fit_to_pack(recipe(**changes), tiny_pack))

    return build


@pytest.fixture
def batch(tiny_pack: Pack) -> Batch:
    """Four faces."""
    return Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False).batch(0)


@pytest.fixture
def latents() -> Tensor:
    """Latents for four generated faces, `[4, 8]`."""
    return torch.rand(4, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1

"""Training on CUDA: mixed precision, resident data, and the way through a checkpoint."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from making_runs import logged, recipe, run_state
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.recipes.paper.objective import IterativeGAN
from twobirds.runtime import Runtime
from twobirds.training.run import train_run

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device"),
]


def test_a_run_stops_and_goes_on(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, seen = IterativeGAN.update, []

    def watching(self: IterativeGAN, batch: Batch, loader: Loader, now: int) -> dict[str, Tensor]:
        metrics = update(self, batch, loader, now)
        seen.append(metrics)
        assert loader.resident_images.is_cuda  # resident: all of it, not the batch alone
        assert loader.resident_images.shape == tiny_pack.images.shape
        return metrics

    monkeypatch.setattr(IterativeGAN, "update", watching)
    run, runtime = tmp_path / "run", Runtime(torch.device("cuda", 0))
    assert not train_run(recipe(), tiny_pack, run, runtime, max_seconds=0)
    assert run_state(run)["iteration"] == 1
    assert train_run(recipe(), tiny_pack, run, runtime, resume=True)
    assert run_state(run)["iteration"] == len(seen) == 9
    assert "perceptual" not in seen[0]
    assert "perceptual" in seen[-1]
    for metrics in seen:
        assert {value.dtype for value in metrics.values()} == {torch.float32}
        assert all(torch.isfinite(value) for value in metrics.values())
    assert [line["iteration"] for line in logged(run)] == [3, 5, 8, 9]
    assert all(math.isfinite(value) for line in logged(run) for value in line.values())

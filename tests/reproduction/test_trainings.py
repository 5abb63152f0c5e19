"""How long CycleGAN is trained: as long as ours, by what its trial shows."""

import dataclasses
import json
from pathlib import Path

import pytest
from reproduction_budget import BUDGET

from making_runs import CPU
from twobirds.data.pack import Pack
from twobirds.reproduction.plan import (
    recipe,
)
from twobirds.reproduction.trainings import Trainings


def test_a_cyclegan_stopped_in_its_trial_plans_nothing(
    drawn_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of images follows ours' time and the trial's speed, and is noted once."""
    budget = dataclasses.replace(BUDGET, cycle_images=None)
    trainings = Trainings(tmp_path, drawn_pack, budget, CPU, 0, print)
    name = "cyclegan-Bangs"
    config = recipe(name, budget, size=32, seed=0)
    monkeypatch.setattr(Trainings, "_undisturbed_seconds", lambda *_: 10.0)
    with monkeypatch.context() as patch:
        patch.setattr(Trainings, "_leg", lambda *_: False)  # as a signal ends it: at once
        assert trainings._cycle_images(name, config) is None
    assert not (tmp_path / name / "images.json").exists()
    monkeypatch.setattr("twobirds.reproduction.trainings._TRIAL_SECONDS", 0.2)
    images = trainings._cycle_images(name, config)
    assert images
    assert images % 2 == 0
    assert trainings._cycle_images(name, config) == images


def test_time_lost_to_other_work_does_not_count(drawn_pack: Pack, tmp_path: Path) -> None:
    """CycleGAN gets ours' time: by its median rates, each stage with its own."""
    windows = [(1, 100, 50.0), (1, 200, 50.0), (1, 300, 2.0), (2, 400, 10.0), (2, 500, 10.0)]
    lines = [
        json.dumps({"stage": stage, "images": images, "images_per_second": rate})
        for stage, images, rate in windows
    ]
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/metrics.jsonl").write_text("\n".join(lines) + "\n")
    trainings = Trainings(tmp_path, drawn_pack, BUDGET, CPU, 0, print)
    assert trainings._undisturbed_seconds("ours") == pytest.approx(300 / 50 + 200 / 10)

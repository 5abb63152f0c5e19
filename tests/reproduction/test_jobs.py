"""Several trainings at a time: their order, and what one that ends badly does to the others."""

import dataclasses
from functools import partial
from pathlib import Path

import pytest
import torch
from job_trainings import end_by_name, write_down
from reproduction_budget import BUDGET

from making_runs import CPU
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.machine import num_cores
from twobirds.reproduction.jobs import Jobs
from twobirds.reproduction.trainings import Trainings


def test_each_begins_when_what_it_needs_is_complete(tmp_path: Path) -> None:
    announced: list[str] = []
    jobs = Jobs(partial(write_down, tmp_path), 2, announced.append)
    assert jobs.run(["first", "second", "free"], {"second": ["first"]})
    begins, ends, threads = {}, {}, set()
    for name in ("first", "second", "free"):
        begin, end, count = (tmp_path / name).read_text().split()
        begins[name], ends[name] = float(begin), float(end)
        threads.add(int(count))
    assert begins["second"] > ends["first"]
    assert threads == {max(1, num_cores() // 2)}
    assert announced == [
        "model 1 of 3: first",
        "model 2 of 3: free",
        "model 3 of 3: second",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [("fails", "this one fails"), ("dies", "process that trained dies died.*try fewer --jobs")],
)
def test_one_that_fails_has_the_other_save_and_stop(
    tmp_path: Path, name: str, message: str
) -> None:
    jobs = Jobs(partial(end_by_name, tmp_path), 2, lambda _: None)
    with pytest.raises(InputError, match=message):
        jobs.run(["waits", name, "never"], {})
    left = {path.name for path in tmp_path.iterdir()}
    assert left in ({"waits began", "waits stopped"}, set())  # stopped, or before it had begun
    assert not any("never" in path for path in left)


def test_a_signal_stops_all(tmp_path: Path) -> None:
    jobs = Jobs(partial(end_by_name, tmp_path), 2, lambda _: None)
    assert not jobs.run(["interrupts", "never"], {"never": ["interrupts"]})
    assert {path.name for path in tmp_path.iterdir()} >= {"interrupts stopped"}
    assert not (tmp_path / "never began").exists()


def test_real_trainings_in_two_processes(
    drawn_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16 too: children are given the precision, and open the pack themselves."""
    runtime = dataclasses.replace(CPU, precision="bfloat16")
    trainings = Trainings(tmp_path, drawn_pack, BUDGET, runtime, 0, print, num_jobs=2)
    monkeypatch.setattr(Trainings, "names", lambda _: ("stage1", "ours", "cnn"))
    assert trainings.precision == "bfloat16"
    assert trainings.train_all()
    for name, iterations in (("stage1", 2), ("ours", 20), ("cnn", 20)):
        state = load_run(tmp_path / name / CHECKPOINT_FILE)[1]
        assert state["iteration"] == iterations
        for network in state["networks"].values():
            assert all(v.dtype != torch.bfloat16 for v in network.values())
    checkpoints = sorted(tmp_path.glob(f"*/{CHECKPOINT_FILE}"))
    before = [path.stat().st_mtime_ns for path in checkpoints]
    assert trainings.train_all()  # what is complete stays as it is
    assert before == [path.stat().st_mtime_ns for path in checkpoints]

"""Pieces of a campaign are put together, and a small one finds no fault."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def test_pieces_are_put_together(campaign: Any) -> None:
    outcome, put_together = campaign.observe.Outcome, campaign.summary.put_together

    def piece(start: int, end: str, seconds: float) -> dict[str, Any]:
        outcomes = [outcome("zip", start, "done", seconds=1.0), outcome("zip", start + 1, end)]
        found = campaign.summary.summary_of_inputs(outcomes, start)
        return {"seed": 0, "seconds": seconds, "hostile_inputs": found}

    both = put_together(piece(0, "refused", 3), piece(2, "hang", 4))
    assert both["seconds"] == 7
    found = both["hostile_inputs"]
    assert (found["count"], found["numbers"]) == (4, [[0, 4]])
    assert found["ends"] == {"zip": {"done": 2, "refused": 1, "hang": 1}}
    assert (found["slowest_seconds"], found["limits"]["seconds"]) == (1.0, 30)
    assert [fault["number"] for fault in found["faults"]] == [3]
    with pytest.raises(ValueError, match="twice"):
        put_together(both, piece(1, "done", 1))
    with pytest.raises(ValueError, match="another seed"):
        put_together(both, piece(4, "done", 1) | {"seed": 1})


def test_a_trial_that_is_repeated_replaces_the_one_before(campaign: Any) -> None:
    summary, trial = campaign.summary.summary_of_trials, campaign.environment.Trial
    before = summary([trial("a", "pack", 1, "", "bad"), trial("b", "pack", None, "", "hung")])
    piece = summary([trial("a", "pack", 0, ""), trial("a", "export", 2, "no such thing")])
    both = campaign.summary.put_together(
        {"seed": 0, "seconds": 1, "environments": before},
        {"seed": 0, "seconds": 1, "environments": piece},
    )["environments"]
    assert both["codes"] == {"pack": {"a": 0, "b": None}, "export": {"a": 2}}
    assert both["count"] == 3
    assert [fault["fault"] for fault in both["faults"]] == ["hung"]


def test_each_finished_part_is_written(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "campaign.json"

    def parts(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"page": {"faults": ["first"]}}
        assert json.loads(out.read_text())["page"]["faults"] == ["first"]
        yield {"environments": {"count": 0, "codes": {}, "faults": []}}
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign.__main__, "_parts", parts)
    with pytest.raises(KeyboardInterrupt):
        campaign.__main__.main([f"--out={out}", f"--scratch={tmp_path}"])
    assert {"page", "environments", "hardware"} <= json.loads(out.read_text()).keys()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_small_campaign_finds_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaign", "--inputs=100", "--kills=12", "--users=0"]
    environment = os.environ | {"PYTHONPATH": str(FOLDER), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, f"--out={tmp_path}/campaign.json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "campaign.json").read_text())
    assert results["hostile_inputs"]["count"] == 100
    assert results["kills"]["count"] == 12
    faults = itertools.chain(*(results[n]["faults"] for n in ("hostile_inputs", "kills")))
    assert list(faults) == []

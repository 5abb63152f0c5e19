"""The log of a run, for the tests of what learns."""

import json
from pathlib import Path


def load_metrics(run: Path) -> list[dict[str, float]]:
    """Every line of `metrics.jsonl`."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]

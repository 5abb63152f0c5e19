"""The campaign's modules: it must see what it looks for, so each check is given a fault to find."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
MODULES = (
    "observe", "worker", "power", "damage", "images", "sources", "known", "known_tables",
    "spellings", "words", "failing", "environment", "surroundings", "summary", "server", "settling",
    "users", "visitors", "jobs", "kills", "world", "__main__",
)  # fmt: skip


@pytest.fixture(scope="module")
def campaign() -> Iterator[Any]:
    """The modules of the campaign by their names."""
    sys.path.insert(0, str(FOLDER))
    try:
        loaded = {n: __import__(f"campaign.{n}", fromlist=["campaign"]) for n in MODULES}
        yield SimpleNamespace(**loaded)
    finally:
        sys.path.remove(str(FOLDER))
        for name in [name for name in sys.modules if name.partition(".")[0] == "campaign"]:
            del sys.modules[name]

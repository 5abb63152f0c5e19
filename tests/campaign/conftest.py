"""The campaign's modules: it must see what it looks for, so each check is given a fault to find."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from making_scripts import imported_scripts

MODULES = (
    "observe", "worker", "power", "damage", "images", "sources", "known", "known_tables",
    "spellings", "words", "failing", "environment", "surroundings", "summary", "server", "settling",
    "users", "visitors", "jobs", "kills", "world", "__main__",
)  # fmt: skip


@pytest.fixture(scope="module")
def campaign() -> Iterator[Any]:
    """The modules of the campaign by their names."""
    with imported_scripts(*(f"campaign.{name}" for name in MODULES)) as modules:
        loaded = zip(MODULES, modules.values(), strict=True)
        yield SimpleNamespace(**dict(loaded))

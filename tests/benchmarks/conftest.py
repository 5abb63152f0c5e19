"""The benchmarks as modules."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from making_scripts import imported_scripts

MODULES = (
    "detail",
    "gpu_throughput",
    "hardware",
    "inference",
    "operations",
    "pack_size",
    "rendering",
    "train_throughput",
)


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[dict[str, ModuleType]]:
    """The scripts as modules."""
    with imported_scripts(*MODULES) as modules:
        yield modules

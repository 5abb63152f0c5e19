"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real faces and network files; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("TWOBIRDS_SHARED", REPOSITORY / "../shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}: set TWOBIRDS_SHARED")
    return folder


@pytest.fixture(autouse=True)
def _deterministic() -> None:
    torch.manual_seed(0)

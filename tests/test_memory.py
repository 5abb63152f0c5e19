"""Memory that training keeps, and the pages that it lies in."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_freed_memory_is_kept() -> None:
    """Large tensors are made anew without new pages of the system's."""
    script = """
import resource, sys, torch
from twobirds.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(20):  # small objects among the first ones make the heap grow a few times
    torch.zeros(12_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    torch.zeros(12_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = {
        word: int(
            subprocess.run(
                [sys.executable, "-c", script, word], check=True, capture_output=True, text=True
            ).stdout
        )
        for word in ("keep", "leave")
    }
    assert faults["keep"] < max(1_000, faults["leave"] / 10)


def _gives_huge_pages_to_who_asks() -> bool:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    has_counts = Path("/proc/self/smaps_rollup").exists()
    return setting.exists() and "[madvise]" in setting.read_text() and has_counts


@pytest.mark.skipif(not _gives_huge_pages_to_who_asks(), reason="no huge pages on request here")
def test_large_tensors_lie_in_huge_pages() -> None:
    """Whatever the commands import once they have asked for them."""
    script = """
import re
import twobirds.apps.cli
from twobirds.memory import use_huge_pages
use_huge_pages()
import torch, twobirds.training.run, twobirds.reproduction.reproduce
tensor = torch.ones(12_000_000)
text = open("/proc/self/smaps_rollup").read()
print(re.search("AnonHugePages: *([0-9]+)", text)[1])
"""
    variable = "THP_MEM_ALLOC_ENABLE"
    others = {name: value for name, value in os.environ.items() if name != variable}
    asked, declined = (
        int(
            subprocess.run(
                [sys.executable, "-c", script],
                check=True,
                capture_output=True,
                text=True,
                env=others | more,
            ).stdout
        )
        for more in ({}, {variable: "0"})
    )
    assert asked > declined + 40_000

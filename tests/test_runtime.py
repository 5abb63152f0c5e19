"""Devices and memory. Processes: tests/training."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from making_runs import CPU
from twobirds.errors import InputError
from twobirds.runtime import (
    Runtime,
    average_gradients,
    average_values,
    num_processes,
    pick_device,
    start,
)


def test_pick_device_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="sees no CUDA device"):
        pick_device("cuda")
    with pytest.raises(InputError, match="sees no Apple GPU"):
        pick_device("mps")
    with pytest.raises(InputError, match="device must be auto, cpu, cuda or mps, not 'tpu'"):
        pick_device("tpu")


def test_pick_device_takes_the_gpu_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda", 3)
    assert pick_device("cpu") == torch.device("cpu")


def test_an_apple_gpu_is_taken_where_there_is_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("mps") == torch.device("mps")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert pick_device("auto") == torch.device("cpu")
    with pytest.raises(InputError, match="several processes cannot train on one Apple GPU"):
        pick_device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == "cuda"


def test_operators_that_metal_lacks_run_on_the_cpu() -> None:
    script = "import os, twobirds; print(os.environ['PYTORCH_ENABLE_MPS_FALLBACK'])"
    environment = {k: v for k, v in os.environ.items() if k != "PYTORCH_ENABLE_MPS_FALLBACK"}
    for given, expected in (({}, "1"), ({"PYTORCH_ENABLE_MPS_FALLBACK": "0"}, "0")):
        done = subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env=environment | given,
        )
        assert done.stdout.strip() == expected


def test_start_without_torchrun_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with start("cpu") as runtime:
        assert runtime == Runtime(torch.device("cpu"), rank=0, world_size=1)
        assert runtime.is_main
        assert num_processes() == 1
    assert not Runtime(torch.device("cpu"), rank=1, world_size=2).is_main


def test_one_process_averages_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    average_gradients([weight])
    assert weight.grad is None
    values = torch.tensor([1.0, 2.0])
    assert average_values(values) is values


def test_a_cpu_computes_in_float32_unless_asked() -> None:
    with CPU.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    with Runtime(CPU.device, precision="bfloat16").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with start("cpu", "bfloat16") as runtime:
        assert runtime.dtype == torch.bfloat16


def test_a_gpu_computes_in_bfloat16_unless_asked() -> None:
    gpu = torch.device("cuda", 0)
    assert Runtime(gpu).dtype == torch.bfloat16
    assert Runtime(gpu, precision="float32").dtype == torch.float32


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_freed_memory_is_kept() -> None:
    """Large tensors are made anew without new pages of the system's."""
    script = """
import resource, sys, torch
from twobirds.runtime import keep_freed_memory
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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has malloc_trim")
def test_freed_memory_is_returned() -> None:
    """What lies freed below memory in use goes back to the system, too."""
    script = """
import ctypes, pathlib
from twobirds.runtime import return_freed_memory, share_freed_memory
def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024  # MiB
share_freed_memory()
used = [bytearray(b"x" * 100_000) for _ in range(1000)]  # from the heap: too small to be mapped
full = resident()
del used[:-1]
return_freed_memory()
print(full - resident())
"""
    command = [sys.executable, "-c", script]
    returned = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert returned > 80

"""The machine in words, for files of results."""

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def describe_machine(device: "torch.device") -> dict[str, Any]:
    """Processor, graphics card and versions.

    Args:
        device: Where the work that is reported ran.
    """
    import torch

    machine: dict[str, Any] = {
        "device": device.type,
        "cpu": cpu_model(),
        "num_cores": num_cores(),
        "num_threads": torch.get_num_threads(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        machine |= {
            "gpu": properties.name,
            "gpu_memory_gib": round(properties.total_memory / 2**30, 1),
            "cuda": torch.version.cuda,
        }
    return machine


def cpu_model() -> str:
    """The processor's name as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def num_threads() -> int:
    """Threads for the passes of a network: those of torch where it is loaded, else of the cores."""
    if "torch" in sys.modules:
        import torch

        return torch.get_num_threads()
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else num_cores()


def num_cores() -> int:
    """Cores that this process may use, fewer than all of them in a container."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1

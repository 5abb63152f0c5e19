"""Where the work runs: device, precision, processes."""

import contextlib
import ctypes
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from twobirds.errors import InputError

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # of mallopt(3)

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What `pick_device` takes."""
Precision = Literal["auto", "float32", "bfloat16"]
"""Number format of the forward passes in training; auto is bfloat16 on CUDA, float32 on a CPU."""


@dataclass(frozen=True)
class Runtime:
    """The device of this process and its place among the processes of the run."""

    device: torch.device
    rank: int = 0
    world_size: int = 1
    precision: Precision = "auto"
    replays: bool = True
    """Whether iterations may be replayed as CUDA graphs, where there can be some."""

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    @property
    def dtype(self) -> torch.dtype:
        """What forward passes compute convolutions and matrix products in; weights are float32.

        On a CPU bfloat16 is not the default: where the processor has no instructions for it
        (AVX512-BF16, AMX) it is slower than float32.
        """
        if self.precision == "auto":
            return torch.bfloat16 if self.device.type == "cuda" else torch.float32
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision for forward passes, where the precision is one."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)


def pick_device(name: str = "auto") -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `mps` (an Apple GPU) into a device that is there.

    `auto` takes CUDA, else an Apple GPU, else the CPU; of several processes each, CUDA or the CPU.

    Raises:
        InputError: If the name is unknown, the device is absent, or several processes are to share
            an Apple GPU.
    """
    if name not in DEVICES:
        raise InputError(f"device must be {', '.join(DEVICES[:-1])} or {DEVICES[-1]}, not {name!r}")
    is_alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(name, True):
        kind = {"cuda": "CUDA device", "mps": "Apple GPU"}[name]
        raise InputError(f"device {name} was asked for, but this PyTorch sees no {kind}")
    if name == "mps" and not is_alone:
        raise InputError("several processes cannot train on one Apple GPU: use --device cpu")
    if name == "auto":
        name = "cuda" if present["cuda"] else "mps" if present["mps"] and is_alone else "cpu"
    if name == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device(name)


def prepare_device(name: str = "auto") -> torch.device:
    """Pick a device for training: as `pick_device`, and have cuDNN try its algorithms once.

    Every iteration has the same shapes, so that the best one found in the first serves all.
    """
    device = pick_device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
    return device


@contextlib.contextmanager
def start(device: str = "auto", precision: Precision = "auto") -> Iterator[Runtime]:
    """Open the runtime of this process; under torchrun, join the others.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: Of the forward passes in training.

    Yields:
        Device, rank and number of processes.

    Raises:
        InputError: If the device is unknown or absent.
    """
    chosen = prepare_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Runtime(chosen, precision=precision)
        return
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Runtime(chosen, dist.get_rank(), dist.get_world_size(), precision)
    finally:
        dist.destroy_process_group()


def keep_freed_memory() -> None:
    """Have the C library keep freed memory, where it is glibc, from now on in this process.

    Every iteration frees the tensors that the next one allocates again. Giving the large ones back
    to the system and having them zeroed anew costs a tenth of the time of training on a CPU.
    """
    mallopt = _of_c_library("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)  # nothing is mapped by itself, however large
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def share_freed_memory() -> None:
    """Have all threads allocate from one arena, where the C library is glibc, from now on.

    Else each thread has an arena, and what it frees there serves no other. It is a setting of the
    whole process: for commands, not for a library's calls.
    """
    mallopt = _of_c_library("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def return_freed_memory() -> None:
    """Give freed memory back to the system, where the C library is glibc.

    That takes milliseconds, but memory that is allocated again is then zeroed anew, at some 0.6 ms
    a MiB: worth it before a peak that comes once.
    """
    trim = _of_c_library("malloc_trim")
    if trim is not None:
        trim(0)


def _of_c_library(name: str) -> Any:
    """A function of the C library; None where it has none of this name."""
    return getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None


def inference_batch_size(device: torch.device) -> int:
    """Faces in one pass of a network without gradients.

    On a CPU activations of more than some 16 faces leave its cache, and are so large that the C
    library takes their memory from the system, page by page, in each pass.
    """
    return 16 if device.type == "cpu" else 64


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device without waiting until the device has done what it was given.

    A copy from ordinary memory to a GPU would wait for that, one from pinned memory does not.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    # Metal may read the memory after it has been freed.
    return tensor.to(device, non_blocking=device.type != "mps")


def num_processes() -> int:
    """Number of processes that train together; 1 outside torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average gradients over all processes, in place, as one flat all-reduce.

    A parameter without a gradient keeps none, as in one process: zeros would make Adam count steps
    for a head that is not trained yet, and its first real steps would be many times too large.
    All processes run the same passes and so exchange the same gradients. DistributedDataParallel
    is unsafe with several heads and partial backward passes.
    """
    count = num_processes()
    if count == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])  # [number of weights]
    dist.all_reduce(flat)
    flat /= count
    for gradient, part in zip(
        gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True
    ):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def take_from_main(tensors: Iterable[Tensor]) -> None:
    """Give all processes what the main one has, in place."""
    if num_processes() > 1:
        for tensor in tensors:
            dist.broadcast(tensor, src=0)


def average_values(values: Tensor) -> Tensor:
    """Average a detached tensor over all processes."""
    if num_processes() == 1:
        return values
    values = values.clone()
    dist.all_reduce(values)
    return values / num_processes()


def gather_values(values: Tensor) -> Tensor:
    """What each process has in a detached tensor: `[P, ...]`, by rank."""
    gathered = [torch.empty_like(values) for _ in range(num_processes())]
    dist.all_gather(gathered, values)
    return torch.stack(gathered)

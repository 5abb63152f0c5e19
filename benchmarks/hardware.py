"""What every benchmark shares: the machine's peaks, a stopwatch, the result file."""

import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from twobirds.atomic import write_json

Work = Callable[[], Any]


def seconds_of(work: Work, device: torch.device, *, repeats: int) -> list[float]:
    """Wall-clock seconds of each of `repeats` runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        synchronize(device)
        started = time.perf_counter()
        work()
        synchronize(device)
        seconds.append(time.perf_counter() - started)
    return seconds


def synchronize(device: torch.device) -> None:
    """Wait until the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def training_dtype(device: torch.device) -> torch.dtype:
    """The number format of forward and backward passes on a device."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def matrix_peak(
    device: torch.device, *, size: int, repeats: int = 5, dtype: torch.dtype | None = None
) -> float:
    """FLOP/s of a product of two square matrices, best of several; by default as in training."""
    dtype = dtype or training_dtype(device)
    factors = [torch.randn(size, size, device=device).to(dtype) for _ in range(2)]
    return 2 * size**3 / min(seconds_of(lambda: factors[0] @ factors[1], device, repeats=repeats))


def convolution_peak(
    device: torch.device, *, channels: int, repeats: int = 3, dtype: torch.dtype | None = None
) -> float:
    """FLOP/s of large, well-shaped convolutions in channels_last, best of several.

    Forward alone, and forward with backward (three times the work), at kernels 3x3 and 5x5; by
    default in the format of training.
    """
    dtype, side = dtype or training_dtype(device), 32
    batch_size = 16 if device.type == "cpu" else 256  # fewer would leave a GPU idle
    rates = []
    for kernel in (3, 5):
        images = _channels_last(torch.randn(batch_size, channels, side, side, device=device))
        weights = _channels_last(torch.randn(channels, channels, kernel, kernel, device=device))
        flops = 2 * kernel**2 * channels**2 * batch_size * side**2
        images, weights = (t.to(dtype).requires_grad_() for t in (images, weights))

        def forward(images: Tensor = images, weights: Tensor = weights) -> Tensor:
            return F.conv2d(images, weights, padding="same")

        def both(forward: Callable[[], Tensor] = forward) -> None:
            output = forward()
            output.backward(torch.ones_like(output))

        with torch.no_grad():
            rates.append(flops / min(seconds_of(forward, device, repeats=repeats)))
        rates.append(3 * flops / min(seconds_of(both, device, repeats=repeats)))
    return max(rates)


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def seconds_in_optimizers(
    optimizers: Mapping[str, Optimizer], iterate: Work, device: torch.device
) -> dict[str, float]:
    """Seconds of one iteration in the steps of each optimizer, by its name."""
    spent, started = dict.fromkeys(optimizers, 0.0), dict[str, float]()

    def begin(name: str) -> None:
        synchronize(device)
        started[name] = time.perf_counter()

    def end(name: str) -> None:
        synchronize(device)
        spent[name] += time.perf_counter() - started[name]

    hooks = []
    for name, optimizer in optimizers.items():
        hooks.append(optimizer.register_step_pre_hook(lambda *_, name=name: begin(name)))
        hooks.append(optimizer.register_step_post_hook(lambda *_, name=name: end(name)))
    iterate()
    for hook in hooks:
        hook.remove()
    return spent


def seconds_between_steps(
    optimizers: Mapping[str, Optimizer], iterate: Work, device: torch.device
) -> dict[str, float]:
    """Seconds of one iteration up to the end of each optimizer's step, by its name, and the rest.

    A step's time begins where the step before it ended: it has the passes for its gradients, and
    those whose outputs later steps use as well.
    """
    spent = dict.fromkeys([*optimizers, "rest"], 0.0)
    last = time.perf_counter()

    def charge(name: str) -> None:
        nonlocal last
        synchronize(device)
        now = time.perf_counter()
        spent[name] += now - last
        last = now

    hooks = [
        optimizer.register_step_post_hook(lambda *_, name=name: charge(name))
        for name, optimizer in optimizers.items()
    ]
    iterate()
    charge("rest")
    for hook in hooks:
        hook.remove()
    return spent


def peak_memory(device: torch.device) -> int:
    """The most memory in bytes so far: of tensors on a GPU, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # KiB on Linux


def write_results(out: Path | None, results: dict[str, Any]) -> None:
    """Write the results as JSON if a file was named."""
    if out is not None:
        write_json(out, results)
        print(f"wrote {out}")

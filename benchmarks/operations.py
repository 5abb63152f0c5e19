"""The heavy operations of a training iteration: recorded, counted, and timed one by one.

An iteration cannot be faster than its convolutions and matrix products are alone, each in its very
shape, direction, memory format and number format. Their sum is what the GFLOP count allows.
"""

from collections import Counter
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_unflatten
from torch.utils.flop_counter import flop_registry

from hardware import Work, seconds_of

aten = torch.ops.aten
_HEAVY = (aten.convolution, aten.convolution_backward, aten.mm, aten.addmm, aten.bmm, aten.baddbmm)


class TensorSpec(NamedTuple):
    """What a tensor looks like, without its numbers."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def make(self) -> Tensor:
        """Such a tensor, of random numbers."""
        last = sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True))
        numbers = torch.randn(last + 1, dtype=self.dtype, device=self.device)
        return numbers.as_strided(self.shape, self.stride)


class Operation(NamedTuple):
    """A call of an operator, hashable, and repeatable with other numbers."""

    operator: Any
    arguments: tuple[Any, ...]
    structure: Any

    def prepare(self) -> Work:
        """Make the tensors; what is returned repeats the call."""
        values = [a.make() if isinstance(a, TensorSpec) else a for a in self.arguments]
        arguments, keywords = tree_unflatten(values, self.structure)
        return lambda: self.operator(*arguments, **keywords)

    def describe(self) -> dict[str, Any]:
        """Operator and shapes, for the result file."""
        shapes = [list(a.shape) for a in self.arguments if isinstance(a, TensorSpec)]
        return {"operator": self.operator.overloadpacket.__name__, "shapes": shapes}


class OperationRecorder(TorchDispatchMode):
    """Counts each convolution and matrix product that is run under it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[Operation] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Note the call, and carry it out."""
        if func.overloadpacket in _HEAVY:
            leaves, structure = tree_flatten((args, kwargs or {}))
            specs = tuple(
                TensorSpec(tuple(x.shape), x.stride(), x.dtype, x.device)
                if isinstance(x, Tensor)
                else x
                for x in leaves
            )
            self.counts[Operation(func, specs, structure)] += 1
        return func(*args, **(kwargs or {}))


class _FlopCounter(TorchDispatchMode):
    """Adds up torch's formulas; FlopCounterMode fails where gradients are differentiated."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Carry the call out, and count it."""
        output = func(*args, **(kwargs or {}))
        if func.overloadpacket is aten.convolution_backward:
            self.total += _backward_flops(*args, **(kwargs or {}))
        elif (formula := flop_registry.get(func.overloadpacket)) is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=output)
        return output


def _backward_flops(gradient: Tensor, x: Tensor, weight: Tensor, *settings: Any) -> int:
    """Operations of a convolution's gradients; torch's formula counts groups as if each saw all.

    Each of the two gradients takes as many as the forward pass. `settings` are bias_sizes, stride,
    padding, dilation, transposed, output_padding, groups and output_mask.
    """
    is_transposed, mask = settings[4], settings[7]
    places = (x if is_transposed else gradient).numel()
    return 2 * places * (weight.numel() // weight.shape[0]) * (int(mask[0]) + int(mask[1]))


def count_flops(work: Work) -> int:
    """Floating-point operations of convolutions and matrix products, two for a multiply-add."""
    counter = _FlopCounter()
    with counter:
        work()
    return counter.total


@torch.no_grad()
def time_operations(
    counts: Counter[Operation], device: torch.device, *, repeats: int
) -> list[dict[str, Any]]:
    """Time each operation alone, best of several.

    Returns:
        For each, `count` in an iteration, `gflop` and `seconds` of one call, and the rate; those
        that take the most of an iteration first.
    """
    rows = []
    for operation, count in counts.items():
        work = operation.prepare()
        gflop = count_flops(work) / 1e9
        seconds = min(seconds_of(work, device, repeats=repeats))
        rates = {"seconds": seconds, "gflop_per_second": gflop / seconds}
        rows.append({**operation.describe(), "count": count, "gflop": gflop, **rates})
    return sorted(rows, key=lambda row: -row["count"] * row["seconds"])

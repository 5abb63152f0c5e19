"""Replaying an iteration as one CUDA graph.

A GPU computes an iteration of small networks sooner than the host queues its thousands of kernels:
on an H200 recipe `modern` queued for 210 ms at 128 faces. Recorded once, they are all queued by
one call.
"""

import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.utils._pytree import tree_flatten, tree_unflatten

from twobirds.runtime import Runtime

T = TypeVar("T")
_WARM_UP = 3  # calls before a recording: what is allocated or chosen once is not part of it


class ReplayedUpdate(Generic[T]):
    """An update of weights that is recorded on a GPU and replayed from then on.

    Its kernels must be a function of its inputs' tensors, of their shapes, and of what else is in
    its inputs: it may not wait for the device, sample random numbers, or copy from the host.

    Args:
        update: From inputs in (named) tuples to detached scalars `[]` by name.
        optimizers: Those whose steps are part of it.
        runtime: On a GPU, in one process, updates are recorded; else a call is the update itself.
    """

    def __init__(
        self,
        update: Callable[[T], dict[str, Tensor]],
        optimizers: Iterable[Optimizer],
        runtime: Runtime,
    ) -> None:
        self._update, self._optimizers = update, list(optimizers)
        is_alone = runtime.device.type == "cuda" and runtime.world_size == 1
        self._is_enabled = is_alone and runtime.replays
        self._calls: dict[Hashable, int] = {}
        self._recordings: dict[Hashable, _Recording] = {}

    def __call__(self, inputs: T) -> dict[str, Tensor]:
        """Update the weights."""
        for optimizer in self._optimizers:  # a checkpoint may be of another device
            for group in optimizer.param_groups:
                group["capturable"] = self._is_enabled
        if not self._is_enabled:
            return self._update(inputs)
        leaves, structure = tree_flatten(inputs)
        shapes = (leaf.shape if isinstance(leaf, Tensor) else leaf for leaf in leaves)
        # The same leaves elsewhere are for other kernels. As text: not every torch can hash it.
        key = repr(structure), *shapes
        if key not in self._recordings:
            self._calls[key] = self._calls.get(key, 0) + 1
            if self._calls[key] <= _WARM_UP:
                return self._warm_up(inputs)
            if not self._record(key, inputs):
                return self._update(inputs)
        return self._recordings[key].replay(leaves)

    def _warm_up(self, inputs: T) -> dict[str, Tensor]:
        """Update on another stream, as in a recording."""
        own, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(own)
        with torch.cuda.stream(side):
            values = self._update(inputs)
        own.wait_stream(side)
        return values

    def _record(self, key: Hashable, inputs: T) -> bool:
        """Record the update; returns whether that succeeded."""
        pools = (recording.pool for recording in self._recordings.values())
        try:
            self._recordings[key] = _Recording(self._update, inputs, next(pools, None))
        except RuntimeError as error:
            self._is_enabled = False
            self._recordings.clear()  # their memory, which may be what is lacking
            for optimizer in self._optimizers:
                optimizer.zero_grad(set_to_none=True)
            reason = str(error).splitlines()[0]
            warnings.warn(
                f"this GPU cannot record an iteration ({reason}): training goes on without, slower",
                stacklevel=2,
            )
            return False
        return True


class _Recording:
    """A CUDA graph, the tensors that it works on, and those that it writes.

    All recordings take their memory from one pool: what is passing in one is passing in the others.
    That is safe because they run one after the other, results are copied before the next runs, and
    what lasts (weights, states of optimizers, averages) was allocated in the warm-up, outside.

    Args:
        update: What is recorded.
        inputs: Of the shapes that are replayed.
        pool: Of an earlier recording; None makes one.
    """

    def __init__(
        self, update: Callable[[T], dict[str, Tensor]], inputs: T, pool: Any = None
    ) -> None:
        leaves, structure = tree_flatten(inputs)
        self._inputs = [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool):
            values = update(tree_unflatten(self._inputs, structure))
            self._names = list(values)
            self._values = torch.stack(list(values.values()))

    @property
    def pool(self) -> Any:
        """Where its memory is from."""
        return self._graph.pool()

    def replay(self, inputs: Sequence[Any]) -> dict[str, Tensor]:
        """Run the graph on other inputs of the same shapes."""
        for own, new in zip(self._inputs, inputs, strict=True):
            if isinstance(new, Tensor):
                own.copy_(new, non_blocking=True)
        self._graph.replay()
        return dict(zip(self._names, self._values.clone().unbind(), strict=True))

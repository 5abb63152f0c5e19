"""An iteration of training never waits for its device.

The meta device holds no numbers: an update that looks one up (`.item()`, `.cpu()`, `if tensor`,
`nonzero`, a mask as an index) raises there. So a CPU can tell what would make a GPU's host wait.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from making_runs import modern_recipe, recipe, write_pack
from twobirds.config import RunConfig
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.recipes.registry import recipe_of
from twobirds.runtime import Runtime
from twobirds.training.graphs import ReplayedUpdate
from twobirds.training.run import fit_to_pack

META = torch.device("meta")
CONFIGS = {
    "paper": recipe(edited_share=0.5),
    "modern": modern_recipe(recognizer_images=24),
}

REPLAYED = ("paper", "modern")
"""Whose updates are recorded as CUDA graphs."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return write_pack(tmp_path_factory.mktemp("packs") / "faces", count=40)


class NoWaiting(TorchDispatchMode):
    """Refuses copies to the device that would make the host wait."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        # A number in a tensor without dimensions is passed by value.
        places = {t.device.type for t in tensors if t.ndim}
        places |= (
            {torch.device(kwargs["device"]).type} if kwargs.get("device") and tensors else set()
        )
        is_patient = bool(kwargs.get("non_blocking")) or (len(args) > 2 and args[2] is True)
        if {"cpu", "meta"} <= places and not is_patient:
            raise AssertionError(f"{func} makes the host wait for a copy")
        return func(*args, **kwargs)


@pytest.fixture
def _meta_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for what the meta device lacks: random numbers, autocast and optimizer steps."""
    real_generator, real_tensor = torch.Generator, torch.tensor

    class Unseeded:
        def manual_seed(self, seed: int) -> None:
            return None

    def generator(device: Any = "cpu") -> Any:
        return Unseeded() if torch.device(device) == META else real_generator(device)

    def tensor(values: Any, **options: Any) -> Tensor:
        assert torch.device(options.get("device") or "cpu") != META, "torch.tensor waits for a copy"
        return real_tensor(values, **options)

    monkeypatch.setattr(torch, "Generator", generator)
    monkeypatch.setattr(torch, "tensor", tensor)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    for optimizer in (torch.optim.Adam, torch.optim.AdamW):
        monkeypatch.setattr(optimizer, "step", lambda _: None)


def update(config: RunConfig, pack: Pack) -> Callable[[int], dict[str, Tensor]]:
    """One iteration of a run on the meta device, by its number."""
    runtime, config = Runtime(META), fit_to_pack(config, pack)
    objective = recipe_of(config).build_objective(config, runtime, None)
    if config.recipe.name == "paper":
        objective.load_schedule_state({"num_discriminator": 2, "num_generator": 2})
    loader = Loader.of_run(config.train, pack, runtime)
    _ = loader.frequencies  # once a run

    def iterate(number: int) -> dict[str, Tensor]:
        with NoWaiting():
            return objective.update(loader.batch(number), loader, number)

    return iterate


@pytest.mark.usefixtures("_meta_device")
@pytest.mark.parametrize("name", CONFIGS)
def test_an_update_never_waits_for_the_device(name: str, pack: Pack) -> None:
    config = CONFIGS[name]
    iterate = update(config, pack)
    last = config.train.images // config.train.batch_size - 1
    for number in (0, 1, 2, last):  # all stages
        metrics = iterate(number)
        assert metrics
        assert all(value.device == META for value in metrics.values())


class NothingFromTheHost(TorchDispatchMode):
    """Refuses what a CUDA graph cannot replay: copies from the host, and random numbers."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        tensors = [t for t in tree_leaves((args, kwargs or {})) if isinstance(t, Tensor)]
        if any(t.device != META and t.ndim for t in tensors):
            raise AssertionError(f"{func} takes numbers from the host")
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise AssertionError(f"{func} samples random numbers")
        return func(*args, **(kwargs or {}))


@pytest.mark.usefixtures("_meta_device")
@pytest.mark.parametrize("name", REPLAYED)
def test_an_update_that_is_replayed_takes_nothing_from_the_host(
    name: str, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, replayed = CONFIGS[name], []

    def call(self: ReplayedUpdate[Any], inputs: Any) -> dict[str, Tensor]:
        self._update(inputs)  # what is copied once, such as constants
        with NothingFromTheHost():
            replayed.append(self._update(inputs))
        return replayed[-1]

    monkeypatch.setattr(ReplayedUpdate, "__call__", call)
    iterate = update(config, pack)
    for number in (0, 2, config.train.images // config.train.batch_size - 1):  # all stages
        iterate(number)
    assert len(replayed) == 3


def waits() -> Iterator[Callable[[], Any]]:
    """What a host must not do; `there` lies on the device."""
    there, mask = torch.zeros(3, device=META), torch.zeros(3, device=META) > 0
    yield there.sum().item
    yield there.cpu
    yield there.tolist
    yield there.nonzero
    yield lambda: there[mask]
    yield lambda: bool(there.any())
    yield lambda: torch.zeros(3).to(META)
    yield lambda: torch.zeros(3, device=META).copy_(torch.zeros(3))
    yield lambda: there[torch.tensor([1])]


@pytest.mark.parametrize("wait", list(waits()))
def test_waiting_is_noticed(wait: Callable[[], Any]) -> None:
    with pytest.raises((AssertionError, NotImplementedError, RuntimeError)), NoWaiting():
        wait()

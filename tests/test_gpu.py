"""Training on a GPU: beside the CPU, in bfloat16, resumed, and without waiting for the device.

`TWOBIRDS_GPU_REHEARSAL=1 pytest -m gpu tests/test_gpu.py` runs it on the CPU instead, where the
second device is the same processor with other kernels (oneDNN off): so sums are rounded otherwise,
as on a GPU.
"""

import contextlib
import copy
import dataclasses
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from making_runs import CPU, TRAIN, differences, modern_recipe, recipe, write_pack
from twobirds import randomness
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import DataConfig, RunConfig
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.recipes.baselines.config import CGANConfig, CNNConfig, CycleGANConfig
from twobirds.recipes.registry import recipe_of
from twobirds.runtime import Precision, Runtime
from twobirds.training.objective import Objective
from twobirds.training.run import fit_to_pack
from twobirds.training.state import Progress, restore, save_checkpoint

pytestmark = pytest.mark.gpu
REHEARSES = os.environ.get("TWOBIRDS_GPU_REHEARSAL") == "1"


def baseline(settings: Any) -> RunConfig:
    train = dataclasses.replace(TRAIN, batch_size=8, images=40)
    return RunConfig("baseline", settings, DataConfig(size=32), train)


CONFIGS = {
    "paper": recipe(edited_share=0.5, batch_size=8, images=40),
    "modern": modern_recipe(),
    "cgan": baseline(CGANConfig(width=1 / 8, num_latents=8)),
    "cnn": baseline(CNNConfig(width=1 / 8, num_hidden=16)),
    "cyclegan": baseline(
        CycleGANConfig(attribute="Male", num_channels=8, num_blocks=1, buffer_images=4)
    ),
}
WAIT_NEVER = ("paper", "modern")
REPLAYED = ("paper", "modern")
LAST = 4  # an iteration in which all networks learn


@pytest.fixture(scope="module")
def there() -> torch.device:
    if REHEARSES:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device; TWOBIRDS_GPU_REHEARSAL=1 rehearses on the CPU")
    return torch.device("cuda", 0)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return write_pack(tmp_path_factory.mktemp("packs") / "faces", count=40)


class Training:
    """A run in memory."""

    def __init__(self, name: str, pack: Pack, runtime: Runtime) -> None:
        self.config = fit_to_pack(CONFIGS[name], pack)
        self.objective: Objective = recipe_of(self.config).build_objective(
            self.config, runtime, None
        )
        self.objective.initialize(pack)
        self.loader = Loader.of_run(self.config.train, pack, runtime)

    def update(self, number: int) -> dict[str, float]:
        batch = self.loader.batch(number)
        metrics = self.objective.update(batch, self.loader, number)
        return {name: float(value) for name, value in metrics.items()}

    def gradients(self, number: int) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Losses of an iteration, and by optimizer all gradients that it steps with first."""
        found: dict[str, Tensor] = {}
        handles = []
        for name, optimizer in self.objective.optimizers.items():

            def note(optimizer: Any, *_: Any, name: str = name) -> None:
                parameters = [p for group in optimizer.param_groups for p in group["params"]]
                parts = [p.grad.flatten().cpu() for p in parameters if p.grad is not None]
                found.setdefault(name, torch.cat(parts).clone())

            handles.append(optimizer.register_step_pre_hook(note))
        metrics = self.update(number)
        for handle in handles:
            handle.remove()
        return metrics, found

    def state(self) -> dict[str, Any]:
        networks = {name: n.state_dict() for name, n in self.objective.networks.items()}
        optimizers = {name: o.state_dict() for name, o in self.objective.optimizers.items()}
        return copy.deepcopy({"networks": networks, "optimizers": optimizers})


@contextlib.contextmanager
def exact_float32() -> Iterator[None]:
    """No TF32 on a GPU; in a rehearsal no oneDNN."""
    if REHEARSES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that there is no Intel GPU
            with torch.backends.mkldnn.flags(enabled=False):
                yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
        yield


def runtime(device: torch.device, precision: Precision = "float32") -> Runtime:
    return Runtime(device, precision=precision)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_update_in_float32_is_the_cpus(
    name: str, pack: Pack, there: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = randomness.device_noise
    monkeypatch.setattr(  # a GPU's own numbers are others
        randomness, "device_noise", lambda shape, seed, at: sample(shape, seed, CPU.device).to(at)
    )
    on_cpu = Training(name, pack, CPU)
    with exact_float32():
        on_gpu = Training(name, pack, runtime(there))
        for network, other in zip(
            on_gpu.objective.networks.values(), on_cpu.objective.networks.values(), strict=True
        ):
            network.load_state_dict(other.state_dict())
        metrics, gradients = on_gpu.gradients(LAST)
    expected_metrics, expected = on_cpu.gradients(LAST)
    assert metrics == pytest.approx(expected_metrics, rel=1e-2, abs=1e-3)
    assert gradients.keys() == expected.keys()
    for optimizer, gradient in expected.items():
        error = (gradients[optimizer] - gradient).norm() / gradient.norm()
        # Adam's first step is the gradient's sign: where that is rounding, D's weights differ by a
        # step, and so a little what G and the editor then learn from D.
        assert error < 0.05, f"{optimizer}: {float(error):.4f}"


@pytest.mark.parametrize("name", CONFIGS)
def test_bfloat16_stays_finite_and_near_float32(name: str, pack: Pack, there: torch.device) -> None:
    half = Training(name, pack, runtime(there, "bfloat16"))
    full = Training(name, pack, runtime(there))
    assert half.update(0) == pytest.approx(full.update(0), rel=0.15, abs=0.15)
    for number in range(1, LAST + 1):
        metrics = half.update(number)
        assert all(abs(value) < 1e4 for value in metrics.values()), metrics
    for network in half.objective.networks.values():
        for key, value in network.state_dict().items():
            assert torch.isfinite(value).all(), key
            assert value.dtype != torch.bfloat16, key


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_resumed_run_is_where_it_was(
    name: str, precision: Precision, pack: Pack, there: torch.device, tmp_path: Path
) -> None:
    first = Training(name, pack, runtime(there, precision))
    for number in range(LAST):
        first.update(number)
    path = tmp_path / CHECKPOINT_FILE
    save_checkpoint(path, first.config, first.objective, Progress(iteration=LAST), {})
    second = Training(name, pack, runtime(there, precision))
    assert restore(path, load_run(path)[1], second.objective).iteration == LAST
    assert differences(second.state(), first.state()) == []
    expected = first.update(LAST)
    # A GPU adds up in another order each time.
    close = {"rel": 1e-2, "abs": 1e-3} if precision == "float32" else {"rel": 0.05, "abs": 0.02}
    assert second.update(LAST) == pytest.approx(expected, **close)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", WAIT_NEVER)
def test_an_update_never_waits_for_the_gpu(
    name: str, precision: Precision, pack: Pack, there: torch.device
) -> None:
    if there.type != "cuda":
        pytest.skip("needs CUDA; tests/recipes/test_host_synchronization.py tells on a CPU")
    training = Training(name, pack, runtime(there, precision))
    for number in (0, 1, LAST):  # what is computed once a run, in each stage
        training.update(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that not every wait is noticed
        torch.cuda.set_sync_debug_mode("error")
        try:
            batch = training.loader.batch(LAST)
            training.objective.update(batch, training.loader, LAST)
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replayed_update_is_the_update(name: str, pack: Pack, there: torch.device) -> None:
    """Nothing of a recording is left from the iteration in which it was made."""
    if there.type != "cuda":
        pytest.skip("needs CUDA; tests/training/test_graphs.py tells the rest on a CPU")
    with exact_float32():
        replayed = Training(name, pack, runtime(there))
        plain = Training(name, pack, runtime(there))
        plain.objective._learn._is_enabled = False
        for number in range(LAST + 6):
            shown, expected = replayed.update(number), plain.update(number)
            assert shown == pytest.approx(expected, rel=0.1, abs=0.05), number
        assert replayed.objective._learn._recordings, "nothing was recorded"
        averages = [n for n in plain.objective.networks if n.endswith("_ema")]
        for average in averages:
            own = replayed.objective.networks[average].state_dict()
            for key, value in plain.objective.networks[average].state_dict().items():
                assert (own[key] - value).norm() <= 0.05 * value.norm() + 1e-3, f"{average} {key}"


def test_a_balance_that_changes_is_followed_by_replays(pack: Pack, there: torch.device) -> None:
    """Each number of updates has a recording; they take turns, in any order."""
    with exact_float32():
        replayed, plain = (Training("paper", pack, runtime(there)) for _ in range(2))
        plain.objective._learn._is_enabled = False
        balances = [(1, 1), (3, 1), (1, 2)]
        turns = [balance for balance in balances for _ in range(5)] + balances[::-1] + balances
        for number, (discriminator, generator) in enumerate(turns, LAST):
            for training in (replayed, plain):
                training.objective.balance.num_discriminator = discriminator
                training.objective.balance.num_generator = generator
            shown, expected = replayed.update(number), plain.update(number)
            assert shown == pytest.approx(expected, rel=0.1, abs=0.05), number
        steps = [  # which only extra updates make unequal
            [int(next(iter(o.state.values()))["step"]) for o in t.objective.optimizers.values()]
            for t in (replayed, plain)
        ]
        assert steps[0] == steps[1]
        assert len(set(steps[0])) > 1
        if there.type == "cuda":
            assert len(replayed.objective._learn._recordings) == len(balances)


def test_the_faces_lie_on_the_gpu(pack: Pack, there: torch.device) -> None:
    loader = Training("cnn", pack, runtime(there)).loader
    batch = loader.batch(0)
    assert loader.resident_images.device == batch.images.device == batch.attributes.device == there
    assert batch.images.is_contiguous(memory_format=torch.channels_last)

"""What a recorded update needs that a CPU can tell: when it is recorded, again, and not at all."""

from typing import ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from twobirds.runtime import Runtime
from twobirds.training import graphs
from twobirds.training.graphs import ReplayedUpdate


class Inputs(NamedTuple):
    faces: Tensor
    labels: Tensor | None
    leads: bool


class Recording:
    """Stands in for a CUDA graph: replays by calling the update."""

    num_made = 0
    shared: ClassVar[list[object]] = []

    def __init__(self, update, inputs, pool=None) -> None:  # type: ignore[no-untyped-def]
        type(self).num_made += 1
        self.shared.append(pool)
        self.pool = pool or f"pool of recording {self.num_made}"
        update(inputs)

    def replay(self, inputs) -> dict[str, Tensor]:  # type: ignore[no-untyped-def]
        return {"replayed": inputs[0].sum()}


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> type[Recording]:
    monkeypatch.setattr(graphs, "_Recording", Recording)
    monkeypatch.setattr(ReplayedUpdate, "_warm_up", lambda self, inputs: self._update(inputs))
    Recording.num_made = 0
    Recording.shared.clear()
    return Recording


def network() -> tuple[nn.Linear, torch.optim.Adam]:
    layer = nn.Linear(1, 1)
    return layer, torch.optim.Adam(layer.parameters())


GPU, CPU = Runtime(torch.device("cuda")), Runtime(torch.device("cpu"))


def replayed(runtime: Runtime) -> ReplayedUpdate[Inputs]:
    return ReplayedUpdate(lambda inputs: {"updated": inputs.faces.sum()}, [network()[1]], runtime)


def names(update: ReplayedUpdate[Inputs], inputs: Inputs, count: int) -> list[str]:
    return [name for _ in range(count) for name in update(inputs)]


def test_an_update_is_recorded_after_it_ran_three_times(recording: type[Recording]) -> None:
    update = replayed(GPU)
    inputs = Inputs(torch.ones(2), torch.ones(2), leads=True)
    assert names(update, inputs, 5) == ["updated"] * 3 + ["replayed"] * 2
    assert recording.num_made == 1
    assert update(inputs._replace(faces=torch.full((2,), 3.0)))["replayed"] == 6


@pytest.mark.parametrize(
    "other",
    [
        Inputs(torch.ones(2), torch.ones(2), leads=False),
        Inputs(torch.ones(2), None, leads=True),
        Inputs(torch.ones(3), torch.ones(2), leads=True),
    ],
)
def test_what_runs_other_kernels_is_recorded_by_itself(
    other: Inputs, recording: type[Recording]
) -> None:
    update = replayed(GPU)
    inputs = Inputs(torch.ones(2), torch.ones(2), leads=True)
    names(update, inputs, 4)
    assert names(update, other, 4) == ["updated"] * 3 + ["replayed"]
    assert names(update, inputs, 1) == ["replayed"]
    assert recording.num_made == 2
    assert recording.shared == [None, "pool of recording 1"]


def test_the_same_tensors_elsewhere_are_recorded_by_themselves(recording: type[Recording]) -> None:
    update: ReplayedUpdate[tuple[tuple[Tensor, ...], ...]] = ReplayedUpdate(
        lambda inputs: {"updated": torch.tensor(len(inputs[1]))}, [network()[1]], GPU
    )
    extra = (torch.ones(2),)
    of_discriminator, of_generator = (extra, extra, ()), (extra, (), extra)
    for _ in range(4):
        update(of_discriminator)
    assert list(update(of_discriminator)) == ["replayed"]
    assert list(update(of_generator)) == ["updated"]
    assert recording.num_made == 1


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize(
    "runtime", [CPU, Runtime(GPU.device, world_size=2), Runtime(GPU.device, replays=False)]
)
def test_without_a_gpu_for_itself_nothing_is_recorded(runtime: Runtime) -> None:
    update = replayed(runtime)
    assert names(update, Inputs(torch.ones(2), None, leads=True), 5) == ["updated"] * 5


@pytest.mark.usefixtures("recording")
def test_training_goes_on_where_recording_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, optimizer = network()

    def update(inputs: Inputs) -> dict[str, Tensor]:
        return {"updated": inputs.faces.sum()}

    def fail(_: object, inputs: Inputs, pool: object) -> None:
        layer(inputs.faces[:1]).sum().backward()  # what a recording leaves, that ends midway
        raise RuntimeError("operation not permitted when stream is capturing\nmore of it")

    monkeypatch.setattr(graphs, "_Recording", fail)
    learn = ReplayedUpdate(update, [optimizer], GPU)
    inputs = Inputs(torch.ones(2), None, leads=True)
    names(learn, inputs, 3)
    with pytest.warns(UserWarning, match=r"cannot record an iteration \(operation not permitted"):
        assert names(learn, inputs, 1) == ["updated"]
    assert layer.weight.grad is None
    assert names(learn, inputs, 2) == ["updated"] * 2


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize(("runtime", "capturable"), [(GPU, True), (CPU, False)])
def test_optimizers_can_be_recorded_whatever_a_checkpoint_says(
    runtime: Runtime, *, capturable: bool
) -> None:
    optimizer = network()[1]
    update = ReplayedUpdate(lambda inputs: {"updated": inputs.faces.sum()}, [optimizer], runtime)
    optimizer.param_groups[0]["capturable"] = not capturable
    update(Inputs(torch.ones(2), None, leads=True))
    assert optimizer.param_groups[0]["capturable"] is capturable

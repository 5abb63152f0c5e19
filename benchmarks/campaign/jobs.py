"""What is killed: commands that may be repeated, and how their results are looked at."""

import hashlib
import importlib
import json
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch

from campaign.observe import WrongResultError
from campaign.world import World, train_words
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.data.pack import open_pack
from twobirds.models.files import load_trained
from twobirds.reproduction.plan import BUDGETS, Budget

TRAIN_IMAGES = {"paper": 160, "modern": 48}
"""Of a training, which saves after every eight: a checkpoint of `modern` takes most of a second."""
_SMALLEST = Budget(
    images=80,
    width=1 / 16,
    batch_size=4,
    cycle_images=4,
    cycle_channels=4,
    cycle_blocks=1,
    judge_images=64,
    max_faces=8,
    num_fakes=16,
    svm_faces=64,
)


class Job(ABC):
    """A command that is killed, looked at, and repeated until it comes to its end.

    Args:
        world: What it works on.
        folder: Its own; holds everything that it writes.
    """

    modules: tuple[str, ...] = ()
    """What it imports late; imported here, a child spends its time on the work."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.out = folder / "out"

    def prepare(self) -> None:
        """Do in this process what no child need do again."""
        for module in self.modules:
            importlib.import_module(module)

    def begin(self) -> None:
        """Make the folder as it is before the command is given first."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    @abstractmethod
    def words(self) -> list[str]:
        """The command."""

    @abstractmethod
    def look(self) -> None:
        """Look at what a kill left.

        Raises:
            InputError, WrongResultError: If something is lost or half-written.
        """

    @abstractmethod
    def result(self) -> str:
        """A digest of what the completed command made."""


class TrainJob(Job):
    """Training, which goes on from its checkpoint."""

    modules = ("twobirds.training.run", "torch._dynamo")  # the second by PyTorch's optimizers

    def __init__(self, world: World, folder: Path, recipe: str) -> None:
        super().__init__(world, folder)
        self.recipe = recipe
        self.iteration = 0

    def begin(self) -> None:
        super().begin()
        self.iteration = 0

    def words(self) -> list[str]:
        words = train_words(
            self.recipe, self.world.pack, self.out, images=TRAIN_IMAGES[self.recipe]
        )
        return [*words, "--resume"]

    def look(self) -> None:
        path = self.out / CHECKPOINT_FILE
        if not path.exists():
            if self.iteration:
                raise WrongResultError("the checkpoint is gone")
            return
        iteration = int(load_run(path)[1]["iteration"])
        if iteration < self.iteration:
            raise WrongResultError(f"iteration {iteration} after {self.iteration}")
        self.iteration = iteration

    def result(self) -> str:
        left = sorted(path.name for path in self.out.glob("**/.*"))
        return _digest([_trained(self.out), left])


class PackJob(Job):
    """Packing, whose result is there whole or not at all."""

    def words(self) -> list[str]:
        return ["pack", str(self.world.faces), str(self.out), "--size=32", "--workers=1"]

    def look(self) -> None:
        if self.out.exists():
            open_pack(self.out, verify=True)
            shutil.rmtree(self.out)

    def result(self) -> str:
        return open_pack(self.out, verify=True).sha256


class ExportJob(Job):
    """Exporting over a model, which is the old or the new one at any moment."""

    def begin(self) -> None:
        super().begin()
        shutil.copytree(self.world.model("modern"), self.out)

    def words(self) -> list[str]:
        return ["export", str(self.world.run("paper")), str(self.out)]

    def look(self) -> None:
        loaded = load_trained(self.out).weights_sha256
        models = [load_trained(self.world.model(name)) for name in ("paper", "modern")]
        if loaded not in [model.weights_sha256 for model in models]:
            raise WrongResultError("the folder holds neither the old nor the new model")
        self.begin()

    def result(self) -> str:
        return load_trained(self.out).weights_sha256


class EvaluateJob(Job):
    """Evaluation: the report is whole or absent, and a judge half trained is not taken."""

    def words(self) -> list[str]:
        words = ["evaluate", str(self.world.model("paper")), f"--data={self.world.pack}"]
        words += [f"--out={self.out}/report.json", f"--judge={self.out}/judge.safetensors"]
        few = "--num-fakes=16 --max-faces=8 --faces-per-edit=2 --judge-images=64 --no-figures"
        return [*words, *few.split(), "--device=cpu"]

    modules = ("twobirds.evaluation.evaluate", "torch._dynamo")

    def begin(self) -> None:
        super().begin()
        self.out.mkdir()

    def look(self) -> None:
        report = self.out / "report.json"
        if report.exists():
            json.loads(report.read_text())

    def result(self) -> str:
        return _digest(json.loads((self.out / "report.json").read_text()))


class ReproduceJob(Job):
    """The paper's experiments, which go on with the model that was being trained."""

    modules = ("twobirds.reproduction.reproduce", "torch._dynamo")

    def __init__(self, world: World, folder: Path) -> None:
        super().__init__(world, folder)
        self.complete: set[str] = set()

    def prepare(self) -> None:
        super().prepare()
        BUDGETS["smallest"] = _SMALLEST

    def begin(self) -> None:
        super().begin()
        self.complete = set()

    def words(self) -> list[str]:
        words = ["reproduce", f"--data={self.world.pack}", f"--out={self.out}"]
        return [*words, "--budget=smallest", "--device=cpu"]

    def look(self) -> None:
        for path in self.out.glob("**/*.json"):
            json.loads(path.read_text())
        found = {path.parent.name for path in self.out.glob(f"models/*/{CHECKPOINT_FILE}")}
        for name in found:
            load_run(self.out / "models" / name / CHECKPOINT_FILE)
        if lost := self.complete - found:
            raise WrongResultError(f"the checkpoint of {min(lost)} is gone")
        self.complete = found

    def result(self) -> str:
        runs = sorted(path for path in (self.out / "models").iterdir() if path.is_dir())
        report = json.loads((self.out / "report.json").read_text())
        del report["times"]
        return _digest([{run.name: _trained(run) for run in runs}, report])


def make_jobs(world: World, folder: Path) -> dict[str, Job]:
    """All jobs, by their names."""
    jobs: dict[str, Job] = {
        f"train {recipe}": TrainJob(world, folder / recipe, recipe)
        for recipe in ("paper", "modern")
    }
    jobs["pack"] = PackJob(world, folder / "pack")
    jobs["export"] = ExportJob(world, folder / "export")
    jobs["evaluate"] = EvaluateJob(world, folder / "evaluate")
    jobs["reproduce"] = ReproduceJob(world, folder / "reproduce")
    return jobs


def _trained(run: Path) -> list[Any]:
    """What a run's checkpoint and log hold, less the times."""
    state = load_run(run / CHECKPOINT_FILE)[1]
    state.pop("training_seconds")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").open()]
    for line in lines:
        line.pop("images_per_second")
    return [state, lines]


def _digest(content: Any) -> str:
    """SHA-256 of nested plain data and tensors, bit by bit."""
    digest = hashlib.sha256()
    _add(digest, content)
    return digest.hexdigest()


def _add(digest: Any, content: Any) -> None:
    if isinstance(content, dict):
        content = [part for item in content.items() for part in item]
    if isinstance(content, list | tuple):
        digest.update(f"[{len(content)}]".encode())
        for part in content:
            _add(digest, part)
    elif isinstance(content, torch.Tensor):
        digest.update(f"{content.dtype}{tuple(content.shape)}".encode())
        digest.update(content.contiguous().numpy().tobytes())
    else:
        digest.update(repr(content).encode())

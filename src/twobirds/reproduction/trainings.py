"""Training every model of the experiments, one after the other, resumed where it was stopped."""

import dataclasses
import json
import shutil
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from twobirds.atomic import read_json, write_json
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig
from twobirds.data.pack import Pack
from twobirds.recipes.baselines.config import CycleGANConfig
from twobirds.reproduction.jobs import Jobs
from twobirds.reproduction.plan import (
    ACGAN,
    CGAN,
    CNN,
    CYCLE_PREFIX,
    DCGAN,
    LATENT,
    OURS,
    PIXEL,
    PIXEL_LATENT,
    RECOGNIZER,
    RESNET,
    SETTINGS,
    STAGE1,
    Budget,
    compared_attributes,
    cyclegan_name,
    recipe,
)
from twobirds.runtime import Runtime
from twobirds.training.logging import METRICS_FILE
from twobirds.training.run import fork_run, train_run

Announce = Callable[[str], None]
"""Told what is going on, in a line."""

_TRIAL_SECONDS = 20.0  # of CycleGAN, to learn how fast it is
_PLAN_FILE = "images.json"


@dataclasses.dataclass(frozen=True)
class Trainings:
    """The runs of a reproduction, under one folder.

    Args:
        folder: Where they lie, each in a folder of its name.
        pack: The faces.
        budget: How much to train.
        runtime: Where to compute.
        seed: Of everything random.
        announce: Called with a line that says which training begins.
        num_jobs: Models to train at a time; more than one have a process each.
    """

    folder: Path
    pack: Pack
    budget: Budget
    runtime: Runtime
    seed: int
    announce: Announce
    num_jobs: int = 1

    @property
    def precision(self) -> str:
        """What the passes in training are computed in: float32 or bfloat16."""
        return str(self.runtime.dtype).removeprefix("torch.")

    def names(self) -> Sequence[str]:
        """All models, in the order of their training; ours first, for CycleGAN's time is its."""
        cycles = [cyclegan_name(attribute) for attribute in compared_attributes(self.pack)]
        others = (CGAN, DCGAN, CNN, RECOGNIZER, RESNET)
        return (STAGE1, OURS, PIXEL, LATENT, PIXEL_LATENT, ACGAN, *cycles, *others)

    def run(self, name: str) -> Path:
        """Folder of a model's run."""
        return self.folder / name

    def train_all(self) -> bool:
        """Train whatever is not trained yet.

        Returns:
            Whether all are; not if a signal stopped one, with which the next call goes on.
        """
        names = self.names()
        if self.num_jobs > 1:
            train = partial(Trainings._train, dataclasses.replace(self, announce=_tell_nobody))
            return Jobs(train, self.num_jobs, self.announce).run(names, self._needs())
        for number, name in enumerate(names, 1):
            self.announce(f"model {number} of {len(names)}: {name}")
            if not self._train(name):
                return False
        return True

    def seconds(self, name: str) -> float:
        """Wall-clock seconds that a model's training took, the stage 1 it began with included."""
        return float(load_run(self.run(name) / CHECKPOINT_FILE)[1]["training_seconds"])

    def _needs(self) -> Mapping[str, Sequence[str]]:
        """What must be trained before a model can be."""
        cycles = [name for name in self.names() if name.startswith(CYCLE_PREFIX)]
        return dict.fromkeys((*SETTINGS, ACGAN), (STAGE1,)) | dict.fromkeys(cycles, (OURS,))

    def _train(self, name: str) -> bool:
        config = recipe(name, self.budget, size=self.pack.size, seed=self.seed)
        if name in (*SETTINGS, ACGAN) and not (self.run(name) / CHECKPOINT_FILE).exists():
            self._fork(name, config)
        if isinstance(config.recipe, CycleGANConfig):
            images = self._cycle_images(name, config)
            if images is None:
                return False
            config = dataclasses.replace(
                config, train=dataclasses.replace(config.train, images=images)
            )
        return self._is_complete(name, config) or self._leg(name, config)

    def _is_complete(self, name: str, config: RunConfig) -> bool:
        """Whether nothing is left to do, not even to open the run, which its clock would count."""
        checkpoint = self.run(name) / CHECKPOINT_FILE
        if not checkpoint.exists():
            return False
        earlier, state = load_run(checkpoint)
        is_ours = state["pack_sha256"] == self.pack.sha256 and earlier.preset == config.preset
        return is_ours and state["iteration"] * config.train.batch_size >= config.train.images

    def _leg(self, name: str, config: RunConfig, seconds: float = float("inf")) -> bool:
        return train_run(
            config,
            self.pack,
            self.run(name),
            self.runtime,
            resume=True,
            max_seconds=seconds,
            shows_progress=self.num_jobs == 1,
        )

    def _fork(self, name: str, config: RunConfig) -> None:
        """Begin where stage 1 ended, with its log so far."""
        fork_run(self.run(STAGE1), self.run(name), config)
        log = self.run(STAGE1) / METRICS_FILE
        if log.exists():
            shutil.copyfile(log, self.run(name) / log.name)

    def _cycle_images(self, name: str, config: RunConfig) -> int | None:
        """Images that a CycleGAN is shown: those of the budget, or as many as ours' time allows.

        None if a signal stopped the trial that measures its speed: nothing is planned then.
        """
        if self.budget.cycle_images is not None:
            return self.budget.cycle_images
        plan = self.run(name) / _PLAN_FILE
        if not plan.exists():
            started = time.monotonic()
            is_complete = self._leg(name, config, _TRIAL_SECONDS)
            if not is_complete and time.monotonic() - started < _TRIAL_SECONDS:
                return None
            state = load_run(self.run(name) / CHECKPOINT_FILE)[1]
            rate = state["iteration"] * config.train.batch_size / state["training_seconds"]
            images = round(rate * self._undisturbed_seconds(OURS) / config.train.batch_size)
            write_json(plan, {"images": max(1, images) * config.train.batch_size})
        return int(read_json(plan)["images"])

    def _undisturbed_seconds(self, name: str) -> float:
        """What a training takes where nothing else keeps the machine busy: at its median rates."""
        log = (self.run(name) / METRICS_FILE).read_text(encoding="utf-8")
        lines = [json.loads(line) for line in log.splitlines()]
        seconds, begun = 0.0, 0
        for stage in sorted({line["stage"] for line in lines}):
            windows = [line for line in lines if line["stage"] == stage]
            rate = statistics.median(line["images_per_second"] for line in windows)
            seconds += (windows[-1]["images"] - begun) / rate
            begun = windows[-1]["images"]
        return seconds


def _tell_nobody(_line: str) -> None:
    """What a process of its own announces its models with: nothing."""

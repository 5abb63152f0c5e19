"""P21: how long training, reconstructing and generating take (Sec. 4.2, Tables 1 and 2)."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.evaluation.faces import to_tensor
from twobirds.reproduction.study import Study

IMAGES_PER_EPOCH = 185_000
PAPER_TRAINING_SECONDS = {10: 106_230, 20: 239_460, 50: 600_030}
"""Table 1, at 128 px on a GTX 1070 Ti."""
PAPER_RECONSTRUCT_SECONDS, PAPER_GENERATE_SECONDS = 3.2256, 2.1558
"""Table 2, 64 images at 128 px."""
NUM_IMAGES = 64
_REPEATS = 5


@dataclass(frozen=True)
class TrainingTime:
    """What a model's training took here."""

    name: str
    images: int
    """Real images shown."""
    seconds: float
    """Wall-clock, measured."""

    @property
    def images_per_second(self) -> float:
        """The rate over the whole training."""
        return self.images / self.seconds

    def seconds_of_epochs(self, epochs: int) -> float:
        """Extrapolated: so many epochs of 185,000 images at this rate."""
        return epochs * IMAGES_PER_EPOCH / self.images_per_second


@dataclass(frozen=True)
class TimingResult:
    """The measured times."""

    trainings: list[TrainingTime]
    rebuild_seconds: float
    """64 faces reconstructed, median of several."""
    generate_seconds: float
    """64 faces generated, likewise."""


def measure_times(study: Study) -> TimingResult:
    """Load the trainings' clocks, and time 64 faces reconstructed and generated."""
    ours = study.ours
    faces = to_tensor(study.faces.images[:NUM_IMAGES])
    faces = faces[torch.arange(NUM_IMAGES) % len(faces)]
    return TimingResult(
        trainings=[_load_clock(study, name) for name in study.trainings.names()],
        rebuild_seconds=_median_seconds(lambda: ours.reconstruct(faces)),
        generate_seconds=_median_seconds(lambda: ours.generate(NUM_IMAGES)),
    )


def _load_clock(study: Study, name: str) -> TrainingTime:
    config, state = load_run(study.trainings.run(name) / CHECKPOINT_FILE)
    images = int(state["iteration"]) * config.train.batch_size
    return TrainingTime(name, images, float(state["training_seconds"]))


def _median_seconds(work: Callable[[], Any]) -> float:
    work()
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()  # what it returns lies on the CPU, so the device is done
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)

"""What every experiment is measured with: the faces, the judge, the embedder, the models."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twobirds.api import FaceModel
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.evaluate import choose_rows
from twobirds.evaluation.faces import FaceSet, Progress, load_faces, map_faces
from twobirds.evaluation.identity_judge import IdentityJudge, calibrate_identity_judge
from twobirds.evaluation.judge import Judge
from twobirds.evaluation.judge_training import train_or_load_judge
from twobirds.evaluation.plan import JUDGE_FILE, EvaluationConfig
from twobirds.evaluation.run import Evaluation
from twobirds.recipes.baselines.cgan import ConditionalGenerator, load_conditional_gan
from twobirds.recipes.baselines.cyclegan import Translator, load_translator
from twobirds.reproduction.plan import (
    CGAN,
    DCGAN,
    OURS,
    Budget,
    compared_attributes,
    cyclegan_name,
)
from twobirds.reproduction.trainings import Trainings


@dataclass(eq=False)
class Study:
    """Trained models, and the test faces they are compared on."""

    trainings: Trainings
    ours: FaceModel
    faces: FaceSet
    """The N test faces."""
    judge: Judge
    identity_judge: IdentityJudge | None
    calibration: dict[str, object] | None
    """What the embedder's distances mean, for the report."""
    absent: dict[str, str]
    """What could not be had, and why."""
    config: EvaluationConfig
    progress: Progress | None

    @property
    def people(self) -> np.ndarray:
        """Who is on each face, `[N]` int64, -1 where unknown."""
        people: np.ndarray = self.trainings.pack.identity[self.faces.rows]
        return people

    @property
    def seed(self) -> int:
        """Of every random choice."""
        return self.config.seed

    @cached_property
    def compared(self) -> list[str]:
        """The paper's three attributes, those of them that the pack can teach."""
        return compared_attributes(self.trainings.pack)

    @cached_property
    def real_logits(self) -> np.ndarray:
        """The judge on the test faces, `[N, K]`."""
        return self.judge.predict(self.faces.images)[0]

    @cached_property
    def real_features(self) -> np.ndarray:
        """The judge's features of the test faces, `[N, F]`."""
        return self.judge.predict(self.faces.images)[1]

    def model(self, name: str) -> FaceModel:
        """A model with both networks of ours: one of the four settings, or ACGAN."""
        if name == OURS:
            return self.ours
        return FaceModel.load(self.trainings.run(name), device=self.ours.device.type)

    def conditional_gan(self, name: str) -> ConditionalGenerator:
        """CGAN or DCGAN."""
        run = self.trainings.run(name)
        assert name in (CGAN, DCGAN)
        return load_conditional_gan(run, self.ours.device)

    def translator(self, attribute: str) -> Translator:
        """The CycleGAN of an attribute."""
        return load_translator(self.trainings.run(cyclegan_name(attribute)), self.ours.device)

    def reconstruct(self, name: str) -> np.ndarray:
        """The test faces through a model, `[N, S, S, 3]` uint8."""
        return map_faces(self.model(name).reconstruct, self.faces.images, self.ours.device)


def evaluation_config(budget: Budget, seed: int) -> EvaluationConfig:
    """How much is measured, and on which faces."""
    return EvaluationConfig(seed=seed, max_faces=budget.max_faces, num_fakes=budget.num_fakes)


def open_study(trainings: Trainings, embedder: Embedder | None, progress: Progress | None) -> Study:
    """Load our model and the test faces; train or load the judge; calibrate the embedder.

    Raises:
        InputError: If a file is unfit.
    """
    pack, budget = trainings.pack, trainings.budget
    config = evaluation_config(budget, trainings.seed)
    ours = FaceModel.load(trainings.run(OURS), device=trainings.runtime.device.type)
    faces = load_faces(pack, choose_rows(pack, config), ours)
    judge = train_or_load_judge(
        pack,
        trainings.folder / JUDGE_FILE,
        ours,
        images=budget.judge_images,
        progress=progress,
    )
    evaluation = Evaluation(ours, pack, faces, config, progress)
    identity_judge, calibration = calibrate_identity_judge(evaluation, embedder)
    reason = evaluation.absent.get("reconstruction.identity")
    absent = {} if reason is None else {"identity": reason}
    return Study(
        trainings, ours, faces, judge, identity_judge, calibration, absent, config, progress
    )

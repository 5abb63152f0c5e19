"""P18: Hamming loss of five contenders, and single predictions (Sec. 5.3.1, Fig. 4, Table 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twobirds.evaluation.faces import batches, to_tensor
from twobirds.evaluation.recognition import majority_labels, score_recognition
from twobirds.recipes.baselines.dcgan_svm import extract_features, fit_svms, load_svms, save_svms
from twobirds.recipes.baselines.recognizers import load_recognizer
from twobirds.reproduction.paired import Estimate, estimate
from twobirds.reproduction.plan import CNN, DCGAN, OURS, RECOGNIZER, RESNET
from twobirds.reproduction.study import Study

CONTENDERS = (OURS, DCGAN, CNN, RECOGNIZER, RESNET)
SHOWN = ("Bald", "Bangs", "Black_Hair", "Blond_Hair", "Eyeglasses", "Heavy_Makeup", "Male",
         "No_Beard", "Smiling", "Wavy_Hair", "Young")  # fmt: skip
"""Attributes of the table of single predictions, about those of the paper's Table 3."""
NUM_SHOWN_FACES = 3
SVM_FILE = "svms.safetensors"


@dataclass(frozen=True, eq=False)
class RecognitionResult:
    """What the contenders predict for the test faces."""

    scores: dict[str, dict[str, Any]]
    """By contender, as in the report of `evaluate`."""
    loss: dict[str, Estimate]
    """Hamming loss of each, a mean over people."""
    differences: dict[str, Estimate]
    """By how much the loss of each other contender exceeds ours."""
    shown: list[dict[str, Any]]
    """Single predictions."""
    num_svm_faces: int
    """Training faces that the SVMs were fitted on."""


def measure_recognition(study: Study) -> RecognitionResult:
    """Have every contender recognize every test face."""
    predicted = {name: _predict(study, name) for name in CONTENDERS}
    labels, names = study.faces.attributes, study.ours.attributes
    pack = study.trainings.pack
    majority = majority_labels(pack.attributes[pack.rows("train")])
    scores = {n: score_recognition(p, labels, majority, names) for n, p in predicted.items()}
    errors = {n: ((p > 0.5) != labels).mean(axis=1) for n, p in predicted.items()}  # [N]
    differences = {
        name: estimate(errors[name] - errors[OURS], study.people, seed=study.seed)
        for name in CONTENDERS
        if name != OURS
    }
    loss = {n: estimate(e, study.people, seed=study.seed) for n, e in errors.items()}
    shown = _single_predictions(study, predicted)
    return RecognitionResult(scores, loss, differences, shown, len(_svm_rows(study)))


def _predict(study: Study, name: str) -> np.ndarray:
    """Probabilities `[N, K]` that a contender predicts for the test faces."""
    if name == DCGAN:
        return _predict_by_svms(study)
    recognize: Callable[[Tensor], Tensor] = study.ours.recognize
    if name in (CNN, RECOGNIZER, RESNET):
        run = study.trainings.run(name)
        recognize = load_recognizer(run, study.ours.device)
    return _apply(study, recognize, study.faces.images)


def _predict_by_svms(study: Study) -> np.ndarray:
    """Recognize the test faces by SVMs on DCGAN's features, fitted once, kept beside DCGAN."""
    model, pack = study.conditional_gan(DCGAN), study.trainings.pack

    def extract(faces: Tensor) -> Tensor:
        return extract_features(model, faces)

    path = study.trainings.run(DCGAN) / SVM_FILE
    if not path.exists():
        rows = _svm_rows(study)
        features = _apply(study, extract, pack.images[rows])
        save_svms(fit_svms(features, pack.attributes[rows], progress=study.progress), path)
    decisions = load_svms(path).decide(_apply(study, extract, study.faces.images))
    probabilities: np.ndarray = 1 / (1 + np.exp(-decisions))  # above 1/2 where the plane says so
    return probabilities


def _svm_rows(study: Study) -> np.ndarray:
    """Rows `[N]` of the training faces for the SVMs, sampled by the seed."""
    rows = study.trainings.pack.rows("train")
    order = np.random.default_rng(study.seed).permutation(rows)
    return np.sort(order[: study.trainings.budget.svm_faces])


def _apply(study: Study, function: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
    """Send faces `[N, S, S, 3]` through a function to `[B, ...]`; `[N, ...]` comes out."""
    with torch.inference_mode():
        parts = [
            function(to_tensor(part, study.ours.device)).float().cpu().numpy()
            for part in batches(images)
        ]
    return np.concatenate(parts)


def _single_predictions(study: Study, predicted: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Truth and predictions of each contender, of the first faces in a random order."""
    order = np.random.default_rng([study.seed, 18]).permutation(len(study.faces))
    names = study.ours.attributes
    columns = [names.index(name) for name in SHOWN if name in names]
    rows = []
    for number, position in enumerate(order[:NUM_SHOWN_FACES].tolist(), 1):
        rows += [
            {
                "face": number,
                "pack_row": int(study.faces.rows[position]),
                "attribute": names[column],
                "truth": 2 * int(study.faces.attributes[position, column]) - 1,
                **{name: float(p[position, column]) for name, p in predicted.items()},
            }
            for column in columns
        ]
    return rows

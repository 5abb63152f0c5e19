"""Whether edited faces can be told from real ones, by a classifier trained for just that.

A classifier on features of a network that no training used learns to tell real faces that have an
attribute from edits that were given it. Its area under the ROC curve, over people that it was not
fitted on, is 0.5 where edits are as good as real, and 1 where each gives itself away.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from twobirds.evaluation.bootstrap import NUM_RESAMPLES, interval

NUM_FOLDS = 5
MIN_REALISM_FACES = 20
"""Faces of each kind, real and edited, below which there is no figure."""
MIN_REALISM_PEOPLE = 10
"""People among them: two for each fold."""


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of N faces, and whose faces they are."""

    features: np.ndarray
    """`[N, F]` float32."""
    people: np.ndarray
    """`[N]` int64, equal for faces of one person."""

    def __len__(self) -> int:
        return len(self.features)

    def take(self, chosen: np.ndarray) -> "FeatureSet":
        """Some of the faces, by positions or by a mask."""
        return FeatureSet(self.features[chosen], self.people[chosen])


@dataclass(frozen=True)
class Separability:
    """How well two sets of faces can be told apart."""

    auc: float
    """Area under the ROC curve in [0, 1]."""
    interval: list[float]
    """Its 95 % interval over people, [low, high]."""


def separability(real: FeatureSet, edited: FeatureSet, *, seed: int) -> Separability | None:
    """Cross-validate a logistic regression that tells edited faces from real ones.

    Features are standardized on the faces that a fold is fitted on; nobody is in two folds.

    Args:
        real: Faces that have an attribute.
        edited: Faces that were given it.
        seed: Of the folds and of the interval.

    Returns:
        None for fewer than `MIN_REALISM_FACES` faces or `MIN_REALISM_PEOPLE` people on one side.
    """
    if not (is_enough(real) and is_enough(edited)):
        return None
    features = np.concatenate([real.features, edited.features]).astype(np.float64)
    people = np.concatenate([real.people, edited.people])
    is_edited = np.repeat([False, True], [len(real), len(edited)])
    scores, folds = np.empty(len(features)), np.empty(len(features), np.int64)
    splitter = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=seed)
    for fold, (fitted, held_out) in enumerate(splitter.split(features, is_edited, people)):
        classifier = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1_000)
        )
        classifier.fit(features[fitted], is_edited[fitted])
        scores[held_out] = classifier.decision_function(features[held_out])
        folds[held_out] = fold
    return score_folds(scores, folds, is_edited, people, seed=seed)


def score_folds(
    scores: np.ndarray, folds: np.ndarray, is_edited: np.ndarray, people: np.ndarray, *, seed: int
) -> Separability:
    """Area under the ROC curve of held-out scores.

    Only faces of one fold are compared, as scores of two classifiers have no common scale. The
    interval resamples people, so that several faces of one person count as what they are.

    Args:
        scores: `[N]`, higher where a face looks edited.
        folds: `[N]`, by which classifier it was scored.
        is_edited: `[N]` bool.
        people: `[N]`, whose face it is.
        seed: Of the resampling.
    """
    edited, real = scores[is_edited, None], scores[None, ~is_edited]  # [E, 1] and [1, R]
    compared = (folds[is_edited, None] == folds[None, ~is_edited]).astype(np.float64)  # [E, R]
    wins = compared * ((edited > real) + 0.5 * (edited == real))
    unique, person = np.unique(people, return_inverse=True)
    rng = np.random.default_rng(seed)
    shares = np.full(len(unique), 1 / len(unique))
    weights = rng.multinomial(len(unique), shares, NUM_RESAMPLES)[:, person]  # [resamples, N]
    weights_edited, weights_real = weights[:, is_edited], weights[:, ~is_edited]
    totals = ((weights_edited @ compared) * weights_real).sum(axis=1)
    won = ((weights_edited @ wins) * weights_real).sum(axis=1)
    resampled = np.divide(won, totals, out=np.full(len(won), np.nan), where=totals > 0)
    return Separability(float(wins.sum() / compared.sum()), interval(resampled))


def is_enough(faces: FeatureSet) -> bool:
    """Whether there are enough faces, of enough people, for a figure."""
    num_people = len(np.unique(faces.people))
    return len(faces) >= MIN_REALISM_FACES and num_people >= MIN_REALISM_PEOPLE


def score_realism(
    real: FeatureSet, edited: FeatureSet, unedited: FeatureSet, *, seed: int
) -> dict[str, Any]:
    """Realism of the edits of one attribute, for the report.

    Args:
        real: Real faces that have the attribute, of another split than those that are edited.
        edited: Faces that were given it.
        unedited: Real faces that have it, of the split that is edited. How well they are told from
            `real` is the floor: what differs between the splits, and no edit can be blamed for.
        seed: Of folds and intervals.

    Returns:
        `auc` with its `interval`, and `real_floor`, each if there are enough faces; always
        `support`, the numbers of faces.
    """
    support = {"real": len(real), "edited": len(edited), "floor": len(unedited)}
    section: dict[str, Any] = {"support": support}
    found = separability(real, edited, seed=seed)
    if found is not None:
        section |= {"auc": found.auc, "interval": found.interval}
    floor = separability(real, unedited, seed=seed)
    if floor is not None:
        section["real_floor"] = floor.auc
    return section


def people_of(identity: np.ndarray) -> np.ndarray:
    """Numbers of people `[N]`, where a face of unknown identity (-1) is a person of its own."""
    unknown = identity < 0
    people: np.ndarray = np.where(unknown, -1 - np.arange(len(identity)), identity)
    return people

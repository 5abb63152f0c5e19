"""One attribute changed, as judge and embedder see it: what both comparisons of P20 need."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twobirds.data.attributes import excluded_by
from twobirds.evaluation.frechet import feature_statistics, frechet_distance
from twobirds.evaluation.identity import squared_distances
from twobirds.reproduction.paired import Estimate, estimate
from twobirds.reproduction.study import Study

SUCCESS, FLOOR, GAIN, DRIFT, DISTANCE, SAME_PERSON = (
    "success_rate",
    "floor_rate",
    "gain",
    "drift",
    "identity_distance",
    "same_person_rate",
)


@dataclass(frozen=True, eq=False)
class Change:
    """Faces before and after an attribute was changed, by one method."""

    attribute: str
    target: int
    before: np.ndarray
    """`[B, S, S, 3]` uint8."""
    after: np.ndarray
    """Likewise."""
    unedited: np.ndarray
    """What the method makes of `before` without a change, likewise."""
    people: np.ndarray
    """`[B]` int64, -1 where nobody is known."""


def measure_change(study: Study, change: Change) -> dict[str, np.ndarray]:
    """Each figure of each pair of faces, `[B]`.

    Success is whether the judge predicts the target, floor whether it does so on what the method
    makes without a change, and gain success less floor: a method that always generates bald men
    gains nothing. Drift is the mean change of the other attributes' logits from the face before,
    those that the target excludes left out; absent where there are no others.
    """
    names = list(study.ours.attributes)
    column = names.index(change.attribute)
    before, after, unedited = (
        study.judge.predict(images)[0] for images in (change.before, change.after, change.unedited)
    )
    changed = {change.attribute} | (excluded_by(change.attribute) if change.target else set())
    others = [k for k, name in enumerate(names) if name not in changed]
    success, floor = (
        ((logits[:, column] > 0) == change.target).astype(float) for logits in (after, unedited)
    )
    values = {SUCCESS: success, FLOOR: floor, GAIN: success - floor}
    if others:
        values[DRIFT] = np.abs(after - before)[:, others].mean(axis=1)
    judge = study.identity_judge
    if judge is not None:
        first, second = (
            judge.embedder.embed(images, judge.landmarks)
            for images in (change.before, change.after)
        )
        values[DISTANCE] = squared_distances(first, second)
        values[SAME_PERSON] = (values[DISTANCE] < judge.calibration.threshold).astype(float)
    return values


def estimates(
    values: Mapping[str, np.ndarray], people: np.ndarray, *, seed: int
) -> dict[str, Estimate]:
    """Each figure as a mean over people."""
    return {name: estimate(column, people, seed=seed) for name, column in values.items()}


def frechet_from_test_faces(study: Study, images: np.ndarray) -> float:
    """Fréchet distance of `[N, S, S, 3]` uint8 from the test faces, on the judge's features."""
    features = study.judge.predict(images)[1]
    return frechet_distance(feature_statistics(features), feature_statistics(study.real_features))

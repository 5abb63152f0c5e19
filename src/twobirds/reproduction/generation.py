"""P20: faces generated and changed with z held: ours, CGAN, ACGAN (Sec. 5.3.6, Fig. 9 (b))."""

from dataclasses import dataclass

import numpy as np

from twobirds.data.attributes import resolve_conflicts
from twobirds.evaluation.bootstrap import interval
from twobirds.evaluation.faces import Decoder
from twobirds.evaluation.frechet import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    frechet_distances,
)
from twobirds.evaluation.generation import generate_images
from twobirds.reproduction.changes import GAIN, Change, estimates, measure_change
from twobirds.reproduction.paired import Estimate, estimate
from twobirds.reproduction.plan import ACGAN, CGAN, OURS
from twobirds.reproduction.study import Study

METHODS = (CGAN, ACGAN, OURS)
MAX_CHANGED = 500
"""Generated faces for each attribute, if the budget allows so many fakes."""
_FRECHET_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class GenerationResult:
    """What the three methods generate."""

    figures: dict[tuple[str, str], dict[str, Estimate]]
    """By attribute and method."""
    gains: dict[str, Estimate]
    """By method: how far its changes are seen, all attributes together."""
    differences: dict[tuple[str, str], Estimate]
    """By figure and other method: ours less the other, all attributes together."""
    frechet: dict[str, float]
    """By method, of faces with the test faces' attributes, on the judge's features."""
    frechet_differences: dict[tuple[str, str], Estimate]
    """By two methods: the distance of the first less that of the second."""
    num_fakes: int
    """Faces behind `frechet`."""


def measure_generation(study: Study) -> GenerationResult:
    """Generate with each method from the same z and attributes, before and after each change."""
    figures: dict[tuple[str, str], dict[str, Estimate]] = {}
    values: dict[str, list[dict[str, np.ndarray]]] = {method: [] for method in METHODS}
    features = {}
    asked = asked_attributes(study, study.config.num_fakes)
    num_changed = min(MAX_CHANGED, study.config.num_fakes)
    for method in METHODS:
        decoder = decoder_of(study, method)
        fakes = generate_images(decoder, asked, seed=study.seed)
        features[method] = study.judge.predict(fakes)[1]
        for attribute in study.compared:
            change = generate_change(study, decoder, attribute, num_changed)
            measured = measure_change(study, change)
            values[method].append(measured)
            figures[attribute, method] = estimates(measured, change.people, seed=study.seed)
    people = np.tile(np.arange(num_changed), len(study.compared))  # the same z each time
    gains = {
        method: estimate(np.concatenate([v[GAIN] for v in found]), people, seed=study.seed)
        for method, found in values.items()
        if found
    }
    differences = {}
    for other in (CGAN, ACGAN):
        for key in _shared_figures(values[OURS]):
            ours, theirs = (np.concatenate([v[key] for v in values[m]]) for m in (OURS, other))
            differences[key, other] = estimate(ours - theirs, people, seed=study.seed)
    real = feature_statistics(study.real_features)
    frechet = {m: frechet_distance(feature_statistics(f), real) for m, f in features.items()}
    return GenerationResult(
        figures,
        gains,
        differences,
        frechet,
        _frechet_differences(features, frechet, real, seed=study.seed),
        len(asked),
    )


def _shared_figures(values: list[dict[str, np.ndarray]]) -> list[str]:
    """The figures that every attribute has."""
    return [key for key in values[0] if all(key in v for v in values)] if values else []


def _frechet_differences(
    features: dict[str, np.ndarray],
    frechet: dict[str, float],
    real: FeatureStatistics,
    *,
    seed: int,
) -> dict[tuple[str, str], Estimate]:
    """How much farther one method is from real faces than another, over resampled z.

    Resampling makes both distances larger by about the same, and hardly changes the difference.

    Args:
        features: By method, `[N, F]`, in the order of the same z.
        frechet: By method, the distance of all of them.
        real: Of the real faces.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    (count,) = {len(values) for values in features.values()}
    picks = rng.integers(count, size=(_FRECHET_RESAMPLES, count))
    resampled = {
        method: np.array(frechet_distances((feature_statistics(f[p]) for p in picks), real))
        for method, f in features.items()
    }
    return {
        (a, b): Estimate(frechet[a] - frechet[b], (low, high), count, count)
        for a, b in ((CGAN, OURS), (ACGAN, OURS), (CGAN, ACGAN))
        for low, high in [interval(resampled[a] - resampled[b])]
    }


def decoder_of(study: Study, method: str) -> Decoder:
    """What generates, by method."""
    return study.conditional_gan(method) if method == CGAN else study.model(method)


def asked_attributes(study: Study, count: int) -> np.ndarray:
    """Attribute rows of random test faces, `[count, K]` 0/1."""
    picks = np.random.default_rng([study.seed, 21]).integers(len(study.faces), size=count)
    return study.faces.attributes[picks]


def generate_change(study: Study, decoder: Decoder, attribute: str, count: int) -> Change:
    """Faces without an attribute, and those of the same z and other attributes with it."""
    names = list(study.ours.attributes)
    without = asked_attributes(study, count).copy()
    without[:, names.index(attribute)] = 0
    changed = without.copy()
    changed[:, names.index(attribute)] = 1
    changed = resolve_conflicts(changed, names, [attribute])
    before, after = (generate_images(decoder, rows, seed=study.seed) for rows in (without, changed))
    return Change(attribute, 1, before, after, before, np.full(count, -1))

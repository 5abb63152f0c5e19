"""P20: real faces changed by ours and by CycleGAN (Sec. 5.3.4, Fig. 9 (a))."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import Tensor

from twobirds.evaluation.faces import map_faces
from twobirds.reproduction.changes import (
    Change,
    estimates,
    frechet_from_test_faces,
    measure_change,
)
from twobirds.reproduction.paired import Estimate
from twobirds.reproduction.plan import OURS
from twobirds.reproduction.study import Study

CYCLEGAN = "cyclegan"
METHODS = (OURS, CYCLEGAN)
MAX_FACES = 300
"""Maximum number of faces for each attribute and direction."""
Edit = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class TransformationResult:
    """What both methods made of the test faces."""

    figures: dict[tuple[str, int, str], dict[str, Estimate]]
    """By attribute, target (1 added, 0 removed) and method."""
    differences: dict[tuple[str, int], dict[str, Estimate]]
    """By attribute and target, and figure: ours less CycleGAN."""
    frechet: dict[str, float]
    """By method, of all the faces it changed, on the judge's features."""
    num_changed: int
    """How many those are."""


def measure_transformation(study: Study) -> TransformationResult:
    """Add and remove each compared attribute on test faces, by both methods."""
    figures: dict[tuple[str, int, str], dict[str, Estimate]] = {}
    differences: dict[tuple[str, int], dict[str, Estimate]] = {}
    changed: dict[str, list[np.ndarray]] = {method: [] for method in METHODS}
    for attribute, target in itertools.product(study.compared, (1, 0)):
        positions = changeable(study, attribute, target)
        if not len(positions):
            continue
        before, people, values = study.faces.images[positions], study.people[positions], {}
        idle = {
            OURS: study.ours.reconstruct,
            # To the domain that a face is in already, which the identity loss is about.
            CYCLEGAN: edits(study, attribute, 1 - target)[CYCLEGAN],
        }
        for method, edit in edits(study, attribute, target).items():
            after = map_faces(edit, before, study.ours.device)
            unedited = map_faces(idle[method], before, study.ours.device)
            change = Change(attribute, target, before, after, unedited, people)
            values[method] = measure_change(study, change)
            figures[attribute, target, method] = estimates(values[method], people, seed=study.seed)
            changed[method].append(after)
        gaps = {key: ours - values[CYCLEGAN][key] for key, ours in values[OURS].items()}
        differences[attribute, target] = estimates(gaps, people, seed=study.seed)
    images = {method: np.concatenate(parts) for method, parts in changed.items() if parts}
    frechet = {method: frechet_from_test_faces(study, faces) for method, faces in images.items()}
    return TransformationResult(figures, differences, frechet, len(images.get(OURS, ())))


def edits(study: Study, attribute: str, target: int) -> dict[str, Edit]:
    """What changes an attribute, by method."""
    changes = {attribute: float(target)}
    return {
        OURS: partial(study.ours.edit, changes=changes),
        CYCLEGAN: partial(study.translator(attribute).edit, changes=changes),
    }


def changeable(study: Study, attribute: str, target: int) -> np.ndarray:
    """Positions `[B]` of test faces without the target, the first in an order from the seed."""
    column = list(study.ours.attributes).index(attribute)
    order = np.random.default_rng([study.seed, 20]).permutation(len(study.faces))
    positions: np.ndarray = order[study.faces.attributes[order, column] == 1 - target]
    return positions[:MAX_FACES]

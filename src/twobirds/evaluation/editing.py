"""Which edits of which faces are made, and what is kept of each (P4, Sec. 5.3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twobirds.data.attributes import EDITED_BY_ATTGAN, excluded_by
from twobirds.evaluation.judges import Predictions

CLOSELY_JUDGED = (*EDITED_BY_ATTGAN, "Smiling", "Wearing_Hat")
"""Attributes whose edits the second judge sees, and whose realism is measured."""
_IDENTITY_FACES = 40  # of each edit, how many are embedded
_TRUTH_FACES = 20  # of each edit, how many are rendered again


@dataclass(frozen=True, eq=False)
class PlannedEdit:
    """One attribute to switch in one direction on B faces that lack the target."""

    attribute: int
    target: int
    positions: np.ndarray
    """`[B]` int64, which faces, in random order."""

    def embedded(self, positions: np.ndarray) -> np.ndarray:
        """Which of `positions` are compared with their sources by the embedder, a mask."""
        return np.isin(positions, self.positions[:_IDENTITY_FACES])

    def rendered(self, positions: np.ndarray) -> np.ndarray:
        """Which of `positions` are compared with their true answers, a mask."""
        return np.isin(positions, self.positions[:_TRUTH_FACES])


@dataclass(frozen=True, eq=False)
class PlannedCombination:
    """Several attributes to reverse at once, of each face others (Fig. 7)."""

    changes: dict[int, dict[int, int]]
    """Targets by attribute, by position of the face, in random order."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One attribute switched in one direction on B faces that lacked the target."""

    attribute: int
    target: int
    positions: np.ndarray
    """`[B]` int64, which faces, ascending."""
    predictions: Predictions
    """Of the judges on the edited faces."""
    distances: np.ndarray
    """`[b]` identity distances from the source; empty without an identity judge."""
    truth_psnr_db: np.ndarray
    """`[t, 3]` against the true answer: edit, unedited output, source; empty without one."""


def plan_edits(attributes: np.ndarray, *, faces_per_edit: int, seed: int) -> list[PlannedEdit]:
    """Add every attribute to faces without it, and remove it from faces with it.

    Args:
        attributes: `[N, K]` 0/1, the labels.
        faces_per_edit: Maximum number of faces for each; the first that apply in one random order.
        seed: Of the order.

    Returns:
        Up to 2 K edits; those that no face allows are left out.
    """
    order = np.random.default_rng(seed).permutation(len(attributes))
    edits = []
    for attribute in range(attributes.shape[1]):
        labels = attributes[order, attribute]
        for target in (1, 0):
            positions = order[labels == 1 - target][:faces_per_edit]
            if len(positions):
                edits.append(PlannedEdit(attribute, target, positions))
    return edits


def plan_combination(
    names: Sequence[str],
    attributes: np.ndarray,
    num_changes: int,
    *,
    max_faces: int,
    seed: int,
    among: Sequence[str] | None = None,
) -> PlannedCombination:
    """Choose several attributes to reverse at once, for each face others.

    Args:
        names: The K attributes.
        attributes: `[N, K]` 0/1, the labels.
        num_changes: How many at a time.
        max_faces: Maximum number of faces.
        seed: Of the choice.
        among: Attributes to choose from; all by default.

    Returns:
        Only faces that have as many attributes with both values.
    """
    rng = np.random.default_rng([seed, num_changes])
    planned: dict[int, dict[int, int]] = {}
    for position in rng.permutation(len(attributes))[:max_faces]:
        changes = choose_changes(names, attributes, int(position), num_changes, rng, among=among)
        if len(changes) == num_changes:
            planned[int(position)] = changes
    return PlannedCombination(planned)


def choose_changes(
    names: Sequence[str],
    attributes: np.ndarray,
    position: int,
    num_changes: int,
    rng: np.random.Generator,
    *,
    among: Sequence[str] | None = None,
) -> dict[int, int]:
    """Attributes of one face to reverse, with their targets; none contradicts another.

    Only attributes of which the faces have both values are taken, and of these those of `among`.
    """
    varied = np.flatnonzero((attributes.min(axis=0) == 0) & (attributes.max(axis=0) == 1))
    varied = np.array([k for k in varied if among is None or names[int(k)] in among], np.int64)
    changes: dict[int, int] = {}
    for attribute in rng.permutation(varied):
        target = 1 - int(attributes[position, attribute])
        added = {names[k] for k, value in changes.items() if value}
        if len(changes) < num_changes and not (target and excluded_by(names[attribute]) & added):
            changes[int(attribute)] = target
    return changes

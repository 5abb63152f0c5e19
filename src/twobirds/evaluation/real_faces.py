"""Real faces that edits are compared with: those of the train split that have an attribute."""

from dataclasses import dataclass

import numpy as np
import torch

from twobirds.evaluation.editing import CLOSELY_JUDGED
from twobirds.evaluation.faces import attribute_columns, batches
from twobirds.evaluation.judges import Judges
from twobirds.evaluation.realism import FeatureSet, people_of
from twobirds.evaluation.run import Evaluation

NO_REAL_FACES = "no face of the train split that is not evaluated has one of the attributes"
"""Why something is absent where there are no real faces."""


@dataclass(frozen=True, eq=False)
class RealFaces:
    """N training faces that have at least one of the closely judged attributes, in random order.

    The train split is taken because a small split has too few people with a rare attribute.
    """

    faces: FeatureSet
    attributes: np.ndarray
    """`[N, K]` uint8 0/1, their labels in the model's order."""

    def having(self, attribute: int, limit: int) -> FeatureSet:
        """At most `limit` faces that have an attribute."""
        return self.faces.take(np.flatnonzero(self.attributes[:, attribute] == 1)[:limit])


def load_real_faces(run: Evaluation, judges: Judges) -> RealFaces | None:
    """Sample faces for each closely judged attribute and show each face to the network once.

    Each attribute gets as many as are edited at most, none of them evaluated on.

    Returns:
        None if there are none.
    """
    labels = run.pack.attributes[run.train_rows][:, attribute_columns(run.pack, run.model)]
    order = np.random.default_rng(run.config.seed).permutation(len(labels))
    is_chosen = np.zeros(len(labels), bool)
    for column, name in enumerate(run.model.attributes):
        if name in CLOSELY_JUDGED:
            have = order[labels[order, column] == 1]
            is_chosen[have[: run.config.faces_per_edit]] = True
    chosen = order[is_chosen[order]]
    if not len(chosen):
        return None
    rows = run.train_rows[chosen]
    images = (torch.from_numpy(run.load_images(part)) for part in batches(rows))
    faces = FeatureSet(judges.realism_features(images), people_of(run.pack.identity)[rows])
    return RealFaces(faces, labels[chosen])

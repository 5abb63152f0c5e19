"""One evaluation under way: the model, the faces, and what could not be had."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from twobirds.data.pack import Pack
from twobirds.evaluation.faces import (
    EvaluatedModel,
    FaceSet,
    Progress,
    attribute_columns,
    resize,
)
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.evaluation.recognition import majority_labels


@dataclass(eq=False)
class Evaluation:
    """One evaluation under way."""

    model: EvaluatedModel
    pack: Pack
    faces: FaceSet
    """The real faces, N of them."""
    config: EvaluationConfig
    progress: Progress | None
    absent: dict[str, str] = field(default_factory=dict)
    """What could not be had, and why."""

    def note_missing(
        self, name: str, section: Mapping[str, Any], reasons: Mapping[str, str]
    ) -> None:
        """Say of each figure that a section lacks why it could not be had."""
        for key, reason in reasons.items():
            if key not in section:
                self.absent[f"{name}.{key}"] = reason

    @cached_property
    def train_rows(self) -> np.ndarray:
        """Rows `[M]` of the train split that are not evaluated on, ascending."""
        return np.setdiff1d(self.pack.rows("train"), self.faces.rows)

    def sample_train_rows(self, count: int) -> np.ndarray:
        """At most `count` random ones of `train_rows`, ascending."""
        order = np.random.default_rng(self.config.seed).permutation(self.train_rows)
        return np.sort(order[:count])

    def load_images(self, rows: np.ndarray) -> np.ndarray:
        """Faces of the pack at the model's size, `[N, S, S, 3]` uint8."""
        return resize(self.pack.images[rows], self.model.size)

    def majority(self) -> np.ndarray:
        """The majority label of each attribute on the train split, `[K]`."""
        labels = self.pack.attributes[self.pack.rows("train")]
        return majority_labels(labels[:, attribute_columns(self.pack, self.model)])

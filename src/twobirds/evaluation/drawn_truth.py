"""The true answers to edits of drawn faces: the same person, rendered with the change."""

from functools import cache

import numpy as np

from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import (
    DRAWN_ATTRIBUTES,
    attribute_visibility,
    counterfactuals,
    face_index,
    sample_faces,
)
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.faces import FaceSet, resize

NUM_MOST_VISIBLE = 10


class DrawnTruth:
    """Renders the faces of a pack again."""

    def __init__(self, pack: Pack, faces: FaceSet) -> None:
        """Find out which drawn faces these are.

        Raises:
            InputError: If the pack's labels are not those of the faces that its header names.
        """
        assert pack.drawn is not None
        self._seed, self._size = int(pack.drawn["seed"]), int(pack.drawn["size"])
        self._independent = bool(pack.drawn["independent"])
        self._out_size = faces.images.shape[1]
        self._indices = np.array([face_index(pack.names[row]) for row in faces.rows], np.int64)
        sampled = sample_faces(self._seed, self._indices, independent=self._independent)
        self._attributes = np.asarray(sampled.attributes)  # [N, D]
        for name in set(pack.attribute_names) & set(DRAWN_ATTRIBUTES):
            labels = pack.attributes[faces.rows, pack.attribute_names.index(name)]
            if not np.array_equal(labels, self._attributes[:, DRAWN_ATTRIBUTES.index(name)]):
                raise InputError(
                    f"{pack.path}: labels of {name} are not those of the drawn faces: make and "
                    "pack them again with this version"
                )

    def answers(self, positions: np.ndarray, name: str, target: int) -> np.ndarray:
        """Render some of the faces with one attribute set and contradictions resolved.

        Args:
            positions: `[B]`, which of the faces.
            name: A drawn attribute.
            target: 0 or 1.

        Returns:
            `[B, S, S, 3]` uint8 at the size of the faces given.
        """
        attributes = self._attributes[positions].copy()
        attributes[:, DRAWN_ATTRIBUTES.index(name)] = target
        attributes = resolve_conflicts(attributes, DRAWN_ATTRIBUTES, [name])
        images = counterfactuals(
            self._seed,
            self._indices[positions],
            attributes,
            self._size,
            independent=self._independent,
        )
        return resize(images, self._out_size)


@cache
def most_visible(names: tuple[str, ...], size: int) -> list[str]:
    """The ten attributes that change most of a drawn face, most visible first."""
    visibility = attribute_visibility([n for n in names if n in DRAWN_ATTRIBUTES], size)
    return sorted(visibility, key=lambda name: -visibility[name])[:NUM_MOST_VISIBLE]

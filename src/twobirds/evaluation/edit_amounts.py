"""How much of a change an edit of strength 1 makes: no more than real faces show.

An editor may exaggerate: skin whiter than that of any pale face. Each change is scaled down until
the model's recognizer is hardly surer of it on most edited faces than on most real faces that have
the value, and hardly sees it more often. A median leaves out the real faces whose labels are wrong:
matched to a mean, glasses turned translucent (docs/logbook/modern.md). But real fringes vary, and
edits that all have the median's are recognized on more faces: so rates are compared, too. A rate of
20 real faces has a standard error of 0.1, so rare values may be limited by chance.
"""

from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from twobirds.api import FaceModel
from twobirds.api.encoded import EncodedFaces
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.faces import Progress, load_faces, to_tensor
from twobirds.models.files import require_weights

_MAX_FACES = 2_000  # encoded
_NUM_EDITED = 96  # of each change
_MIN_REAL = 20  # real faces with the value: fewer say little, and the change keeps its amount
_MIN_EDITED = 8
_MARGIN = 0.05  # of probability or rate, by which edits may exceed real faces
_MIN_AMOUNT = 0.3
_NUM_HALVINGS = 4  # of the range of amounts: to 0.05


def limit_edits(
    model: FaceModel, pack: Pack, *, seed: int = 0, progress: Progress | None = None
) -> dict[tuple[str, int], float]:
    """Set the amounts of a model's edits, on faces of a pack's valid split.

    Args:
        model: Its amounts are set.
        pack: Labelled faces with the model's attributes.
        seed: Of the choice of faces.
        progress: Called with the name of the step, how much of it is done, and of how much.

    Returns:
        The amounts below 1, by attribute and the value that it is changed to.

    Raises:
        InputError: If the model's edits have no amounts, the model is ONNX files, or the pack has
            too few valid faces or other attributes.
    """
    require_weights(model.trained)
    amounts = model.networks.edit_amounts()
    if amounts is None:
        raise InputError(
            f"edits of recipe {model.config.recipe.name} have no amounts to limit: its networks "
            "generate the edited pixels in one step"
        )
    rows = np.random.default_rng(seed).permutation(pack.rows("valid"))[:_MAX_FACES]
    if len(rows) < _MIN_REAL:
        raise InputError(
            f"{pack.path} has {len(rows)} valid faces, and limiting edits takes {_MIN_REAL} or "
            "more: give a pack with a larger valid split"
        )
    faces = load_faces(pack, np.sort(rows), model)
    amounts.fill_(1)
    encoded = model.encode_faces(to_tensor(faces.images))
    labels, sees = torch.from_numpy(faces.attributes), encoded.attributes
    found = dict[tuple[str, int], float]()
    changes = [(column, value) for column in range(len(model.attributes)) for value in (1, 0)]
    for done, (column, value) in enumerate(changes):
        has, lacks = labels[:, column] == value, torch.nonzero(labels[:, column] != value)[:, 0]
        if has.sum() >= _MIN_REAL and len(lacks) >= _MIN_EDITED:
            real = _Sureness.of(sees[has, column], value)
            name, chosen = model.attributes[column], encoded.select(lacks[:_NUM_EDITED].tolist())
            amount = _limit(model, chosen, amounts[value], column, value, real)
            if amount < 1:
                found[name, value] = amount
        if progress is not None:
            progress("limiting edits", done + 1, len(changes))
    return found


def _limit(
    model: FaceModel,
    faces: EncodedFaces,
    amounts: Tensor,
    column: int,
    value: int,
    real: "_Sureness",
) -> float:
    """Lower the amount of one change until edits are hardly more like it than real faces are."""

    def exceeds(amount: float) -> bool:
        amounts[column] = amount
        edited = faces.edit({model.attributes[column]: value})
        found = _Sureness.of(model.recognize(edited)[:, column], value)
        return found.median > real.median + _MARGIN or found.rate > real.rate + _MARGIN

    if not exceeds(1.0):
        return 1.0
    low, high = _MIN_AMOUNT, 1.0
    for _ in range(_NUM_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if exceeds(middle) else (middle, high)
    amounts[column] = low
    return low


class _Sureness(NamedTuple):
    """How sure a recognizer is of a value."""

    median: float
    """Of its probability."""
    rate: float
    """Share of the faces in which it sees the value."""

    @classmethod
    def of(cls, probabilities: Tensor, value: int) -> Self:
        """Of faces' probabilities `[B]` of the attribute."""
        sure = probabilities if value else 1 - probabilities
        return cls(float(sure.median()), float((sure > 0.5).float().mean()))

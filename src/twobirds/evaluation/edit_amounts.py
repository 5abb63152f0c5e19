"""How much of a change an edit of strength 1 makes: no more than real faces show.

First the mixture of editor and prototype is chosen for each change (`edit_blends`). An edit may
still exaggerate: skin whiter than that of any pale face. So each is scaled down until the model's
recognizer is hardly surer of it on most edited faces than on most real faces that have the value,
and hardly sees it more often. A median leaves out the real faces whose labels are wrong: matched to
a mean, glasses turned translucent (docs/logbook/modern.md). But real fringes vary, and edits that
all have the median's are recognized on more faces: so rates are compared, too. A rate of 20 real
faces has a standard error of 0.1, so rare values may be limited by chance.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from twobirds.api import FaceModel
from twobirds.api.encoded import EncodedFaces
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.edit_blends import (
    BLENDS,
    UNBLENDED,
    Blend,
    RealnessJudge,
    choose_blend,
)
from twobirds.evaluation.faces import Progress, load_faces, to_tensor
from twobirds.evaluation.realism import people_of
from twobirds.models.files import require_weights
from twobirds.models.networks import EditAmounts

_MAX_FACES = 2_000  # encoded
_MAX_REAL = 200  # real faces that edits are told apart from
_NUM_EDITED = 64  # of each change
_MIN_REAL = 20  # real faces with the value: fewer say little, and the change keeps its amount
_MIN_EDITED = 8
_MARGIN = 0.05  # of probability or rate, by which edits may exceed real faces
_MIN_AMOUNT = 0.3
_NUM_HALVINGS = 4  # of the range of amounts: to 0.05


def tune_edits(
    model: FaceModel, pack: Pack, *, seed: int = 0, progress: Progress | None = None
) -> dict[tuple[str, int], Blend]:
    """Set the amounts of a model's edits, on faces of a pack's valid split.

    Where fewer than 20 of the faces have the value or fewer than 8 lack it, the editor makes the
    whole change. It is limited without a blend for `UNBLENDED` attributes, where the recognizer
    sees the value on less than a fifth of the real faces, and where fewer than 20 faces or 10
    people on either side leave realism unknown.

    Args:
        model: Its amounts are set.
        pack: Labelled faces with the model's attributes.
        seed: Of the choice of faces, and of the folds.
        progress: Called with the name of the step, how much of it is done, and of how much.

    Returns:
        What is not the whole change by the editor alone, by attribute and the value that it is
        changed to.

    Raises:
        InputError: If the model's edits have no amounts, the model is ONNX files, the pack has too
            few valid faces or other attributes, or the package with the weights of
            EfficientNet-lite0 is not installed.
    """
    amounts = _amounts_of(model)
    random = np.random.default_rng(seed)
    rows = random.permutation(pack.rows("valid"))[:_MAX_FACES]
    if len(rows) < _MIN_REAL:
        raise InputError(
            f"{pack.path} has {len(rows)} valid faces, and tuning edits takes {_MIN_REAL} or "
            "more: give a pack with a larger valid split"
        )
    faces = load_faces(pack, np.sort(rows), model)
    images, labels = to_tensor(faces.images), torch.from_numpy(faces.attributes)
    judge = RealnessJudge(images, people_of(pack.identity[faces.rows]), seed=seed)
    amounts.editor.fill_(1)
    amounts.prototypes.fill_(0)
    encoded = model.encode_faces(images)
    shuffled = torch.from_numpy(random.permutation(len(rows)))
    found = dict[tuple[str, int], Blend]()
    # Removals first: an addition also removes what it contradicts, by the amounts found for that.
    changes = [(column, value) for value in (0, 1) for column in range(len(model.attributes))]
    for done, (column, value) in enumerate(changes):
        has = shuffled[labels[shuffled, column] == value]
        lacks = shuffled[labels[shuffled, column] != value][:_NUM_EDITED]
        if len(has) >= _MIN_REAL and len(lacks) >= _MIN_EDITED:
            real = _Sureness.of(encoded.attributes[has, column], value)
            faces_to_edit = encoded.select(lacks.tolist())
            change = _Change(model, amounts, faces_to_edit, column, value, real)
            blend, name = BLENDS[0], model.attributes[column]
            if name not in UNBLENDED:
                blend = change.blended(judge, lacks.numpy(), has[:_MAX_REAL].numpy())
            if (blend := change.limited(blend)) != BLENDS[0]:
                found[name, value] = blend
        if progress is not None:
            progress("tuning edits", done + 1, len(changes))
    return found


def _amounts_of(model: FaceModel) -> EditAmounts:
    require_weights(model.trained)
    amounts = model.networks.edit_amounts()
    if amounts is None:
        raise InputError(
            f"edits of recipe {model.config.recipe.name} have no amounts to set: its networks "
            "generate the edited pixels in one step"
        )
    return amounts


@dataclass(frozen=True, eq=False)
class _Change:
    """A change of one attribute, on faces that lack it."""

    model: FaceModel
    amounts: EditAmounts
    faces: EncodedFaces
    column: int
    value: int
    real: "_Sureness"
    """Of real faces that have the value."""

    def edited(self, blend: Blend) -> Tensor:
        """The edits by a blend, which is kept."""
        self.amounts.editor[self.value, self.column] = blend.editor
        self.amounts.prototypes[self.value, self.column] = blend.prototypes
        return self.faces.edit({self.model.attributes[self.column]: self.value})

    def sureness(self, edited: Tensor) -> "_Sureness":
        """How sure the recognizer is of edits."""
        return _Sureness.of(self.model.recognize(edited)[:, self.column], self.value)

    def blended(self, judge: RealnessJudge, sources: np.ndarray, real: np.ndarray) -> Blend:
        """The blend that suits the change, by places of its faces and of real ones."""
        return choose_blend(
            self.edited,
            lambda edited: self.sureness(edited).rate,
            lambda edited: judge.auc(edited, sources, real),
            real_rate=self.real.rate,
        )

    def limited(self, blend: Blend) -> Blend:
        """Scale a blend down until edits are hardly more like it than real faces; it is kept."""

        def exceeds(amount: float) -> bool:
            found = self.sureness(self.edited(blend.times(amount)))
            return (
                found.median > self.real.median + _MARGIN or found.rate > self.real.rate + _MARGIN
            )

        low, high = _MIN_AMOUNT, 1.0
        if not exceeds(high):
            return blend
        for _ in range(_NUM_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if exceeds(middle) else (middle, high)
        self.edited(blend.times(low))
        return blend.times(low)


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

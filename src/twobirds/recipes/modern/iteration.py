"""What an iteration of recipe `modern` makes of its inputs."""

from typing import NamedTuple

from torch import Tensor

from twobirds.recipes.modern.editor import EditorOutput
from twobirds.recipes.modern.inputs import EditBatch, Inputs
from twobirds.recipes.modern.rates import Rates


class Iteration(NamedTuple):
    """All that an update is a function of, beside the weights."""

    inputs: Inputs
    rates: Rates
    leads: bool
    """Whether D leads: editor and generator do not learn yet."""


class Edits(NamedTuple):
    """A batch of edits."""

    batch: EditBatch
    edited: Tensor
    """`[E, 3, H, W]`, about [-1, 1]."""
    output: EditorOutput
    """How they were made."""


class Faces(NamedTuple):
    """F generated faces, the first C of them reconstructions of the first C real ones."""

    real: Tensor
    """`[F, 3, H, W]` in [-1, 1]."""
    attributes: Tensor
    """`[F, K]` 0/1: labels of the real faces, which the fakes are to have too."""
    latents: Tensor
    """`[F, Z]` in [-1, 1]: encoded, or sampled."""
    fake: Tensor
    """`[F, 3, H, W]` in [-1, 1]."""
    num_reconstructed: int
    """C."""


class Seen(NamedTuple):
    """Frozen features of faces, fine to coarse, `[B, C_l, h_l, w_l]`."""

    real: list[Tensor]
    """Of real faces, without gradients."""
    fake: list[Tensor]
    """Of their edits or of generated faces, seen through the same views; gradients pass."""

"""The identity distance by an embedder's file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twobirds.errors import missing_extra

if TYPE_CHECKING:
    from torch import Tensor

    from twobirds.api import FaceModel

IdentityDistance = Callable[["Tensor", "Tensor"], "Tensor"]
"""Two batches of faces `[B, 3, S, S]` in [-1, 1] to their squared distances `[B]` in [0, 4]."""


def embedder_distance(path: Path, model: "FaceModel") -> IdentityDistance:
    """The distance of faces on a model's template, aligned as the embedder wants them.

    Args:
        path: The embedder.
        model: Whose faces are compared.

    Raises:
        InputError: If the file is no embedder, or the packages to run it are missing.
    """
    try:
        from twobirds.evaluation.embedder import Embedder
        from twobirds.evaluation.identity import identity_distance
    except ModuleNotFoundError as error:
        raise missing_extra("--embedder needs", "evaluate", error) from error
    from twobirds.photos.template import template_of

    return identity_distance(Embedder(path), template_of(model))

"""An edit of some faces, prepared for any strength."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from twobirds.api.edit_steps import composed_layers
from twobirds.api.parts import Part
from twobirds.api.rows import with_changes
from twobirds.api.search import EditFaces
from twobirds.models.edit_layers import EditLayers, apply_layers
from twobirds.models.networks import FaceNetworks

FaceLayers = tuple[EditLayers, float]
"""Layers of one face, `[1, C, h, w]` each, and their strength."""


class PartEdit(NamedTuple):
    """An edit of b faces; its layers do not depend on the strength."""

    at: EditFaces
    """The faces, edited."""
    layers: tuple[EditLayers, Tensor] | None
    """Layers `[b, C, h, w]`, and the strengths `[b]` that 1 stands for; None where the model's
    edits are pixels."""


def prepare_edit(
    networks: FaceNetworks, part: Part, changes: Mapping[str, float], names: Sequence[str]
) -> PartEdit:
    """Prepare the edit of some faces.

    Args:
        networks: The model's.
        part: The faces.
        changes: Target in [0, 1] for each attribute to change.
        names: The K attributes.

    Raises:
        InputError: If an attribute or a value is unfit.
    """
    images, has = part.images, part.has
    target = with_changes(has.cpu(), changes, names).to(images.device)  # [b, K]
    if not len(images):  # a convolution of no images is an error
        return PartEdit(lambda _: images.float(), None)
    layers = composed_layers(networks, images, has, target, names)
    if layers is None:
        return PartEdit(
            lambda strength: networks.edit(
                images, part.encoding, has, has + strength * (target - has)
            ).float(),
            None,
        )
    fields, whole = layers
    return PartEdit(
        lambda strength: apply_layers(images, fields, strength * whole).clamp(-1, 1).float(), layers
    )


def layers_by_face(
    edits: Iterable[PartEdit], strengths: Sequence[float]
) -> list[FaceLayers] | None:
    """The layers of each face; None of models whose edits are pixels.

    Args:
        edits: Of all faces.
        strengths: How much of the way to go, for each face.
    """
    found: list[FaceLayers] = []
    for edit in edits:
        if edit.layers is None:
            return None
        for row, whole in enumerate(edit.layers[1].tolist()):
            face = EditLayers(*(layer[row : row + 1].float().cpu() for layer in edit.layers[0]))
            found.append((face, whole * strengths[len(found)]))
    return found

"""An edit of a face, as it is asked for and as it is brought into a photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from twobirds.api import Edited, EncodedFaces, Limits
from twobirds.data.attributes import require_consistent
from twobirds.data.faces import to_pixels
from twobirds.data.provenance import listed_values
from twobirds.models.edit_layers import EditLayers, apply_layers, cover_of, enlarge
from twobirds.photos.patch import Patch

if TYPE_CHECKING:
    from twobirds.photos.align import Placement


@dataclass(frozen=True)
class EditRequest:
    """What to change of faces.

    Raises:
        InputError: If two attributes that exclude each other are set.
    """

    changes: Mapping[str, float]
    """Target in [0, 1] for each attribute to change."""
    strength: float = 1.0
    """How much of the way to go: 0 changes nothing, above 1 exaggerates."""
    limits: Limits | None = None
    """Search the strength until the recognizer agrees; None takes the strength above."""
    refine_steps: int = 0
    """Steps of optimizing the latents of each face first."""

    def __post_init__(self) -> None:
        """Refuse targets that no face has together."""
        require_consistent(self.changes)

    @property
    def details(self) -> str:
        """What the file says of the edit."""
        if self.limits is not None:
            return f"{listed_values(self.changes)} until {self.limits.until:g}"
        strength = f", strength {self.strength:g}" * (self.strength != 1.0)
        return listed_values(self.changes) + strength


class FaceEdit(Protocol):
    """An edit of one face, ready to be applied at any resolution."""

    @property
    def face(self) -> np.ndarray:
        """The edited face by itself, `[S, S, 3]` uint8."""
        ...

    def apply(
        self, pixels: np.ndarray, placement: "Placement", crop: np.ndarray | None = None
    ) -> Patch:
        """Edit a photo.

        Args:
            pixels: `[H, W, 3]` uint8 sRGB.
            placement: Where the face lies.
            crop: `[S, S, 3]` uint8: what `cut_face` cuts there, where it is at hand.

        Returns:
            The part of it that is edited.
        """
        ...


@dataclass(frozen=True, eq=False)
class ImageDifference:
    """The difference of two images that the model made of a face."""

    before: Tensor
    """`[3, S, S]` in [-1, 1]: with nothing changed."""
    after: Tensor
    """`[3, S, S]` in [-1, 1]: changed."""

    @property
    def face(self) -> np.ndarray:
        """The edited face by itself; see `FaceEdit`."""
        return to_pixels(self.after)

    def apply(
        self,
        pixels: np.ndarray,
        placement: "Placement",
        crop: np.ndarray | None = None,  # noqa: ARG002
    ) -> Patch:
        """Add the difference to a photo; see `FaceEdit`."""
        from twobirds.photos.paste import paste  # OpenCV: aligned faces do without it

        before, after = (
            image.detach().float().movedim(0, -1).cpu().numpy()
            for image in (self.before, self.after)
        )
        return paste(pixels, placement, before, after)


@dataclass(frozen=True, eq=False)
class LayeredEdit:
    """Flow, colour and paint, applied to the pixels of the photo itself."""

    before: Tensor
    """`[3, S, S]` in [-1, 1]: the face."""
    layers: EditLayers
    """At full strength, `[1, C, h, w]` each."""
    strength: float

    @property
    def face(self) -> np.ndarray:
        """The edited face by itself; see `FaceEdit`."""
        return self._applied(self.layers)

    def apply(
        self, pixels: np.ndarray, placement: "Placement", crop: np.ndarray | None = None
    ) -> Patch:
        """Do to a photo what was done to the face; see `FaceEdit`."""
        from twobirds.photos.layered import PhotoLayers, paste_layers  # OpenCV

        if not self.strength:
            return Patch(0, 0, pixels[:0, :0])
        size = placement.size
        flow, gain, offset, paint, alpha = (enlarge(x, size, size) for x in self.layers)
        cover = cover_of(alpha, self.strength)
        scaled = (
            flow * (self.strength * size / 2),
            gain * self.strength,
            offset * self.strength,
            paint * cover,
            alpha * cover,
        )
        photo_layers = PhotoLayers(*(x[0].movedim(0, -1).numpy() for x in scaled))
        return paste_layers(pixels, placement, photo_layers, crop)

    def stages(self) -> dict[str, np.ndarray]:
        """The face step by step: its source, moved, recoloured and painted; and the paint alone.

        Returns:
            `source`, `flow`, `colour` and `edited`, `[S, S, 3]` uint8; `paint`, `[S, S, 4]` uint8
            with its cover last.
        """
        none = EditLayers(*(torch.zeros_like(layer) for layer in self.layers))
        moved = none._replace(flow=self.layers.flow)
        recoloured = moved._replace(gain=self.layers.gain, offset=self.layers.offset)
        size = self.before.shape[-1]
        alpha, paint = (enlarge(x, size, size) for x in (self.layers.alpha, self.layers.paint))
        colours = to_pixels((paint / alpha.clamp(min=1 / 255)).clamp(-1, 1)[0])
        cover = (255 * alpha * cover_of(alpha, self.strength)).round().clamp(0, 255)
        opacity = cover[0, 0].byte().numpy()
        colours[opacity == 0] = 0  # viewers that ignore transparency show no noise there
        return {
            "source": self._applied(none),
            "flow": self._applied(moved),
            "colour": self._applied(recoloured),
            "edited": self.face,
            "paint": np.dstack([colours, opacity]),
        }

    def _applied(self, layers: EditLayers) -> np.ndarray:
        """The face after some layers, `[S, S, 3]` uint8."""
        strength = torch.tensor([self.strength])
        return to_pixels(apply_layers(self.before[None].cpu(), layers, strength).clamp(-1, 1)[0])


@dataclass(frozen=True, eq=False)
class FaceEdits:
    """Edits of some faces of a photo."""

    by_index: Mapping[int, FaceEdit]
    """By the face's index in the photo, from 0."""
    search: Edited | None = None
    """How the strengths were found, where they were searched for."""


def edit_faces(encoded: EncodedFaces, indices: tuple[int, ...], request: EditRequest) -> FaceEdits:
    """Edit some of the faces that were encoded.

    Raises:
        InputError: As `FaceModel.edit` and `FaceModel.edit_until`.
    """
    chosen = encoded.select(indices).refined(request.refine_steps)
    if request.limits is None:
        search, layers = None, chosen.edit_layers(request.changes, request.strength)
    else:
        search, layers = chosen.edit_layers_until(request.changes, request.limits)
    if layers is not None:
        faces = zip(indices, chosen.images, layers, strict=True)
        return FaceEdits({index: LayeredEdit(face, *made) for index, face, made in faces}, search)
    if search is not None:
        before, after = search.unedited, search.images
    else:
        before, after = chosen.before_and_after(request.changes, strength=request.strength)
    return FaceEdits(differences(indices, before, after), search)


def differences(
    indices: tuple[int, ...], before: Tensor, after: Tensor
) -> dict[int, ImageDifference]:
    """Pairs of images `[N, 3, S, S]` in [-1, 1] as edits, by the index of each face."""
    pairs = zip(indices, before, after, strict=True)
    return {index: ImageDifference(old, new) for index, old, new in pairs}


def mean_edit(edits: Sequence[FaceEdit], weights: Tensor) -> FaceEdit:
    """The weighted mean of edits of one face, as in neighbouring frames of a video.

    Args:
        edits: All of one kind.
        weights: `[N]` float32, which sum to 1.
    """

    def mean(fields: Sequence[Tensor]) -> Tensor:
        total: Tensor = torch.tensordot(weights, torch.stack(list(fields)), dims=1)
        return total

    layered = [edit for edit in edits if isinstance(edit, LayeredEdit)]
    if layered:
        layers = EditLayers(
            *(mean(field) for field in zip(*(e.layers for e in layered), strict=True))
        )
        strength = mean([torch.tensor(edit.strength) for edit in layered])
        return LayeredEdit(mean([edit.before for edit in layered]), layers, float(strength))
    pairs = [edit for edit in edits if isinstance(edit, ImageDifference)]
    before, after = ([edit.before for edit in pairs], [edit.after for edit in pairs])
    return ImageDifference(mean(before), mean(after))

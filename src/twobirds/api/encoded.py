"""Faces that a model has encoded once, to be recognized and edited any number of times."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from twobirds.api.part_edit import FaceLayers, PartEdit, layers_by_face, prepare_edit
from twobirds.api.parts import Part, decided_part, encoded_part
from twobirds.api.passes import device_of
from twobirds.api.refine import refine_latents
from twobirds.api.rows import require_count, require_known, require_strength, with_changes
from twobirds.api.search import (
    DEFAULT_LIMITS,
    Edited,
    Limits,
    Wish,
    as_limits,
    search_strength,
)
from twobirds.errors import InputError
from twobirds.models.networks import FaceNetworks
from twobirds.runtime import inference_batch_size

_MOST_KEPT = 256  # faces whose layers are kept: up to 0.8 MB each


class EncodedFaces:
    """B faces after one pass through the encoder; made by `FaceModel.encode_faces`.

    Args:
        networks: The model's.
        parts: The faces, at most `inference_batch_size` at a time.
        names: The K attributes.
    """

    def __init__(self, networks: FaceNetworks, parts: Sequence[Part], names: Sequence[str]) -> None:
        self._networks, self._parts, self._names = networks, tuple(parts), list(names)

    def __len__(self) -> int:
        return sum(len(part.images) for part in self._parts)

    @property
    def images(self) -> Tensor:
        """The faces themselves, `[B, 3, H, W]` float32 in [-1, 1] on the CPU."""
        return torch.cat([part.images.cpu() for part in self._parts])

    @property
    def latents(self) -> Tensor:
        """Latents, `[B, Z]` float32 in [-1, 1] on the CPU."""
        return torch.cat([part.latents.float().cpu() for part in self._parts])

    @property
    def attributes(self) -> Tensor:
        """Predicted probabilities, `[B, K]` float32 in [0, 1] on the CPU."""
        logits = [part.attribute_logits.float() for part in self._parts]
        return torch.cat([torch.sigmoid(part).cpu() for part in logits])

    def select(self, indices: Sequence[int]) -> "EncodedFaces":
        """Some of the faces, without encoding them again.

        Args:
            indices: At least one, in ascending order, from 0.
        """
        parts, start = [], 0
        for part in self._parts:
            rows = [i - start for i in indices if start <= i < start + len(part.images)]
            if rows:
                parts.append(part.rows(rows))
            start += len(part.images)
        return EncodedFaces(self._networks, parts, self._names)

    def with_attributes(self, probabilities: Tensor) -> "EncodedFaces":
        """The same faces, with attributes that were decided elsewhere, as from several pictures.

        Args:
            probabilities: `[K]` float32 in [0, 1], for all faces.
        """
        parts = [part.with_attributes(probabilities, self._networks) for part in self._parts]
        return EncodedFaces(self._networks, parts, self._names)

    def refined(self, steps: int) -> "EncodedFaces":
        """The same faces with latents optimized until an edit of nothing gives the face back.

        Raises:
            InputError: If the number of steps is negative or not a whole number, or the model's
                edits do not depend on latents.
        """
        require_count(steps, "refine_steps")
        if not steps:
            return self
        self._require_gradients()
        parts = [self._refined(part, steps) for part in self._parts]
        return EncodedFaces(self._networks, parts, self._names)

    @torch.no_grad()
    def edit(
        self,
        changes: Mapping[str, float],
        *,
        strength: float = 1.0,
        device: str | torch.device = "cpu",
    ) -> Tensor:
        """Change some attributes; see `FaceModel.edit`.

        Args:
            changes: Target in [0, 1] for each attribute to change.
            strength: How much of the way to go.
            device: Where the images are to be; that of the networks saves a copy.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1]; strength 0 changes nothing.
        """
        require_strength(strength)
        factor = float(strength)
        return torch.cat([edit.at(factor).to(device) for edit in self._edits(changes)])

    @torch.no_grad()
    def edit_layers(
        self, changes: Mapping[str, float], strength: float | Sequence[float] = 1.0
    ) -> list[FaceLayers] | None:
        """What `edit` does to each face, as operations that apply at any resolution.

        Args:
            changes: Target in [0, 1] for each attribute to change.
            strength: How much of the way to go, for all faces or for each.

        Returns:
            Of each face its layers, `[1, C, h, w]` each, and their strength; None of models whose
            edits are pixels.

        Raises:
            InputError: As `FaceModel.edit`.
        """
        count = sum(len(part.images) for part in self._parts)
        strengths = [strength] * count if isinstance(strength, int | float) else list(strength)
        for value in strengths:
            require_strength(value)
        return layers_by_face(self._edits(changes), strengths)

    def before_and_after(
        self, changes: Mapping[str, float], *, strength: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """What `edit` makes of no change and of the changes, twice `[B, 3, H, W]` in [-1, 1]."""
        require_strength(strength)
        before = self.edit(changes, strength=0.0)
        return before, self.edit(changes, strength=strength) if changes else before

    def reconstruct(self, *, refine_steps: int = 0, device: str | torch.device = "cpu") -> Tensor:
        """Reconstruct the faces from latents and attributes alone; see `FaceModel.reconstruct`.

        Args:
            refine_steps: Steps of optimizing each latent for its face first.
            device: Where the images are to be; that of the networks saves a copy.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].
        """
        require_count(refine_steps, "refine_steps")
        if refine_steps:
            self._require_gradients()
        parts = [self._reconstructed(part, refine_steps).to(device) for part in self._parts]
        return torch.cat(parts)

    def edit_until(
        self, changes: Mapping[str, float], limits: Limits | float = DEFAULT_LIMITS
    ) -> Edited:
        """Edit each face with the first strength at which the recognizer agrees.

        See `FaceModel.edit_until`. Edits in layers are computed once, for all strengths; those of
        many faces again for each, because their layers would fill the memory.
        """
        return self._search(changes, limits)[0]

    @torch.no_grad()
    def edit_layers_until(
        self, changes: Mapping[str, float], limits: Limits | float = DEFAULT_LIMITS
    ) -> tuple[Edited, list[FaceLayers] | None]:
        """What `edit_until` finds, and what `edit_layers` gives at the strengths found."""
        found, kept = self._search(changes, limits)
        return found, layers_by_face(kept or self._edits(changes), found.strength.tolist())

    @torch.no_grad()
    def _search(
        self, changes: Mapping[str, float], limits: Limits | float
    ) -> tuple[Edited, list[PartEdit] | None]:
        """What `edit_until` finds, and the edits of all parts; None of many faces."""
        limits = as_limits(limits)
        require_known(changes, self._names)
        columns = [self._names.index(name) for name in changes]
        has = torch.cat([part.has.cpu() for part in self._parts])
        target = with_changes(has, changes, self._names)
        kept = list(self._edits(changes)) if len(has) <= _MOST_KEPT else None

        def edit(strength: float) -> Tensor:
            edits = kept or self._edits(changes)
            return torch.cat([part.at(strength).cpu() for part in edits])

        def predict(images: Tensor) -> Tensor:
            return encode_faces(self._networks, images, self._names).attributes[:, columns]

        wish = Wish(has[:, columns], target[:, columns])
        return search_strength(edit, predict, wish, limits, self.images), kept

    def _edits(self, changes: Mapping[str, float]) -> Iterator[PartEdit]:
        """The edit of each part, prepared when it is asked for."""
        return (prepare_edit(self._networks, part, changes, self._names) for part in self._parts)

    def _require_gradients(self) -> None:
        if not self._networks.is_differentiable:
            raise InputError(
                "refine_steps needs gradients, which networks in ONNX files do not have: leave it "
                "out, or load the model that they were exported from"
            )

    def _refined(self, part: Part, steps: int) -> Part:
        def reconstruct(latents: Tensor) -> Tensor:
            changed = part.encoding._replace(latents=latents)
            return self._networks.edit(part.images, changed, part.has, part.has)

        latents = refine_latents(reconstruct, part.images, part.latents, steps=steps)
        return part.with_latents(latents)

    def _reconstructed(self, part: Part, steps: int) -> Tensor:
        latents, has = part.latents, part.has
        if steps:

            def reconstruct(latents: Tensor) -> Tensor:
                return self._networks.generate(latents, has)

            latents = refine_latents(reconstruct, part.images, latents, steps=steps)
        with torch.no_grad():
            return self._networks.generate(latents, has).float()


@torch.no_grad()
def encode_faces(
    networks: FaceNetworks,
    images: Tensor,
    names: Sequence[str],
    attributes: Tensor | None = None,
) -> EncodedFaces:
    """Encode faces, each once, in batches.

    Args:
        networks: The model's.
        images: `[B, 3, H, W]` in [-1, 1].
        names: The K attributes.
        attributes: `[K]` float32 in [0, 1]: probabilities that were decided elsewhere, as from
            other pictures of the same face, for all faces. Nothing is predicted then, and latents
            are computed only where they are asked for. None predicts them.
    """
    device = device_of(networks)
    parts = []
    for split in images.split(inference_batch_size(device)):  # one empty part of no faces
        there = split.to(device)
        if attributes is None:
            parts.append(encoded_part(there, networks))
        else:
            parts.append(decided_part(there, networks, attributes))
    return EncodedFaces(networks, parts, names)

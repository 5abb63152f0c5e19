"""Faces that a model has encoded once, to be recognized and edited any number of times."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from twobirds.api.edit_steps import composed_layers
from twobirds.api.passes import device_of
from twobirds.api.refine import refine_latents
from twobirds.api.rows import require_count, require_known, require_strength, with_changes
from twobirds.api.search import DEFAULT_LIMITS, Edited, Limits, Wish, as_limits, search_strength
from twobirds.errors import InputError
from twobirds.models.edit_layers import EditLayers, apply_layers
from twobirds.models.networks import Encoding, FaceNetworks
from twobirds.runtime import inference_batch_size


class _Part(NamedTuple):
    """At most `inference_batch_size` faces and their encoding, on the device of the networks."""

    images: Tensor
    """`[b, 3, H, W]` in [-1, 1]."""
    encoding: Encoding

    @property
    def has(self) -> Tensor:
        """`[b, K]` 0/1: the attributes that the recognizer predicts."""
        return (self.encoding.attribute_logits > 0).float()

    def rows(self, rows: Sequence[int]) -> "_Part":
        """Some of the faces."""
        latents, logits = self.encoding
        chosen = Encoding(latents[rows], logits[rows])
        return _Part(self.images[rows], chosen)


class EncodedFaces:
    """B faces after one pass through the encoder; made by `FaceModel.encode_faces`.

    Args:
        networks: The model's.
        parts: The faces, at most `inference_batch_size` at a time.
        names: The K attributes.
    """

    def __init__(
        self, networks: FaceNetworks, parts: Sequence[_Part], names: Sequence[str]
    ) -> None:
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
        return torch.cat([part.encoding.latents.float().cpu() for part in self._parts])

    @property
    def attributes(self) -> Tensor:
        """Predicted probabilities, `[B, K]` float32 in [0, 1] on the CPU."""
        logits = [part.encoding.attribute_logits.float() for part in self._parts]
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
        logits = torch.logit(probabilities, eps=1e-6)  # [K]
        parts = []
        for images, encoding in self._parts:
            decided = logits.to(encoding.attribute_logits).expand_as(encoding.attribute_logits)
            changed = encoding._replace(attribute_logits=decided)
            with torch.no_grad():
                latents = self._networks.encode_latents(images, changed)
            parts.append(_Part(images, changed._replace(latents=latents)))
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
        edited = []
        for images, encoding in self._parts:
            has = (encoding.attribute_logits > 0).float()
            target = with_changes(has.cpu(), changes, self._names).to(has.device)  # [b, K]
            wanted = has + float(strength) * (target - has)
            if not len(images):  # a convolution of no images is an error
                edited.append(images.float().to(device))
                continue
            layers = composed_layers(self._networks, images, has, wanted, self._names)
            if layers is None:
                changed = self._networks.edit(images, encoding, has, wanted)
            else:
                changed = apply_layers(images, *layers).clamp(-1, 1)
            edited.append(changed.float().to(device))
        return torch.cat(edited)

    @torch.no_grad()
    def edit_layers(
        self, changes: Mapping[str, float], strength: float | Sequence[float] = 1.0
    ) -> list[tuple[EditLayers, float]] | None:
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
        found: list[tuple[EditLayers, float]] = []
        for images, encoding in self._parts:
            has = (encoding.attribute_logits > 0).float()
            target = with_changes(has.cpu(), changes, self._names).to(has.device)  # [b, K]
            layers = composed_layers(self._networks, images, has, target, self._names)
            if layers is None:
                return None
            for row, whole in enumerate(layers[1].tolist()):
                face = EditLayers(*(layer[row : row + 1].float().cpu() for layer in layers[0]))
                found.append((face, whole * strengths[len(found)]))
        return found

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

        See `FaceModel.edit_until`.
        """
        limits = as_limits(limits)
        require_known(changes, self._names)
        columns = [self._names.index(name) for name in changes]
        has = torch.cat([part.has.cpu() for part in self._parts])
        target = with_changes(has, changes, self._names)

        def edit(strength: float) -> Tensor:
            return self.edit(changes, strength=strength)

        def predict(images: Tensor) -> Tensor:
            return encode_faces(self._networks, images, self._names).attributes[:, columns]

        wish = Wish(has[:, columns], target[:, columns])
        return search_strength(edit, predict, wish, limits, self.images)

    def _require_gradients(self) -> None:
        if not self._networks.is_differentiable:
            raise InputError(
                "refine_steps needs gradients, which networks in ONNX files do not have: leave it "
                "out, or load the model that they were exported from"
            )

    def _refined(self, part: _Part, steps: int) -> _Part:
        images, encoding = part

        def reconstruct(latents: Tensor) -> Tensor:
            changed = encoding._replace(latents=latents)
            return self._networks.edit(images, changed, part.has, part.has)

        latents = refine_latents(reconstruct, images, encoding.latents, steps=steps)
        return _Part(images, encoding._replace(latents=latents))

    def _reconstructed(self, part: _Part, steps: int) -> Tensor:
        latents, has = part.encoding.latents, part.has
        if steps:

            def reconstruct(latents: Tensor) -> Tensor:
                return self._networks.generate(latents, has)

            latents = refine_latents(reconstruct, part.images, latents, steps=steps)
        with torch.no_grad():
            return self._networks.generate(latents, has).float()


@torch.no_grad()
def encode_faces(networks: FaceNetworks, images: Tensor, names: Sequence[str]) -> EncodedFaces:
    """Encode faces `[B, 3, H, W]` in [-1, 1], each once, in batches."""
    device = device_of(networks)
    parts = []
    for part in images.split(inference_batch_size(device)):  # one empty part of no faces
        there = part.to(device)
        parts.append(_Part(there, networks.encode(there)))
    return EncodedFaces(networks, parts, names)

"""FaceModel: one trained model that recognizes, generates, rebuilds and edits faces (P1-P4)."""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from twobirds.config import RunConfig
from twobirds.data.attributes import resolve_conflicts, unknown_attribute
from twobirds.data.faces import Faces, to_images
from twobirds.errors import InputError
from twobirds.models.files import Trained, load_trained, push_trained, save_trained
from twobirds.runtime import keyed_generator, pick_device

BATCH_SIZE = 64
_LATENTS, _ROWS = 41, 42  # purposes of the random draws


class FaceModel:
    """A trained model, ready for use; make one with `FaceModel.load`.

    Wherever a method takes `faces`, they are aligned: a float32 tensor `[B, 3, H, W]` in [-1, 1],
    a PIL image or a list of them, or uint8 `[B, H, W, 3]`. Of others than squares the middle is
    taken, and other sizes than the model's are resampled. Everything returned lies on the CPU.

    Args:
        trained: The networks, their configuration and the bank of attribute rows.
        name: What to call the model in reports.
    """

    def __init__(self, trained: Trained, *, name: str = "model") -> None:
        self.trained, self.name = trained, name
        self.generator = trained.generator.eval().requires_grad_(False)
        self.discriminator = trained.discriminator.eval().requires_grad_(False)
        self.attribute_bank = trained.attribute_bank

    @classmethod
    def load(cls, source: str | Path, *, device: str = "auto") -> Self:
        """Load a model.

        Args:
            source: A shipped name such as `celeba64-paper`, a run folder, a model folder, a
                checkpoint file, or `hf://owner/name` for a model on the Hugging Face Hub.
            device: auto, cpu or cuda.

        Raises:
            InputError: If there is no such model, or its files are damaged.
        """
        chosen = pick_device(device)
        return cls(load_trained(source), name=Path(source).name).to(chosen)

    def save(
        self, folder: str | Path, *, half: bool = False, report: Mapping[str, Any] | None = None
    ) -> None:
        """Save the model as safetensors, config.json and a model card.

        Args:
            folder: Where to; replaced if it holds a model.
            half: Store weights as float16, half as large.
            report: Output of `evaluate` for the weights as stored, whose figures go into the card.

        Raises:
            InputError: If the folder holds anything but a model, or the report is about other
                weights; those of a model that `save` will round to float16 are others.
        """
        save_trained(self.trained, Path(folder), half=half, report=report)

    def push_to_hub(
        self,
        repository: str,
        *,
        half: bool = False,
        private: bool = True,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        """Upload the model to the Hugging Face Hub as `owner/name`; needs a token there.

        Args:
            repository: `owner/name`.
            half: Store weights as float16, half as large.
            private: Whether a new repository is for its owner only.
            report: Output of `evaluate` for the weights as stored, whose figures go into the card.

        Raises:
            InputError: If the Hub refuses or cannot be reached, or the report is about other
                weights.
        """
        push_trained(self.trained, repository, half=half, private=private, report=report)

    @property
    def config(self) -> RunConfig:
        """The run that trained the model."""
        return self.trained.config

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights."""
        return self.trained.weights_sha256

    @property
    def pack_sha256(self) -> str | None:
        """SHA-256 of the pack that it was trained on; None where that is not known."""
        return self.trained.pack_sha256

    @property
    def attributes(self) -> list[str]:
        """Names of the K attributes, in order."""
        return list(self.config.model.attributes)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.config.model.size

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.config.model.num_latents

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.generator.parameters()).device

    def to(self, device: str | torch.device) -> Self:
        """Move the networks; returns the model itself."""
        self.generator.to(device)
        self.discriminator.to(device)
        return self

    def recognize(self, faces: Faces) -> Tensor:
        """Probability of each attribute (P1), `[B, K]` float32 in [0, 1].

        Raises:
            InputError: If the faces have another type, shape, dtype or range.
        """
        return self.encode(faces)[1]

    @torch.no_grad()
    def encode(self, faces: Faces) -> tuple[Tensor, Tensor]:
        """Read faces: codes z~ `[B, Z]` in [-1, 1] and attributes `[B, K]` in [0, 1] (Sec. 3.1).

        Raises:
            InputError: If the faces have another type, shape, dtype or range.
        """
        latents, attributes = [], []
        for images in self._images(faces).split(BATCH_SIZE):
            output = self.discriminator(images.to(self.device))
            latents.append(output.latents.float().cpu())
            attributes.append(torch.sigmoid(output.attribute_logits.float()).cpu())
        return torch.cat(latents), torch.cat(attributes)

    def decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Draw faces from codes and attributes.

        Args:
            latents: `[B, Z]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]; to exaggerate, use `edit`.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If something is not a tensor, the shapes do not fit the model or each
                other, or a value is out of range or NaN.
        """
        for what, tensor, width, low in (
            ("latents", latents, self.num_latents, -1),
            ("attributes", attributes, len(self.attributes), 0),
        ):
            if not isinstance(tensor, Tensor):
                raise InputError(f"{what} must be a tensor, not {type(tensor).__name__}")
            if tensor.ndim != 2 or tensor.shape[1] != width or len(tensor) != len(latents):
                raise InputError(
                    f"{what} must have shape [B, {width}], with the same B for latents and "
                    f"attributes, not {list(tensor.shape)}"
                )
            outside = tensor[~((tensor >= low) & (tensor <= 1))]  # NaN too
            if len(outside):
                raise InputError(f"{what} must lie in [{low}, 1], but one is {outside[0]:.3g}")
        return self._decode(latents, attributes)

    @torch.no_grad()
    def _decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Draw faces, also from attributes beyond [0, 1]."""
        pairs = zip(latents.split(BATCH_SIZE), attributes.split(BATCH_SIZE), strict=True)
        images = [
            self.generator(z.float().to(self.device), c.float().to(self.device)).float().cpu()
            for z, c in pairs
        ]
        empty = torch.empty(0, 3, self.size, self.size)
        return torch.cat(images) if images else empty

    def reconstruct(self, faces: Faces) -> Tensor:
        """Rebuild faces through their own codes and attributes (P3), `[B, 3, H, W]` in [-1, 1].

        Raises:
            InputError: If the faces have another type, shape, dtype or range.
        """
        latents, attributes = self.encode(faces)
        return self._decode(latents, (attributes > 0.5).float())

    def edit(self, faces: Faces, changes: Mapping[str, float], *, strength: float = 1.0) -> Tensor:
        """Rebuild faces with some attributes changed (P4; Sec. 5.3.3).

        Attributes not named keep what the recognizer reads, but for those that a named one
        excludes: a face made blond stops being black-haired (ADR 14).

        Args:
            faces: Aligned faces.
            changes: Target in [0, 1] for each attribute to change.
            strength: How much of the way to the targets to go; 0 rebuilds, above 1 exaggerates.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If the faces have another type, shape, dtype or range, an attribute is
                unknown, a target is not a number in [0, 1], or the strength is negative or not
                finite.
        """
        if not (isinstance(strength, Real) and 0 <= strength < math.inf):
            raise InputError(f"strength must be finite and not negative, not {strength!r}")
        latents, attributes = self.encode(faces)
        read = (attributes > 0.5).float()
        target = self._with_changes(read, changes)
        return self._decode(latents, read + strength * (target - read))

    def generate(
        self, count: int, attributes: Mapping[str, float] | None = None, *, seed: int = 0
    ) -> Tensor:
        """Generate faces from noise and a free choice of attributes (P2; Sec. 5.3.5).

        Attributes left open are those of a random training face that has the named ones, as far
        as there is one (ADR 13). The same seed gives the same z, whatever the attributes.

        Args:
            count: How many.
            attributes: Values in [0, 1] by name; the rest is left open.
            seed: Seed of z and of the open attributes.

        Returns:
            `[count, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If the count is not a whole number or negative, an attribute is unknown, or
                a value is not a number in [0, 1].
        """
        if not (isinstance(count, Integral) and count >= 0):
            raise InputError(f"count must be a whole number and not negative, not {count!r}")
        generator = keyed_generator(seed, _LATENTS)
        latents = torch.rand(count, self.num_latents, generator=generator) * 2 - 1
        return self._decode(latents, self.complete_attributes(count, attributes or {}, seed=seed))

    def complete_attributes(
        self, count: int, attributes: Mapping[str, float], *, seed: int = 0
    ) -> Tensor:
        """Full attribute rows `[count, K]` that hold the named values (see `generate`).

        Raises:
            InputError: If an attribute is unknown, or a value is not a number in [0, 1].
        """
        wanted = self._with_changes(torch.zeros(1, len(self.attributes)), attributes)[0]
        columns = [self.attributes.index(name) for name in attributes]
        bank = self.attribute_bank.float()
        fits = (bank[:, columns] == wanted[columns].round()).sum(1)  # [R] named ones that hold
        best = bank[fits == fits.max()]
        picks = torch.randint(len(best), (count,), generator=keyed_generator(seed, _ROWS))
        return self._with_changes(best[picks], attributes)

    def _with_changes(self, attributes: Tensor, changes: Mapping[str, float]) -> Tensor:
        """Set named attributes in `[B, K]`, and switch off what contradicts them."""
        changed = attributes.clone()
        for name, value in changes.items():
            if name not in self.attributes:
                raise InputError(unknown_attribute(name, self.attributes))
            if not (isinstance(value, Real) and 0 <= value <= 1):
                raise InputError(f"{name} must be set to a value in [0, 1], not {value!r}")
            changed[:, self.attributes.index(name)] = float(value)
        return torch.from_numpy(resolve_conflicts(changed.numpy(), self.attributes, changes))

    def _images(self, faces: Faces) -> Tensor:
        return to_images(faces, self.size)

"""FaceModel: one trained model that recognizes, generates, reconstructs and edits faces (P1-P4)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import torch
from torch import Tensor

from twobirds.api.cautions import warn_of_photos, warn_of_stage1
from twobirds.api.encoded import EncodedFaces, encode_faces
from twobirds.api.passes import check_codes, decode, device_for, device_of, sample_latents
from twobirds.api.rows import complete_rows, require_count
from twobirds.api.search import DEFAULT_LIMITS, Edited, Limits
from twobirds.config import RunConfig
from twobirds.data.faces import Faces, to_images
from twobirds.models.files import load_trained, push_trained, save_trained
from twobirds.models.trained import Trained

if TYPE_CHECKING:
    from twobirds.photos.photo_edit import PhotoEdit, PhotoOptions


class FaceModel:
    """A trained model, ready for use; make one with `FaceModel.load`.

    Wherever a method takes `faces`, they are aligned: a float32 tensor `[B, 3, H, W]` in [-1, 1],
    a PIL image or a list of them, or uint8 `[B, H, W, 3]`. Of others than squares the middle is
    taken, and other sizes than the model's are resampled. What is returned lies on the CPU; what
    `decode` returns, where its latents lie. Faces of another type, shape, dtype or range are an
    `InputError`; what looks like a whole photo is an `InputWarning`.

    Args:
        trained: The networks, their configuration and the bank of attribute rows.
        name: What to call the model in reports.
    """

    def __init__(self, trained: Trained, *, name: str = "model") -> None:
        self.trained, self.name = trained, name
        self.networks = trained.networks.eval().requires_grad_(False)
        self.attribute_bank = trained.attribute_bank

    @classmethod
    def load(cls, source: str | Path, *, device: str = "auto") -> Self:
        """Load a model.

        Args:
            source: A shipped name such as `celeba128`, a run or model folder (ONNX files, too), a
                checkpoint, or `hf://owner/name` for a model on the Hugging Face Hub.
            device: auto, cpu, cuda or mps; auto takes CUDA, else an Apple GPU, else the CPU.

        Raises:
            InputError: If there is no such model, or its files are damaged.
        """
        trained = load_trained(source)
        return cls(trained, name=Path(source).name).to(device_for(trained.networks, device))

    def __repr__(self) -> str:
        """Name, recipe, size and device, in a line."""
        what, side, count = self.config.recipe.name, self.size, len(self.attributes)
        return f"FaceModel({self.name}: {what}, {side}x{side}, {count} attributes, {self.device})"

    def save(
        self,
        folder: str | Path,
        *,
        half: bool = False,
        report: Mapping[str, Any] | None = None,
        notes: str | None = None,
    ) -> None:
        """Save the model as safetensors, config.json and a model card.

        Args:
            folder: Where to; replaced if it holds a model.
            half: Store weights as float16, half as large.
            report: Output of `evaluate` for these weights, whose figures go into the card.
            notes: Markdown for the card: data, licence, history, known failures; None keeps those
                of a model that was saved before, and its figures, unless there is a report.

        Raises:
            InputError: If the folder holds anything but a model, or the report is not about it.
        """
        save_trained(self.trained, Path(folder), half=half, report=report, notes=notes)

    def push_to_hub(
        self,
        repository: str,
        *,
        half: bool = False,
        private: bool = True,
        report: Mapping[str, Any] | None = None,
        notes: str | None = None,
    ) -> None:
        """Upload the model to the Hugging Face Hub as `owner/name`; needs a token there.

        `private` says whether a new repository is for its owner only; the other arguments and
        the errors are those of `save`.
        """
        push_trained(
            self.trained, repository, half=half, private=private, report=report, notes=notes
        )

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
        return list(self.config.data.attributes)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.config.data.size

    @property
    def landmarks(self) -> tuple[tuple[float, float], ...] | None:
        """Eyes, nose tip and mouth corners of aligned faces, `DataConfig.landmarks`."""
        return self.config.data.landmarks

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.networks.num_latents

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return device_of(self.networks)

    def to(self, device: str | torch.device) -> Self:
        """Move the networks; returns the model itself."""
        self.networks.to(device)
        return self

    def recognize(self, faces: Faces) -> Tensor:
        """Probability of each attribute (P1), `[B, K]` float32 in [0, 1]."""
        return self.encode(faces)[1]

    def encode(self, faces: Faces) -> tuple[Tensor, Tensor]:
        """Latents z~ `[B, Z]` in [-1, 1] and attributes `[B, K]` in [0, 1] of faces (Sec. 3.1)."""
        encoded = self.encode_faces(faces)
        return encoded.latents, encoded.attributes

    def encode_faces(self, faces: Faces) -> EncodedFaces:
        """Encode faces once, to recognize and edit them any number of times."""
        images = to_images(faces, self.size)
        warn_of_photos(faces, self.size)
        return encode_faces(self.networks, images, self.attributes)

    def decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate faces from latents and attributes.

        Args:
            latents: `[B, Z]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]: of `encode` rounded, as `reconstruct` does.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1] on the device of `latents`.

        Raises:
            InputError: If a type, shape or value does not fit.
        """
        check_codes(latents, attributes, self.num_latents, len(self.attributes))
        return decode(self.networks, latents, attributes, self.size)

    def reconstruct(self, faces: Faces, *, refine_steps: int = 0) -> Tensor:
        """Reconstruct faces from their own latents and attributes alone (P3; Sec. 3.1).

        Args:
            faces: Aligned faces.
            refine_steps: Steps of optimizing the latents.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If the number of steps is negative.
        """
        return self.encode_faces(faces).reconstruct(refine_steps=refine_steps)

    def edit(
        self,
        faces: Faces,
        changes: Mapping[str, float],
        *,
        strength: float = 1.0,
        refine_steps: int = 0,
    ) -> Tensor:
        """Change some attributes of faces (P4; Sec. 5.3.3).

        Attributes not named keep their predicted value, but for those that a named one excludes: a
        face made blond stops being black-haired (ADR 14).

        Args:
            faces: Aligned faces.
            changes: Target in [0, 1] for each attribute to change.
            strength: How much of the way to go; 0 changes nothing, above 1 exaggerates.
            refine_steps: Steps of optimizing the latents for each face first.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If an attribute is unknown, or a number is out of its range.
        """
        return self._encoded(faces, refine_steps).edit(changes, strength=strength)

    def edit_photo(
        self,
        photo: str | Path | bytes,
        changes: Mapping[str, float] | None = None,
        **options: "Unpack[PhotoOptions]",
    ) -> "PhotoEdit":
        """Edit a face of a photo of any size; see `twobirds.photos.edit_photo`."""
        from twobirds.photos.photo_edit import edit_photo

        return edit_photo(self, photo, changes, **options)

    def before_and_after(
        self,
        faces: Faces,
        changes: Mapping[str, float],
        *,
        strength: float = 1.0,
        refine_steps: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """`edit` of nothing, then `edit`, twice `[B, 3, H, W]` in [-1, 1], from one encoding."""
        return self._encoded(faces, refine_steps).before_and_after(changes, strength=strength)

    def edit_until(
        self,
        faces: Faces,
        changes: Mapping[str, float],
        limits: Limits | float = DEFAULT_LIMITS,
        *,
        refine_steps: int = 0,
    ) -> Edited:
        """Edit each face with the first of `STRENGTHS` at which the recognizer agrees (P4).

        Changes that the recognizer already sees, with a probability above a half, are left out.
        Arguments and errors are those of `edit` and `Limits`; a number stands for `Limits.until`.
        """
        return self._encoded(faces, refine_steps).edit_until(changes, limits)

    def generate(
        self,
        count: int,
        attributes: Mapping[str, float] | None = None,
        *,
        seed: int = 0,
        truncation: float = 1.0,
    ) -> Tensor:
        """Generate faces from noise and a free choice of attributes (P2; Sec. 5.3.5).

        Attributes left open are those of a random training face that has the named ones, as far
        as there is one (ADR 13). The same seed gives the same z, whatever the attributes.

        Args:
            count: How many.
            attributes: Values in [0, 1] by name; the rest is left open.
            seed: Seed of z and of the open attributes.
            truncation: Factor on z, in [0, 1]: less gives plainer faces that are more alike.

        Returns:
            `[count, 3, H, W]` float32 in [-1, 1].

        Raises:
            InputError: If an attribute is unknown, or a number is out of its range.
        """
        require_count(count, "count")
        latents = sample_latents(count, self.num_latents, seed=seed, truncation=truncation)
        rows = self.complete_attributes(count, attributes or {}, seed=seed)
        return decode(self.networks, latents, rows, self.size)

    def complete_attributes(
        self, count: int, attributes: Mapping[str, float], *, seed: int = 0
    ) -> Tensor:
        """Full attribute rows `[count, K]` that hold the named values (see `generate`).

        Raises:
            InputError: If an attribute is unknown, or a value is not a number in [0, 1].
        """
        return complete_rows(self.attribute_bank, count, attributes, self.attributes, seed=seed)

    def _encoded(self, faces: Faces, refine_steps: int) -> EncodedFaces:
        warn_of_stage1(self.config)
        return self.encode_faces(faces).refined(refine_steps)

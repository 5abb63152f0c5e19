"""Networks in ONNX files behind the interface that all networks have at inference."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from twobirds.models.edit_layers import EditLayers
from twobirds.models.networks import Encoding, FaceNetworks
from twobirds.models.onnx_model import LAYER_OUTPUTS, OnnxModel
from twobirds.models.trained import Trained


class OnnxNetworks(FaceNetworks):
    """Runs on the CPU, without gradients.

    Args:
        model: The files.
    """

    def __init__(self, model: OnnxModel) -> None:
        super().__init__()
        self.model = model

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.model.num_latents

    @property
    def is_differentiable(self) -> bool:
        """No: see `FaceNetworks`."""
        return False

    def encode(self, images: Tensor) -> Encoding:
        """One pass of the recognizer and one of the encoder; see `FaceNetworks`."""
        logits = self._run("recognizer", {"images": images})["attribute_logits"]
        inputs = {"images": images, "attribute_logits": logits}
        return Encoding(self._run("encoder", inputs)["latents"], logits)

    def encode_latents(self, images: Tensor, encoding: Encoding) -> Tensor:
        """One pass of the encoder; see `FaceNetworks`."""
        inputs = {"images": images, "attribute_logits": encoding.attribute_logits}
        return self._run("encoder", inputs)["latents"]

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """One pass of the generator; see `FaceNetworks`."""
        return self._run("generator", {"latents": latents, "attributes": attributes})["images"]

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        """One pass of the editor; see `FaceNetworks`."""
        inputs = {
            "images": images,
            "latents": encoding.latents,
            "attributes": attributes,
            "target": target,
        }
        return self._run("editor", inputs)["edited"]

    def edit_layers(
        self, images: Tensor, attributes: Tensor, target: Tensor
    ) -> tuple[EditLayers, Tensor] | None:
        """The editor's layers, where it has some; see `FaceNetworks`."""
        if not self.model.has_layers:
            return None
        inputs = {"images": images, "attributes": attributes, "target": target}
        outputs = self._run("editor", inputs, LAYER_OUTPUTS)
        return EditLayers(*(outputs[name] for name in EditLayers._fields)), outputs["strength"]

    def _run(
        self, network: str, inputs: dict[str, Tensor], wanted: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        arrays = {
            name: np.ascontiguousarray(tensor.detach().float().numpy())
            for name, tensor in inputs.items()
        }
        outputs = self.model.run(network, arrays, wanted)
        return {name: torch.from_numpy(value) for name, value in outputs.items()}


def load_onnx(folder: Path) -> Trained:
    """Load a model that `twobirds export --onnx` wrote.

    Raises:
        InputError: If its description or its attribute rows are absent, damaged or wrong.
    """
    model = OnnxModel.load(folder)
    return Trained(
        OnnxNetworks(model),
        model.description.config,
        torch.from_numpy(model.attribute_bank()),
        model.description.facts.weights_sha256,
        pack_sha256=model.description.facts.pack_sha256,
    )

"""Networks that only recognize, to compare C with (P18; Sec. 5.3.1, Fig. 4).

A plain convolutional network, as the paper's second baseline; our own D and C trained on the labels
alone; and a residual network of today.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.baselines.players import load_networks
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import ModelConfig, RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.losses.attributes import label_loss
from twobirds.models.build import build_discriminator, channels
from twobirds.models.discriminator import Discriminator
from twobirds.models.resnet import AttributeResNet
from twobirds.runtime import Runtime
from twobirds.training.players import apply_gradients, make_adam
from twobirds.training.schedule import Unscheduled

RecognizerKind = Literal["cnn", "recognizer", "resnet"]
_NUMBER = 4  # of the network, for its initial weights


class PlainCNN(nn.Module):
    """Four 5x5 convolutions with ReLU and max-pooling, two fully connected layers, no batch norm.

    The paper calls its baseline "a Convolutional Neural Network" and says no more (Sec. 5.3.1);
    this one has as many channels and hidden units as D and C.

    Args:
        num_attributes: Number K of attributes.
        size: Height and width of the images, a multiple of 16.
        channels: Channels of the four convolutions.
        num_hidden: Width of the hidden layer.
    """

    def __init__(
        self, *, num_attributes: int, size: int, channels: tuple[int, ...], num_hidden: int
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for c_in, c_out in zip((3, *channels[:-1]), channels, strict=True):
            layers += [nn.Conv2d(c_in, c_out, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.trunk = nn.Sequential(*layers)
        self.hidden = nn.Linear(channels[-1] * (size // 16) ** 2, num_hidden)
        self.attributes = nn.Linear(num_hidden, num_attributes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Attribute logits `[B, K]` of images `[B, 3, H, W]` in [-1, 1]."""
        x = self.trunk(images.contiguous(memory_format=torch.channels_last))
        logits: Tensor = self.attributes(F.relu(self.hidden(x.flatten(1))))
        return logits


def build_recognizer(kind: RecognizerKind, config: ModelConfig, seed: int) -> nn.Module:
    """A network that reads attributes, with initial weights that are a function of the seed."""
    if kind == "recognizer":
        return build_discriminator(config, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + _NUMBER)
        if kind == "resnet":
            return AttributeResNet(config.size, config.num_attributes)
        return PlainCNN(
            num_attributes=config.num_attributes,
            size=config.size,
            channels=channels(config.width),
            num_hidden=config.num_shared,
        )


def attribute_logits(network: nn.Module, images: Tensor) -> Tensor:
    """What any of these networks reads off images `[B, 3, H, W]`, `[B, K]` float32."""
    output = network(images)
    if isinstance(network, Discriminator):
        output = output.attribute_logits
    elif isinstance(network, AttributeResNet):
        output = output[0]
    logits: Tensor = output.float()
    return logits


class Recognizer(Unscheduled):
    """Binary cross-entropy on real faces, and nothing else.

    Args:
        config: The run; `config.preset` says which network, `config.model.attributes` is filled.
        runtime: Device and processes.
        kind: Which network.
    """

    def __init__(self, config: RunConfig, runtime: Runtime, *, kind: RecognizerKind) -> None:
        self.runtime = runtime
        network = build_recognizer(kind, config.model, config.train.seed)
        self.network = network.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks: Mapping[str, nn.Module] = {"network": self.network}
        self._adam = make_adam(self.network, config.train)
        self.optimizers: Mapping[str, Optimizer] = {"network": self._adam}

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One update on the labels of the batch."""
        with self.runtime.autocast():
            logits = attribute_logits(self.network, batch.images)
        loss = label_loss(logits.float(), batch.attributes)
        loss.backward()
        apply_gradients(self.network, self._adam)
        return {"label_real": loss.detach()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Nothing is drawn but the faces that are read."""
        return {"real": real_images}


def load_recognizer(
    run: Path, device: torch.device, *, kind: RecognizerKind
) -> Callable[[Tensor], Tensor]:
    """Load what `Recognizer` trained: images `[B, 3, H, W]` in, probabilities `[B, K]` out.

    Raises:
        InputError: If there is no such run, or its weights do not fit.
    """
    path = run / CHECKPOINT_FILE
    config, state = load_run(path)
    network = build_recognizer(kind, config.model, config.train.seed)
    load_networks(path, state, {"network": network}, device)
    return lambda images: torch.sigmoid(attribute_logits(network, images))

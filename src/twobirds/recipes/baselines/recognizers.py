"""Networks that only recognize, to compare C with (P18; Sec. 5.3.1, Fig. 4).

A plain convolutional network, as the paper's second baseline; the D and C of recipe `paper` trained
on the labels alone; and a small residual network.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import DataConfig, RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.errors import InputError
from twobirds.losses.attributes import label_loss
from twobirds.models.resnet import AttributeResNet
from twobirds.recipes.baselines.config import ClassifierConfig, CNNConfig, RecognizerConfig
from twobirds.recipes.baselines.players import load_networks
from twobirds.recipes.paper.build import build_discriminator, channels
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.discriminator import Discriminator
from twobirds.runtime import Runtime
from twobirds.training.optimizers import apply_gradients, make_adam
from twobirds.training.schedule import Unscheduled

_SEED_OFFSET = 4  # so that another network of the run has other initial weights


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


def build_recognizer(recipe: ClassifierConfig, data: DataConfig, seed: int) -> nn.Module:
    """A network that classifies attributes, with initial weights that depend on the seed."""
    if isinstance(recipe, RecognizerConfig):
        return build_discriminator(PaperConfig(width=recipe.width), data, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + _SEED_OFFSET)
        if isinstance(recipe, CNNConfig):
            return PlainCNN(
                num_attributes=data.num_attributes,
                size=data.size,
                channels=channels(recipe.width),
                num_hidden=recipe.num_hidden,
            )
        return AttributeResNet(data.size, data.num_attributes)


def attribute_logits(network: nn.Module, images: Tensor) -> Tensor:
    """Logits `[B, K]` float32 of any of these networks, of images `[B, 3, H, W]`."""
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
        config: The run, of recipe `cnn`, `recognizer` or `resnet`; its attributes must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        assert isinstance(config.recipe, ClassifierConfig)
        self.runtime = runtime
        network = build_recognizer(config.recipe, config.data, config.train.seed)
        self.network = network.to(runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks: Mapping[str, nn.Module] = {"network": self.network}
        self._adam = make_adam(self.network, config.train)
        self.optimizers: Mapping[str, Optimizer] = {"network": self._adam}

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One update on the labels of the batch."""
        with self.runtime.autocast():
            logits = attribute_logits(self.network, batch.images)  # [B, K]
        loss = label_loss(logits.float(), batch.attributes)
        loss.backward()
        apply_gradients(self.network, self._adam)
        return {"label_real": loss.detach()}

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Nothing is generated: the real faces alone."""
        return {"real": real_images}


def load_recognizer(run: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Load what `Recognizer` trained: images `[B, 3, H, W]` in, probabilities `[B, K]` out.

    Raises:
        InputError: If there is no such run, or its weights do not fit.
    """
    path = run / CHECKPOINT_FILE
    config, state = load_run(path)
    if not isinstance(config.recipe, ClassifierConfig):
        raise InputError(f"{path}: is no run of a recognizer")
    network = build_recognizer(config.recipe, config.data, config.train.seed)
    load_networks(path, state, {"network": network}, device)
    return lambda images: torch.sigmoid(attribute_logits(network, images))

"""Players that note their gradients, for the tests of where gradients go."""

import torch
from torch import Tensor, nn

from making_runs import CPU
from twobirds.config import RunConfig
from twobirds.recipes.paper.players import Players
from twobirds.recipes.paper.stages import Fakes

NO_LOSS = dict.fromkeys(
    ("adversarial_weight", "label_weight", "perceptual_weight", "pixel_weight", "latent_weight"),
    0.0,
)
STILL = {"learning_rate": 1e-30}  # steps too small to move any weight
Gradients = dict[str, dict[str, Tensor | None]]


def gradients(network: nn.Module) -> dict[str, Tensor | None]:
    return {n: None if p.grad is None else p.grad.clone() for n, p in network.named_parameters()}


def is_absent(values: dict[str, Tensor | None]) -> bool:
    return all(value is None for value in values.values())


def is_zero(values: dict[str, Tensor | None]) -> bool:
    return all(value is None or not value.any() for value in values.values())


def with_gradient(values: dict[str, Tensor | None], prefix: str) -> bool:
    return any(v is not None and bool(v.any()) for n, v in values.items() if n.startswith(prefix))


class WatchedPlayers(Players):
    """Players that note all gradients just before each step."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config, CPU)
        self.at_step: dict[str, Gradients] = {}

    def step(self, name: str) -> None:
        self.at_step[name] = {n: gradients(net) for n, net in self.networks.items()}
        super().step(name)

    def fakes(self, latents: Tensor, attributes: Tensor | None = None) -> Fakes:
        """Generated faces of latents, by default with every other attribute."""
        if attributes is None:
            every_other = torch.arange(self.config.data.num_attributes) % 2
            attributes = every_other.float().expand(len(latents), -1)
        return Fakes(self.generate(latents, attributes), latents, attributes)


def count_calls(module: nn.Module) -> list[int]:
    calls: list[int] = []
    module.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls

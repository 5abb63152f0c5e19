"""Players that note their gradients, for the tests of where gradients go."""

from torch import Tensor, nn

from making_runs import CPU
from twobirds.config import RunConfig
from twobirds.training.players import Players

NO_LOSS = dict.fromkeys(("adversarial", "label", "perceptual", "pixel", "latent"), 0.0)
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


def count_calls(module: nn.Module) -> list[int]:
    calls: list[int] = []
    module.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls

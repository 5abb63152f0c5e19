"""The optimizer that most recipes use, and one step of it."""

from torch import nn
from torch.optim import Adam, Optimizer

from twobirds.config import TrainConfig
from twobirds.runtime import average_gradients


def make_adam(network: nn.Module, train: TrainConfig) -> Adam:
    """Adam with the settings of a run (P15; Sec. 4.1)."""
    return Adam(network.parameters(), lr=train.learning_rate, betas=train.betas, fused=True)


def apply_gradients(network: nn.Module, optimizer: Optimizer) -> None:
    """Step with a network's gradients, averaged over the processes, and clear them."""
    average_gradients(network.parameters())
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)

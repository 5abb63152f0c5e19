"""What the one training loop needs to know of what it trains."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack


class Objective(Protocol):
    """Networks, their optimizers, and one iteration of training them.

    The paper's two stages are one objective; every baseline is another.
    """

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Everything with weights that a checkpoint must hold, moving averages among it."""

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The optimizers whose state a checkpoint must hold."""

    def begin(self, pack: Pack) -> None:
        """Take from the train split what a new run begins with."""

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """Train on one batch.

        Args:
            batch: The batch of this iteration.
            loader: Where further random attributes come from.
            iteration: Number of the iteration, from 0; all randomness is a function of it.

        Returns:
            Detached scalars `[]` to log; the same names while `stage` stays the same.
        """

    def adapt(self, means: Mapping[str, float]) -> None:
        """Adjust schedules that follow the losses, from their means since the last call."""

    def schedule_state(self) -> dict[str, float]:
        """The numbers behind `adapt`, for the checkpoint."""

    def load_schedule_state(self, state: Mapping[str, float]) -> None:
        """Restore what `schedule_state` gave."""

    def stage(self, images_seen: int) -> int:
        """Number of the stage that an iteration starting at `images_seen` belongs to."""

    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Rows of a sample grid, each `[N, 3, H, W]` in [-1, 1].

        Args:
            real_images: `[N, 3, H, W]` fixed real faces, in [-1, 1].
            attributes: `[N, K]` their labels.
        """

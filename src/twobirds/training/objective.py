"""What the one training loop needs to know of what it trains."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.training.warm_start import NetworkWeights


class Objective(Protocol):
    """Networks, their optimizers, and one iteration of training them: a recipe's training.

    `twobirds.training.schedule` has what objectives without stages or schedules share.
    """

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Everything with weights that a checkpoint must hold, moving averages among it.

        Frozen networks that are loaded from elsewhere are not.
        """

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The optimizers whose state a checkpoint must hold."""

    def initialize(self, pack: Pack) -> None:
        """Set the weights of a new run that depend on the train split (principal components, say).

        The others are functions of the seed, set when the objective is built.
        """

    def warm_start(self, weights: NetworkWeights) -> None:
        """Set the weights of a new run from a trained model of the same recipe.

        Args:
            weights: State dicts by name of the network: all of a run, those of inference of a saved
                model.

        Raises:
            InputError: If the model has other networks.
        """

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

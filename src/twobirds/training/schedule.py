"""The part of an objective that has nothing to do where one iteration is like the next."""

from collections.abc import Mapping

from torch import nn

from twobirds.data.pack import Pack
from twobirds.training.warm_start import NetworkWeights, load_matching


class Unscheduled:
    """One stage, no schedule that follows the losses, weights that depend on the seed alone."""

    networks: Mapping[str, nn.Module]
    """See `Objective`."""

    def initialize(self, pack: Pack) -> None:
        """Nothing depends on the train split."""

    def warm_start(self, weights: NetworkWeights) -> None:
        """Take every network that the model has."""
        load_matching(self.networks, weights)

    def adapt(self, means: Mapping[str, float]) -> None:
        """Nothing follows the losses."""

    def schedule_state(self) -> dict[str, float]:
        """Nothing to keep."""
        return {}

    def load_schedule_state(self, state: Mapping[str, float]) -> None:
        """Nothing to restore."""

    def stage(self, images_seen: int) -> int:
        """Always 1."""
        return 1

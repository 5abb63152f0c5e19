"""Recipe `paper` as the registry knows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twobirds.config import RunConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import PAPER, TINY

if TYPE_CHECKING:
    from twobirds.models.networks import FaceNetworks, FeatureNetwork
    from twobirds.runtime import Runtime
    from twobirds.training.objective import Objective


class PaperRecipe:
    """The iterative GAN; see `twobirds.recipes.contract.Recipe`."""

    name = "paper"
    config_type = PaperConfig
    presets: Sequence[RunConfig] = (PAPER, TINY)

    def build_networks(self, config: RunConfig) -> "FaceNetworks":
        """G, and D with C."""
        from twobirds.recipes.paper.networks import build_networks

        return build_networks(config)

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """Both stages."""
        from twobirds.recipes.paper.objective import IterativeGAN

        return IterativeGAN(config, runtime, feature_network)

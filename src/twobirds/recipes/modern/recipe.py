"""Recipe `modern` as the registry knows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.presets import MODERN

if TYPE_CHECKING:
    from twobirds.models.networks import FaceNetworks, FeatureNetwork
    from twobirds.runtime import Runtime
    from twobirds.training.objective import Objective


class ModernRecipe:
    """See `twobirds.recipes.contract.Recipe`."""

    name = "modern"
    config_type = ModernConfig
    presets: Sequence[RunConfig] = (MODERN,)

    def build_networks(self, config: RunConfig) -> "FaceNetworks":
        """G, encoder and recognizer."""
        from twobirds.recipes.modern.networks import build_networks

        return build_networks(config)

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """Both stages; the perceptual loss compares features of the recipe's own classifier."""
        from twobirds.recipes.modern.objective import ModernGAN

        if feature_network is not None:
            raise InputError(
                "recipe modern compares features of its own classifier: give no feature network"
            )
        return ModernGAN(config, runtime)

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
        """Recognizer, editor, encoder and generator."""
        from twobirds.recipes.modern.networks import build_networks

        return build_networks(config)

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """Edits and generated faces; both are judged by frozen features."""
        from twobirds.recipes.modern.objective import ModernGAN

        if feature_network is not None:
            raise InputError(
                "recipe modern compares features of EfficientNet-lite0: give no feature network"
            )
        return ModernGAN(config, runtime)

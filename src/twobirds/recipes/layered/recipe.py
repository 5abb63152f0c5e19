"""Recipe `layered` as the registry knows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.recipes.layered.config import LayeredConfig
from twobirds.recipes.layered.presets import LAYERED

if TYPE_CHECKING:
    from twobirds.models.networks import FaceNetworks, FeatureNetwork
    from twobirds.runtime import Runtime
    from twobirds.training.objective import Objective


class LayeredRecipe:
    """See `twobirds.recipes.contract.Recipe`."""

    name = "layered"
    config_type = LayeredConfig
    presets: Sequence[RunConfig] = (LAYERED,)

    def build_networks(self, config: RunConfig) -> "FaceNetworks":
        """Recognizer, editor, encoder and generator."""
        from twobirds.recipes.layered.networks import build_networks

        return build_networks(config)

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """Edits and generated faces; both are judged by frozen features."""
        from twobirds.recipes.layered.objective import LayeredGAN

        if feature_network is not None:
            raise InputError(
                "recipe layered compares features of EfficientNet-lite0: give no feature network"
            )
        return LayeredGAN(config, runtime)

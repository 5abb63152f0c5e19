"""The baselines as the registry knows them: each a recipe, none with a preset of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twobirds.config import RecipeConfig, RunConfig
from twobirds.errors import InputError
from twobirds.recipes.baselines.config import (
    CGANConfig,
    CNNConfig,
    CycleGANConfig,
    DCGANConfig,
    RecognizerConfig,
    ResNetConfig,
)

if TYPE_CHECKING:
    from twobirds.models.networks import FaceNetworks, FeatureNetwork
    from twobirds.runtime import Runtime
    from twobirds.training.objective import Objective


@dataclass(frozen=True)
class BaselineRecipe:
    """See `twobirds.recipes.contract.Recipe`."""

    name: str
    config_type: type[RecipeConfig]
    presets: Sequence[RunConfig] = ()

    def build_networks(self, config: RunConfig) -> "FaceNetworks":
        """A baseline does one of the four tasks; its own module loads it for the experiments."""
        raise InputError(
            f"a run of baseline {self.name} is no model of faces: it is measured by twobirds "
            "reproduce alone"
        )

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """What the loop trains; no baseline has a perceptual loss."""
        from twobirds.recipes.baselines.cgan import ConditionalGAN
        from twobirds.recipes.baselines.cyclegan import CycleGAN
        from twobirds.recipes.baselines.recognizers import Recognizer

        if feature_network is not None:
            raise InputError(f"baseline {self.name} has no use for a feature network")
        if isinstance(config.recipe, CycleGANConfig):
            return CycleGAN(config, runtime)
        if isinstance(config.recipe, CGANConfig | DCGANConfig):
            return ConditionalGAN(config, runtime)
        return Recognizer(config, runtime)


BASELINES = (
    BaselineRecipe("cgan", CGANConfig),
    BaselineRecipe("dcgan", DCGANConfig),
    BaselineRecipe("cyclegan", CycleGANConfig),
    BaselineRecipe("cnn", CNNConfig),
    BaselineRecipe("recognizer", RecognizerConfig),
    BaselineRecipe("resnet", ResNetConfig),
)
"""What the paper compares with (P18, P20)."""

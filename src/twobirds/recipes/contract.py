"""What the rest of the package may know of a recipe."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from twobirds.config import RecipeConfig, RunConfig

if TYPE_CHECKING:  # these need PyTorch, which takes seconds to import; presets do not
    from twobirds.models.networks import FaceNetworks, FeatureNetwork
    from twobirds.runtime import Runtime
    from twobirds.training.objective import Objective


class Recipe(Protocol):
    """One way of training a model. Its modules with networks are imported when they are used.

    How a new run is initialized, and how it is warm-started from the weights of a trained model, is
    said by the recipe's `Objective`. Frozen networks that a recipe takes features from (pretrained
    ones, say) are built by the objective, stay out of its `networks`, and so out of checkpoints.
    """

    @property
    def name(self) -> str:
        """What the recipe is called in `config.json` and by the registry."""

    @property
    def config_type(self) -> type[RecipeConfig]:
        """Its settings: a frozen dataclass, in which an unknown field is an error."""

    @property
    def presets(self) -> Sequence[RunConfig]:
        """Its named configurations."""

    def build_networks(self, config: RunConfig) -> "FaceNetworks":
        """Build what inference needs of a run's networks, to be filled with trained weights.

        Raises:
            InputError: If the configuration names no attributes, or the recipe trains no model that
                does the four tasks (some baselines do not).
        """

    def build_objective(
        self, config: RunConfig, runtime: "Runtime", feature_network: "FeatureNetwork | None"
    ) -> "Objective":
        """Build what the training loop trains.

        Args:
            config: The run, with what its data says filled in.
            runtime: Device and processes.
            feature_network: A frozen network for the perceptual loss, where the user gave one.

        Raises:
            InputError: If a setting is unfit, or the recipe takes no feature network.
        """

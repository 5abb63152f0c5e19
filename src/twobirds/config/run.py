"""The configuration of a run."""

import dataclasses
from dataclasses import dataclass, field
from typing import Protocol, Self

from twobirds.config.data import DataConfig
from twobirds.config.train import TrainConfig


class RecipeConfig(Protocol):
    """The settings of one recipe: a frozen dataclass with no field that another recipe owns.

    Its defaults are those of the recipe's first preset.
    """

    @property
    def name(self) -> str:
        """The recipe, as the registry knows it; a field, so that it is saved."""

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks: equal where one's weights fit the other."""

    def with_length(self, before: int, after: int) -> Self:
        """The same settings for a run whose number of images changes; stages keep their length."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that defines a training run: a preset is an instance of it."""

    preset: str
    """Name of the preset this came from."""
    recipe: RecipeConfig
    """The recipe's own settings."""
    data: DataConfig = field(default_factory=DataConfig)
    """The faces."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """The training."""

    def with_images(self, images: int) -> Self:
        """The same run over another number of images."""
        recipe = self.recipe.with_length(self.train.images, images)
        train = dataclasses.replace(self.train, images=images)
        return dataclasses.replace(self, recipe=recipe, train=train)

"""The preset of recipe `modern`."""

from twobirds.config import DataConfig, RunConfig, TrainConfig
from twobirds.recipes.modern.config import ModernConfig

MODERN = RunConfig(
    preset="modern",
    data=DataConfig(size=64),
    recipe=ModernConfig(),
    train=TrainConfig(
        batch_size=32,
        images=700_000,
        learning_rate=3e-4,
        betas=(0.0, 0.99),
        sample_every_images=20_000,
    ),
)
"""The recipe of today (docs/recipes/modern.md), for a day of two CPU cores. No GPU has
run it yet."""

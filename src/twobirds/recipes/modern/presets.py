"""The preset of recipe `modern`."""

from twobirds.config import DataConfig, RunConfig, TrainConfig
from twobirds.recipes.modern.config import ModernConfig

MODERN = RunConfig(
    preset="modern",
    data=DataConfig(size=128),
    recipe=ModernConfig(),
    train=TrainConfig(
        batch_size=128,
        images=340_000,
        learning_rate=8e-4,
        betas=(0.0, 0.99),
        sample_every_images=20_000,
    ),
)
"""Edits as flow, colour and paint at 128 px (docs/recipes/modern.md)."""

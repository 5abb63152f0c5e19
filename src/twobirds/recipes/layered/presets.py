"""The preset of recipe `layered`."""

from twobirds.config import DataConfig, RunConfig, TrainConfig
from twobirds.recipes.layered.config import LayeredConfig

LAYERED = RunConfig(
    preset="layered",
    data=DataConfig(size=128),
    recipe=LayeredConfig(),
    train=TrainConfig(
        batch_size=32,
        images=400_000,
        learning_rate=6e-4,
        betas=(0.0, 0.99),
        sample_every_images=10_000,
    ),
)
"""Edits as flow, colour and paint at 128 px (docs/recipes/layered.md)."""

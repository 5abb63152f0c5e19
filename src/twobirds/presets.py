"""The named recipes: instances of `RunConfig`, not files."""

from twobirds.config import LossConfig, ModelConfig, RunConfig, TrainConfig

PAPER = RunConfig(preset="paper")
"""The paper, to the letter where it speaks (P6-P15); its silences are settled in docs/adr."""

TINY = RunConfig(
    preset="tiny",
    model=ModelConfig(size=64, width=0.25, num_shared=512),
    loss=LossConfig(pixel=10.0),
    train=TrainConfig(images=120_000, ema_half_life_images=5_000),
)
"""Minutes on two CPU cores, for the demo."""

PRESETS: dict[str, RunConfig] = {config.preset: config for config in (PAPER, TINY)}

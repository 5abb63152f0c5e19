"""The configuration of a run."""

from dataclasses import dataclass, field

from twobirds.config.cycle import CycleConfig
from twobirds.config.modern import ModernConfig
from twobirds.config.paper import LossConfig, ModelConfig, TrainConfig


@dataclass(frozen=True)
class RunConfig:
    """Everything that defines a training run but the data: a preset is an instance of it."""

    preset: str
    """Name of the preset this came from."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The networks."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The losses."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """The training."""
    cycle: CycleConfig | None = None
    """CycleGAN's own settings; None for all else."""
    modern: ModernConfig | None = None
    """What only preset modern has; None for the paper's recipe and all else."""

"""The configuration of a model and of its training, as frozen dataclasses.

The string under each field documents it. Every run writes its resolved `RunConfig` as
`config.json` and can be started from it.
"""

from twobirds.config.cycle import CycleConfig
from twobirds.config.modern import ModernConfig
from twobirds.config.paper import (
    MAX_IMAGES,
    MAX_LAYER_WIDTH,
    AdversarialForm,
    FeatureSource,
    LossConfig,
    ModelConfig,
    Norm,
    TrainConfig,
)
from twobirds.config.plain import from_dict, to_dict
from twobirds.config.run import RunConfig

__all__ = [
    "MAX_IMAGES",
    "MAX_LAYER_WIDTH",
    "AdversarialForm",
    "CycleConfig",
    "FeatureSource",
    "LossConfig",
    "ModelConfig",
    "ModernConfig",
    "Norm",
    "RunConfig",
    "TrainConfig",
    "from_dict",
    "to_dict",
]

"""The configuration of a run, as frozen dataclasses; each recipe's own lies in its folder.

The string under each field documents it. Every run writes its resolved `RunConfig` as
`config.json` and can be started from it.
"""

from twobirds.config.checks import MAX_LAYER_WIDTH
from twobirds.config.data import DataConfig
from twobirds.config.norms import AdversarialForm, Norm
from twobirds.config.plain import from_dict, to_dict
from twobirds.config.run import RecipeConfig, RunConfig
from twobirds.config.train import MAX_IMAGES, TrainConfig

__all__ = [
    "MAX_IMAGES",
    "MAX_LAYER_WIDTH",
    "AdversarialForm",
    "DataConfig",
    "Norm",
    "RecipeConfig",
    "RunConfig",
    "TrainConfig",
    "from_dict",
    "to_dict",
]

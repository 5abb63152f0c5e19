"""Settings of a run that would fail late, or never end, are refused at once."""

import json
import math
from typing import Any

import pytest

from twobirds.config import TrainConfig, from_dict, to_dict
from twobirds.errors import InputError
from twobirds.recipes.paper.config import PaperConfig


@pytest.mark.parametrize(
    ("cls", "field", "value", "message"),
    [
        (TrainConfig, "checkpoint_every_seconds", math.nan, "must be 0 or more .* not nan"),
        (TrainConfig, "checkpoint_every_seconds", -1.0, "must be 0 or more .* not -1.0"),
        (TrainConfig, "images", 10**12 + 1, "must be at most 1,000,000,000,000, not"),
        (PaperConfig, "num_latents", 65_537, "must lie between 1 and 65,536, not 65537"),
        (PaperConfig, "num_shared", 10**30, "must lie between 1 and 65,536, not"),
        (PaperConfig, "num_attribute_hidden", 65_537, "must lie between 1 and 65,536, not"),
    ],
)
def test_settings_beyond_reason_are_refused(cls: Any, field: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"{field} {message}"):
        cls(**{field: value})


def test_the_largest_settings_are_allowed() -> None:
    PaperConfig(num_latents=65_536, num_shared=65_536, num_attribute_hidden=65_536)
    settings = TrainConfig(images=10**12, checkpoint_every_seconds=math.inf)
    assert from_dict(TrainConfig, json.loads(json.dumps(to_dict(settings)))) == settings

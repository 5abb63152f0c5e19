"""How often the recognizer is right where it is sure and where it is not.

Usage: `python benchmarks/certainty.py PACK [--model celeba64] [--count 800]`: on validation faces.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from twobirds.api import FaceModel
from twobirds.data.pack import open_pack
from twobirds.photos.reference import UNSURE


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    pack: tyro.conf.Positional[Path]
    model: str = "celeba64"
    count: int = 800
    """Validation faces, the first ones."""


def main(settings: Settings) -> None:
    """Measure, and print a line for each range of probabilities."""
    pack = open_pack(settings.pack)
    model = FaceModel.load(settings.model)
    rows = pack.rows("valid")[: settings.count]
    probabilities = model.recognize(np.asarray(pack.images[rows])).numpy()  # [N, K]
    columns = [pack.attribute_names.index(name) for name in model.attributes]
    right = (probabilities > 0.5) == (np.asarray(pack.attributes[rows])[:, columns] > 0.5)
    low, high = UNSURE
    unsure = (probabilities > low) & (probabilities < high)
    for words, chosen in (("between", unsure), ("outside", ~unsure)):
        print(
            f"{words} {low:g} and {high:g}: {chosen.mean():.1%} of {chosen.size:,} decisions, "
            f"{right[chosen].mean():.1%} right"
        )


if __name__ == "__main__":
    main(tyro.cli(Settings))

"""How often the recognizer is right where it is sure and where it is not.

Usage: `python benchmarks/certainty.py PACK [--model celeba128] [--count 800]
[--out benchmarks/results/certainty.json]`: on validation faces.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from hardware import write_results
from twobirds.api import FaceModel
from twobirds.data.pack import open_pack
from twobirds.photos.reference import UNSURE


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    pack: tyro.conf.Positional[Path]
    model: str = "celeba128"
    count: int = 800
    """Validation faces, the first ones, or all where there are fewer."""
    out: Path | None = None
    """Where the results go, as JSON."""


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
    results: dict[str, Any] = {
        "benchmark": "certainty",
        "model": settings.model,
        "weights_sha256": model.weights_sha256,
        "split": "valid",
        "faces": len(rows),
        "decisions": unsure.size,
        "bounds": UNSURE,
    }
    for words, chosen in (("between", unsure), ("outside", ~unsure)):
        share, accuracy = float(chosen.mean()), float(right[chosen].mean())
        print(
            f"{words} {low:g} and {high:g}: {share:.1%} of {chosen.size:,} decisions, "
            f"{accuracy:.1%} right"
        )
        results[words] = {"share": share, "right": accuracy}
    write_results(settings.out, results)


if __name__ == "__main__":
    main(tyro.cli(Settings))

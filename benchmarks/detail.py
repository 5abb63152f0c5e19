"""What hair colours do to the fine detail of a large photo, and at the border of a face's crop.

Usage: `python benchmarks/detail.py --out benchmarks/results/detail.json`. The photo is
scikit-image's astronaut, enlarged to 12 megapixels, with grain. Fine is what a Gaussian of one of
the model's pixels takes away.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from PIL import Image
from skimage.data import astronaut

from hardware import write_results
from twobirds.api import FaceModel
from twobirds.data.similarity import apply
from twobirds.machine import describe_machine
from twobirds.photos.align import Placement

WIDTH, HEIGHT = 4000, 3000
_GRAIN = 6.0  # levels, standard deviation
_MIN_CHANGE = 8  # levels, of what counts as changed
_EVERY = 5  # rows of which one is looked at for the border


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    model: str = "celeba128"
    """Which edits."""
    colours: tuple[str, ...] = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
    """Which are set to 1, one by one."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    model, photo = FaceModel.load(settings.model, device="cpu"), make_photo()
    results = {
        "benchmark": "detail",
        "hardware": describe_machine(torch.device("cpu")),
        "model": model.name,
        "size": (WIDTH, HEIGHT),
        "edits": {name: measure(model, photo, name) for name in settings.colours},
    }
    print(results)
    write_results(settings.out, results)
    return 0


def make_photo() -> bytes:
    """A PNG file of a face with grain."""
    pixels = cv2.resize(astronaut()[:384], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, _GRAIN, (HEIGHT, WIDTH, 1))
    buffer = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def measure(model: FaceModel, photo: bytes, name: str) -> dict[str, float]:
    """One edit: the fine energy that stays where it changes the photo, and the largest steps.

    Returns:
        `changed`, the share of the photo; `fine_energy`, after over before; `largest_outside`, the
        largest change outside of the crop; `largest_step`, between neighbours at its border, in
        levels of 255.
    """
    edited = model.edit_photo(photo, {name: 1.0})
    before, after = edited.photo.photo.pixels, np.asarray(edited.image)
    placement = edited.photo.found[0].placement
    change = after.astype(np.int16) - before
    where = np.abs(change).max(axis=2) > _MIN_CHANGE
    energies = [fine_energy(pixels, where, placement) for pixels in (before, after)]
    some, depth = np.abs(change[::_EVERY]), depths(placement)
    steps = np.abs(np.diff(change[::_EVERY], axis=1)).max(axis=2)
    return {
        "changed": float(where.mean()),
        "fine_energy": energies[1] / energies[0],
        "largest_outside": int(some[depth < 0].max()),
        "largest_step": int(steps[np.abs(depth[:, 1:]) < 0.5].max()),
    }


def fine_energy(pixels: np.ndarray, where: np.ndarray, placement: Placement) -> float:
    """Mean square of what is finer than a pixel of the model."""
    scale = abs(np.linalg.det(placement.matrix[:2, :2])) ** -0.5  # pixels of the photo
    grey = pixels.astype(np.float32).mean(axis=2)
    return float(np.square(grey - cv2.GaussianBlur(grey, (0, 0), scale))[where].mean())


def depths(placement: Placement) -> np.ndarray:
    """How far within the crop pixels of some rows lie, in pixels of the model; negative outside."""
    rows, columns = np.mgrid[:HEIGHT:_EVERY, :WIDTH] + 0.5
    places = apply(placement.matrix, np.stack([columns, rows], axis=-1))
    inside: np.ndarray = np.minimum(places, placement.size - places).min(axis=-1)
    return inside


if __name__ == "__main__":
    sys.exit(main())

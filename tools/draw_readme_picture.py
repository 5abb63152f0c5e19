"""Draws the picture at the top of the README: drawn faces, rebuilt and edited by a model.

Usage: `python tools/draw_readme_picture.py MODEL OUT.png`. The faces are new ones, taken in the
order of a seed that no training uses; no real person is in the picture.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from twobirds import FaceModel
from twobirds.data.drawn import PHOTOS_PER_PERSON, render, sample_faces
from twobirds.evaluation.figures import grid

SEED, NUM_PEOPLE, CELL = 2018, 4, 88
EDITS = ("Eyeglasses", "Smiling", "Blond_Hair", "Wearing_Hat", "Gray_Hair", "Bushy_Eyebrows")
"""Each is switched to the opposite of what the model reads."""


def to_pixels(faces: torch.Tensor) -> np.ndarray:
    """`[B, 3, H, W]` in [-1, 1] to `[B, H, W, 3]` uint8."""
    return ((faces.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()


def main(model_name: str, out: Path) -> None:
    """Draw a row for each person, and a row of faces generated from one z."""
    model = FaceModel.load(model_name, device="cpu")
    first_photos = np.arange(NUM_PEOPLE) * PHOTOS_PER_PERSON
    sources = render(sample_faces(SEED, first_photos), model.size)
    read = model.recognize(sources)
    columns = [sources, to_pixels(model.reconstruct(sources))]
    for name in EDITS:
        wanted = (read[:, model.attributes.index(name)] < 0.5).tolist()
        edited = [
            model.edit(source[None], {name: float(value)})
            for source, value in zip(sources, wanted, strict=True)
        ]
        columns.append(to_pixels(torch.cat(edited)))
    cells = np.stack(columns, axis=1).reshape(-1, *sources.shape[1:])
    titles = ("source", "rebuilt", *EDITS)
    grid(cells, len(columns), column_titles=titles, cell_pixels=CELL).save(out)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

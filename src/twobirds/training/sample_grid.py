"""The grid of faces that a run writes from time to time, a labelled row for each kind."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from twobirds.atomic import write_atomically

SAMPLES_FOLDER = "samples"
LATEST_SAMPLES = "latest.png"
"""The grid at the end of the latest leg, wherever that was."""
_FONT_SIZES = (9, 16)  # pixels: the least that can be read, and enough
_MARGIN = 6  # pixels at either side of a label


def write_sample_grid(path: Path, rows: Mapping[str, Tensor]) -> None:
    """Write one PNG with a row of faces for each entry, its name at the left.

    Args:
        path: The file.
        rows: By name, each `[N, 3, H, W]` in [-1, 1], all of one shape.
    """
    stacked = torch.stack([r.detach().float().cpu() for r in rows.values()])  # [R, N, 3, H, W]
    pixels = (stacked.clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)
    num_rows, num_columns, _, height, width = pixels.shape
    grid = pixels.permute(0, 3, 1, 4, 2).reshape(num_rows * height, num_columns * width, 3)
    labels = _label_column([name.replace("_", " ") for name in rows], height)
    image = Image.fromarray(np.hstack([labels, grid.numpy()]))
    write_atomically(path, lambda file: image.save(file, format="PNG"))


def _label_column(labels: list[str], height: int) -> np.ndarray:
    """Labels below each other, one every `height` pixels, black on white `[R * height, W, 3]`."""
    least, enough = _FONT_SIZES
    font = ImageFont.load_default(max(least, min(enough, height // 3)))
    width = max(round(font.getlength(label)) for label in labels) + 2 * _MARGIN
    column = Image.new("RGB", (width, height * len(labels)), "white")
    draw = ImageDraw.Draw(column)
    for row, label in enumerate(labels):
        place = (width - _MARGIN, (row + 0.5) * height)
        draw.text(place, label, fill="black", font=font, anchor="rm")  # right, middle
    return np.asarray(column)

"""Faces side by side: a figure of the report as data, and a picture of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 4  # pixels between cells
_INK, _PAPER = (32, 34, 38), (255, 255, 255)
_LINE_SPACING = 1.3


@dataclass(frozen=True, eq=False)
class Figure:
    """A grid of faces with its words."""

    key: str
    """Short name, as for a file."""
    title: str
    """One line."""
    caption: str
    """What is seen, and by which rule the faces were chosen."""
    images: np.ndarray
    """`[N, S, S, 3]` uint8, row by row."""
    columns: int
    """Number of columns."""
    column_titles: tuple[str, ...] = ()
    """One for each column, or none."""
    row_titles: tuple[str, ...] = ()
    """One for each row, or none."""
    labels: tuple[str, ...] = ()
    """One for each image, of one or more lines, or none."""


def grid(
    images: np.ndarray,
    columns: int,
    *,
    column_titles: Sequence[str] = (),
    cell_pixels: int | None = None,
) -> Image.Image:
    """Draw faces as a grid on white.

    Args:
        images: `[N, H, W, 3]` uint8 RGB, row by row; the last row may be short.
        columns: Number of columns.
        column_titles: Text over each column; underscores become spaces.
        cell_pixels: Width of a cell; the images are resampled to it. Default: their own.

    Raises:
        ValueError: If there are titles, but not one for each column.
    """
    if len(column_titles) not in (0, columns):
        raise ValueError(f"{columns} columns take {columns} titles, not {len(column_titles)}")
    num_rows = -(-len(images) // columns)
    side = cell_pixels or images.shape[2]
    font = ImageFont.load_default(max(9, min(16, side // 8)))
    assert isinstance(font, ImageFont.FreeTypeFont)  # as every font of a given size is
    line = round(font.size * _LINE_SPACING)
    head = line * max((len(_wrap(t, side, font)) for t in column_titles), default=0)
    pitch = side + _GAP
    sheet = Image.new("RGB", (_GAP + columns * pitch, head + _GAP + num_rows * pitch), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(column_titles):
        for number, text in enumerate(_wrap(title, side, font)):
            draw.text((_GAP + column * pitch, _GAP // 2 + number * line), text, _INK, font)
    for index, pixels in enumerate(images):
        row, column = divmod(index, columns)
        face = Image.fromarray(pixels)
        if face.width != side:
            face = face.resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(face, (_GAP + column * pitch, head + _GAP + row * pitch))
    return sheet


def _wrap(text: str, width: int, font: ImageFont.FreeTypeFont) -> list[str]:
    """Break text at spaces into lines of at most `width` pixels."""
    lines: list[str] = []
    for word in text.replace("_", " ").split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [_cut(line, width, font) for line in lines]


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Shorten text to `width` pixels."""
    while text and font.getlength(text) > width:
        text = text[:-1]
    return text

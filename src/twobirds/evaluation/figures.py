"""Faces side by side: a figure of the report as data, and a picture of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 4  # pixels between cells
_INK, _WHITE = (32, 34, 38), (255, 255, 255)
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
    row_titles: Sequence[str] = (),
    labels: Sequence[str] = (),
    cell_pixels: int | None = None,
) -> Image.Image:
    """Lay out faces as a grid on white.

    Args:
        images: `[N, H, W, 3]` uint8 RGB, row by row; the last row may be short.
        columns: Number of columns.
        column_titles: Text over each column; underscores become spaces.
        row_titles: Text left of each row, likewise.
        labels: Text under each image.
        cell_pixels: Width of a cell; the images are resampled to it. Default: their own.

    Raises:
        ValueError: If there are titles or labels, but not one for each column, row or image.
    """
    num_rows = -(-len(images) // columns)
    _check_texts(
        columns=(column_titles, columns), rows=(row_titles, num_rows), images=(labels, len(images))
    )
    side = cell_pixels or images.shape[2]
    font = _font(side)
    line = round(font.size * _LINE_SPACING)
    head = line * max((len(_wrap(t, side, font)) for t in column_titles), default=0)
    foot = line * max((len(_wrap(t, side, font)) for t in labels), default=0)
    margin = side if row_titles else 0
    pitch, row_pitch = side + _GAP, side + _GAP + foot
    width, height = margin + _GAP + columns * pitch, head + _GAP + num_rows * row_pitch
    sheet = Image.new("RGB", (width, height), _WHITE)
    draw = ImageDraw.Draw(sheet)

    def write(x: int, y: int, text: str) -> None:
        for number, part in enumerate(_wrap(text, side, font)):
            draw.text((x, y + number * line), part, _INK, font)

    for column, title in enumerate(column_titles):
        write(margin + _GAP + column * pitch, _GAP // 2, title)
    for row, title in enumerate(row_titles):
        write(_GAP, head + _GAP + row * row_pitch + side // 2 - line, title)
    for index, pixels in enumerate(images):
        row, column = divmod(index, columns)
        place = (margin + _GAP + column * pitch, head + _GAP + row * row_pitch)
        face = Image.fromarray(pixels)
        sheet.paste(face.resize((side, side), Image.Resampling.BICUBIC), place)
        if labels:
            write(place[0], place[1] + side, labels[index])
    return sheet


def _check_texts(**texts: tuple[Sequence[str], int]) -> None:
    """Refuse words for a part of the columns, rows or images only."""
    for what, (words, count) in texts.items():
        if len(words) not in (0, count):
            raise ValueError(f"{count} {what} take {count} texts, not {len(words)}")


def _font(side: int) -> ImageFont.FreeTypeFont:
    """A font that suits cells of `side` pixels."""
    font = ImageFont.load_default(max(9, min(16, side // 8)))
    assert isinstance(font, ImageFont.FreeTypeFont)  # as every font of a given size is
    return font


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

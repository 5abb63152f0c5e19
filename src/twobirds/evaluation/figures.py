"""Faces side by side: a figure as data, and as a picture with titles and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

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

    def to_image(self, cell_pixels: int | None = None) -> Image.Image:
        """Draw the grid, its cells `cell_pixels` wide (default: the images' own size)."""
        return grid(
            self.images,
            self.columns,
            labels=self.labels,
            column_titles=self.column_titles,
            row_titles=self.row_titles,
            cell_pixels=cell_pixels,
        )


def grid(
    images: np.ndarray,
    columns: int,
    *,
    labels: Sequence[str] = (),
    column_titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    cell_pixels: int | None = None,
) -> Image.Image:
    """Draw faces as a grid on white.

    Args:
        images: `[N, H, W, 3]` uint8 RGB, row by row; the last row may be short.
        columns: Number of columns.
        labels: Text under each image, of one or more lines; too long lines are cut off.
        column_titles: Text over each column; underscores become spaces.
        row_titles: Text left of each row.
        cell_pixels: Width of a cell; the images are resampled to it. Default: their own.

    Raises:
        ValueError: If the numbers of images, labels and titles do not fit.
    """
    num_rows = -(-len(images) // columns)
    _check_counts(images, columns, labels, column_titles, row_titles)
    side = cell_pixels or images.shape[2]
    font = ImageFont.load_default(max(9, min(16, side // 8)))
    assert isinstance(font, ImageFont.FreeTypeFont)  # as every font of a given size is
    line = round(font.size * _LINE_SPACING)
    head = line * max((len(_wrap(t, side, font)) for t in column_titles), default=0)
    foot = line * max((len(label.splitlines()) for label in labels), default=0)
    left = _GAP + max((round(font.getlength(_plain(t))) + _GAP for t in row_titles), default=0)
    pitch_x, pitch_y = side + _GAP, side + foot + _GAP
    sheet = Image.new(
        "RGB", (left + columns * pitch_x, head + _GAP + max(num_rows, 0) * pitch_y), _PAPER
    )
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(column_titles):
        _write(draw, (left + column * pitch_x, _GAP // 2), _wrap(title, side, font), font)
    for row, title in enumerate(row_titles):
        _write(draw, (_GAP, head + _GAP + row * pitch_y + side // 2 - line), [_plain(title)], font)
    for index, pixels in enumerate(images):
        row, column = divmod(index, columns)
        corner = (left + column * pitch_x, head + _GAP + row * pitch_y)
        face = Image.fromarray(pixels)
        if face.width != side:
            face = face.resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(face, corner)
        for label in islice(labels, index, index + 1):
            lines = [_cut(text, side, font) for text in label.splitlines()]
            _write(draw, (corner[0], corner[1] + side), lines, font)
    return sheet


def _check_counts(
    images: np.ndarray,
    columns: int,
    labels: Sequence[str],
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> None:
    """Refuse titles that would not stand where they belong."""
    num_rows = -(-len(images) // columns)
    for what, have, want in (
        ("labels", len(labels), len(images)),
        ("column titles", len(column_titles), columns),
        ("row titles", len(row_titles), num_rows),
    ):
        if have not in (0, want):
            raise ValueError(f"a grid of {num_rows} x {columns} takes {want} {what}, not {have}")


def _plain(text: str) -> str:
    """Attribute names as words."""
    return text.replace("_", " ")


def _wrap(text: str, width: int, font: ImageFont.FreeTypeFont) -> list[str]:
    """Break text at spaces into lines of at most `width` pixels."""
    lines: list[str] = []
    for word in _plain(text).split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [_cut(line, width, font) for line in lines]


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Shorten text to `width` pixels."""
    text = _plain(text)
    while text and font.getlength(text) > width:
        text = text[:-1]
    return text


def _write(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    lines: Sequence[str],
    font: ImageFont.FreeTypeFont,
) -> None:
    """Write lines downwards from a corner (x, y)."""
    for number, text in enumerate(lines):
        down = round(number * font.size * _LINE_SPACING)
        draw.text((corner[0], corner[1] + down), text, _INK, font)

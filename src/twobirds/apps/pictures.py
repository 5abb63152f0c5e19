"""Pictures in and out: faces from files, and PNG files from faces."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from twobirds.checkpoint import write_atomically
from twobirds.data.images import face_from_bytes
from twobirds.errors import InputError


def read_faces(paths: Sequence[Path], size: int) -> np.ndarray:
    """Read image files like the packer does: square out of the middle, antialiased.

    Args:
        paths: Files of aligned faces.
        size: Height and width of the results in pixels.

    Returns:
        `[N, size, size, 3]` uint8 RGB.

    Raises:
        InputError: If a file cannot be read or is not an image.
    """
    return np.stack([_read_face(path, size) for path in paths])


def _read_face(path: Path, size: int) -> np.ndarray:
    try:
        return face_from_bytes(path.read_bytes(), size)[0]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def require_png(path: Path) -> None:
    """Refuse the name of a picture that does not say what it is.

    Raises:
        InputError: If it does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: pictures are written as PNG: choose a name that ends in .png")


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write `[H, W, 3]` uint8 as a PNG file, atomically; folders on the way are made."""
    image = Image.fromarray(pixels)
    write_atomically(path, lambda file: image.save(file, format="PNG"))


def name_outputs(inputs: Sequence[Path], out: Path | None, kind: str) -> list[Path]:
    """Say where the results of each input go: `NAME.kind.png`, or the file asked for.

    Args:
        inputs: The files that were read.
        out: A folder, or for one input a name that ends in .png; None is the current folder.
        kind: What was done, such as `edited`.

    Returns:
        A path for each input.

    Raises:
        InputError: If two results would go to one file, or one over an input, or the name of a
            file does not end in .png.
    """
    if out is not None and out.suffix and not out.is_dir():
        require_png(out)  # a folder made for a mistyped file would surprise
        if len(inputs) > 1:
            raise InputError(f"--out {out} is one file, for {len(inputs)} images: name a folder")
        outputs = [out]
    else:
        outputs = [(out or Path()) / f"{path.stem}.{kind}.png" for path in inputs]
    twice = [path for path, count in Counter(outputs).items() if count > 1]
    if twice:
        raise InputError(f"several images would become {twice[0]}: give them one at a time")
    resolved = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in resolved:
            raise InputError(f"{path} is an input: choose another --out")
    return outputs


def near_square_grid(pixels: np.ndarray) -> np.ndarray:
    """Lay faces `[N, H, W, 3]` uint8, N at least 1, out row by row: `[H', W', 3]` uint8."""
    from twobirds.evaluation.figures import grid

    return np.asarray(grid(pixels, math.ceil(math.sqrt(len(pixels)))))

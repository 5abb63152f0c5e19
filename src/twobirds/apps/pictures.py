"""Pictures out: PNG files of faces, and where the results of commands go."""

import contextlib
import io
import math
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from twobirds.atomic import write_atomically
from twobirds.data.provenance import PHOTO_FORMATS, Provenance
from twobirds.errors import InputError


def require_png(path: Path) -> None:
    """Refuse the name of a picture that does not say what it is.

    Raises:
        InputError: If it does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: pictures are written as PNG: choose a name that ends in .png")


def picture_bytes(pixels: np.ndarray, provenance: Provenance | None) -> bytes:
    """A PNG file of `[H, W, 3]` uint8, which says how it was made."""
    marks = provenance.encoder_arguments("PNG") if provenance else {}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", **marks)
    return buffer.getvalue()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; folders on the way are made."""
    write_atomically(path, lambda file: file.write(content))


@contextlib.contextmanager
def written_together(announce: Callable[[Path], None]) -> Iterator[Callable[[Path, bytes], None]]:
    """Keep files aside, and write them once all of them are made; if one fails, write none.

    Args:
        announce: Called with each file that is written.

    Yields:
        Takes the path and the content of a file.
    """
    kept: list[tuple[Path, Path]] = []
    with tempfile.TemporaryDirectory(prefix="twobirds-") as folder:

        def keep(path: Path, content: bytes) -> None:
            place = Path(folder) / str(len(kept))
            place.write_bytes(content)
            kept.append((place, path))

        yield keep
        for place, path in kept:
            write_bytes(path, place.read_bytes())
            announce(path)


def require_new(paths: Iterable[Path], *, force: bool, option: str = "--out") -> None:
    """Refuse to replace files by results whose names nobody has asked for.

    Args:
        paths: Where results go.
        force: Replace what is there.
        option: Names another place.

    Raises:
        InputError: If something is there.
    """
    for path in paths:
        if not force and os.path.lexists(path):
            raise InputError(
                f"{path} exists already: name another place with {option}, or replace it with "
                "--force"
            )


def name_outputs(
    inputs: Sequence[Path], out: Path | None, kind: str, *, as_png: bool, force: bool = False
) -> list[Path]:
    """Say where the results of each input go: `NAME.kind.EXTENSION`, or the file asked for.

    A file that is asked for is replaced; no other is without `force`.

    Args:
        inputs: The files that are opened.
        out: A folder, or for one input the name of a picture; None is the current folder.
        kind: What was done, such as `edited`.
        as_png: Whether all pictures are PNG files; else each is of its input's format.
        force: Replace earlier results.

    Returns:
        A path for each input.

    Raises:
        InputError: If two results would go to one file, or one over an input or an earlier result,
            or the name of a file does not say which format it is.
    """
    from twobirds.photos.photo import suffix_of_file

    if out is not None and out.suffix and not out.is_dir():
        require_png(out) if as_png else _require_format(out)  # a mistyped name is no folder
        if len(inputs) > 1:
            raise InputError(f"--out {out} is one file, for {len(inputs)} images: name a folder")
        outputs = [out]
    else:
        outputs = [
            (out or Path()) / f"{path.stem}.{kind}{'.png' if as_png else suffix_of_file(path)}"
            for path in inputs
        ]
    twice = [path for path, count in Counter(outputs).items() if count > 1]
    if twice:
        raise InputError(f"several images would become {twice[0]}: give them one at a time")
    resolved = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in resolved:
            raise InputError(f"{path} is an input: choose another --out")
    require_new((path for path in outputs if path != out), force=force)
    return outputs


def _require_format(path: Path) -> None:
    if path.suffix.lower() not in PHOTO_FORMATS:
        raise InputError(f"{path}: choose a name that ends in one of {', '.join(PHOTO_FORMATS)}")


def near_square_grid(pixels: np.ndarray, *, scale: int = 1) -> np.ndarray:
    """Lay faces `[N, S, S, 3]` uint8, N at least 1, out row by row: `[H', W', 3]` uint8.

    Args:
        pixels: The faces.
        scale: How many times as large they become.
    """
    from twobirds.evaluation.figures import grid

    columns = math.ceil(math.sqrt(len(pixels)))
    return np.asarray(grid(pixels, columns, cell_pixels=scale * pixels.shape[2]))

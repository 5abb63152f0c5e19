"""Drawn faces as a folder in CelebA's layout."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from twobirds.atomic import new_folder, require_free, write_json
from twobirds.data.drawn.people import Faces, sample_faces
from twobirds.data.drawn.rates import DRAWN_ATTRIBUTES
from twobirds.data.drawn.render import LANDMARKS, SIZES, render
from twobirds.data.processes import num_workers, process_pool
from twobirds.errors import InputError

DRAWN_FORMAT = 1
"""Version of the content of `drawn.json`."""
MAX_COUNT = 1_000_000
_CHUNK = 256  # faces a worker renders between two reports of progress
_VALID, _TEST = 1, 3  # persons with these remainders modulo 10 are held out: 80/10/10


def face_name(index: int) -> str:
    """File name of face `index`."""
    return f"{index:06d}.png"


def face_index(name: str) -> int:
    """Number of the face in a file of this name.

    Raises:
        InputError: If no drawn face has such a name.
    """
    digits = name.removesuffix(".png")
    if not (digits.isascii() and digits.isdigit() and face_name(int(digits)) == name):
        raise InputError(f"{name} is not the name of a drawn face, such as 000042.png")
    return int(digits)


def render_folder(
    out: Path | str,
    *,
    count: int,
    size: int = 64,
    seed: int = 0,
    independent: bool = False,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> Path:
    """Render faces 0 to count - 1 of a collection into a folder in CelebA's layout.

    It holds `img_align_celeba/NNNNNN.png` (lossless), `list_attr_celeba.txt`,
    `identity_CelebA.txt`, `list_eval_partition.txt` (80/10/10 by identity, from 32 faces on none
    of the three is empty) and `drawn.json`, which says where the landmarks are and all that it
    takes to render the faces again.

    Args:
        out: The folder to make. It appears under this name only when it is complete.
        count: Number of faces.
        size: Height and width of the images in pixels: 32, 64 or 128.
        seed: Seed of the collection.
        independent: Sample attributes independently instead of as in life.
        progress: Called now and then with the number of faces finished so far.
        workers: Number of processes; None takes one for each processor this one may use.

    Returns:
        `out` as a Path.

    Raises:
        InputError: If `out` holds something already, an argument is out of range, or a process
            dies. Nothing is left behind then.
    """
    out = Path(out)
    _check(out, count, size, workers)
    faces = sample_faces(seed, range(count), independent=independent)
    with new_folder(out) as partial_folder:
        (partial_folder / "img_align_celeba").mkdir()
        _write_images(partial_folder / "img_align_celeba", faces, size, progress, workers)
        _write_lists(partial_folder, faces)
        about = {
            "format": DRAWN_FORMAT,
            "seed": seed,
            "count": count,
            "size": size,
            "independent": independent,
            "landmarks": LANDMARKS,
        }
        write_json(partial_folder / "drawn.json", about)
    return out


def _check(out: Path, count: int, size: int, workers: int | None) -> None:
    if not 1 <= count <= MAX_COUNT:
        raise InputError(f"count must lie between 1 and {MAX_COUNT}, not {count}")
    if size not in SIZES:
        raise InputError(f"drawn faces come in sizes 32, 64 and 128, not {size}")
    num_workers(workers)  # refuses those that are not positive
    require_free(out)


def _write_images(
    folder: Path,
    faces: Faces,
    size: int,
    progress: Callable[[int], None] | None,
    workers: int | None,
) -> None:
    """Render and write all images, in this process where others would not pay."""
    starts = range(0, len(faces), _CHUNK)
    workers = min(num_workers(workers), len(starts))
    chunks = (faces.take(slice(start, start + _CHUNK)) for start in starts)
    write = partial(_write_chunk, folder, size)
    if workers == 1:
        _report(map(write, starts, chunks), progress)
        return
    with process_pool(workers, "rendering") as pool:
        _report(pool.map(write, starts, chunks), progress)


def _report(counts: Iterator[int], progress: Callable[[int], None] | None) -> None:
    """Run through `counts`, passing on their running sum."""
    finished = 0
    for count in counts:
        finished += count
        if progress is not None:
            progress(finished)


def _write_chunk(folder: Path, size: int, start: int, faces: Faces) -> int:
    """Render `faces` and write them under the numbers from `start` on; return how many."""
    for offset, image in enumerate(render(faces, size)):
        path = folder / face_name(start + offset)
        Image.fromarray(image).save(path, compress_level=1)
    return len(faces)


def _write_lists(folder: Path, faces: Faces) -> None:
    """Write CelebA's three lists: attributes, identities, partition."""
    names = [face_name(index) for index in range(len(faces))]
    signs = np.where(faces.attributes == 1, " 1", "-1")
    rows = [f"{name} {' '.join(row)}" for name, row in zip(names, signs, strict=True)]
    header = [str(len(names)), " ".join(DRAWN_ATTRIBUTES)]
    _write_lines(folder / "list_attr_celeba.txt", header + rows)
    identities = [f"{name} {i}" for name, i in zip(names, faces.identity, strict=True)]
    _write_lines(folder / "identity_CelebA.txt", identities)
    remainder = faces.identity % 10
    split = np.where(remainder == _VALID, 1, np.where(remainder == _TEST, 2, 0))
    parts = [f"{name} {part}" for name, part in zip(names, split, strict=True)]
    _write_lines(folder / "list_eval_partition.txt", parts)


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

"""Making a pack out of sources: check everything, decode in parallel, write all or nothing."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from twobirds.atomic import new_folder, require_free
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.combination import combine
from twobirds.data.decoding import decode_faces
from twobirds.data.images import CELEBA_SIZE, Crop, Face
from twobirds.data.pack import (
    ARRAYS,
    FORMAT,
    HEADER_FILE,
    Landmarks,
    Pack,
    check_landmarks,
    hash_file,
    hash_header,
    open_pack,
)
from twobirds.data.problems import Problem, report
from twobirds.data.processes import num_workers
from twobirds.data.selection import Choice, open_selected
from twobirds.data.source import Source
from twobirds.data.splits import (
    SplitRule,
    assign_splits,
    choose_rule,
    count_by_split,
    count_divided_people,
)
from twobirds.data.summary import describe_sources
from twobirds.data.writing import RowWriter
from twobirds.errors import InputError

Progress = Callable[[int, int], None]
"""Called with the number of images done, and of all."""

_CELEBA_POINTS = ((69.4, 111.2), (107.6, 111.2), (88.0, 135.2), (71.3, 151.9), (105.2, 151.9))
"""CelebA's landmark template in its 178x218 images, in pixels."""


SKIPPED_FILE = "skipped.txt"
"""Lies in a pack from which something was left out, and names it, an entry a line."""


def _template(left: float, top: float, side: float) -> Landmarks:
    """CelebA's landmarks as fractions of a square cut from its images."""
    return tuple(((x - left) / side, (y - top) / side) for x, y in _CELEBA_POINTS)


LANDMARKS: dict[str, Landmarks] = {
    "celeba": _template(0, (CELEBA_SIZE[1] - CELEBA_SIZE[0]) / 2, CELEBA_SIZE[0]),
    "celeba-tight": _template(12.7, 35.0, 152.0),
}
"""Templates by name: the paper's centre crop of 178 pixels, and a tighter square of 152."""


def pack_source(
    source: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    size: int,
    split: SplitRule | None = None,
    seed: int = 0,
    landmarks: str | Landmarks | None = None,
    skip_bad: bool = False,
    choice: Choice | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Pack:
    """Pack a source: CelebA's layout, a CSV with images, Parquet files, or drawn faces.

    Args:
        source: Folder, zip file, list, CSV or Parquet file; what it is, is recognized. Several are
            packed one after the other (see `combine`).
        out: Folder to make; it must not exist yet.
        size: Height and width of the packed images in pixels.
        split: How to split; None is by identity where people are known, else official, else random.
        seed: Of the split, where it is random.
        landmarks: A key of `LANDMARKS`, or five points as fractions (x, y). None is `celeba` for
            CelebA's own images, what `drawn.json` says for drawn ones, and else unknown.
        skip_bad: Leave bad rows and files out, instead of refusing the source.
        choice: What to leave out, and which columns to use where their names leave a choice.
        workers: Number of decoding processes; None for one on each CPU.
        progress: Told after each image.

    Returns:
        The pack, open.

    Raises:
        InputError: With all bad rows and files of the sources in one report; or if an option cannot
            be met, or the pack cannot be written. Nothing is left behind then.
    """
    _check_options(size, split, landmarks, workers)
    require_free(Path(out))
    paths = [source] if isinstance(source, Path | str) else source
    selected = open_selected(paths, choice or Choice())
    combined = combine(selected.sources)
    with new_folder(Path(out)) as temporary:
        rule = choose_rule(split, identity=combined.identity, partition=combined.partition)
        faces, images = decode_faces(combined, size, workers), temporary / "images.npy"
        written = _write_images(images, faces, combined, size, skip_bad, progress)
        if written.problems and not skip_bad:
            num_undecoded = len(written.problems) - len(combined.problems)
            raise report(written.problems, combined.label, len(combined) - num_undecoded)
        if not len(written.kept):
            raise InputError(f"{combined.label} has no usable image")
        header = _write_labels(temporary, combined, written.kept, rule, seed) | {
            "size": size,
            "split_seed": seed,
            "crop": next(iter(written.crops)) if len(written.crops) == 1 else "mixed",
            "landmarks": _choose_landmarks(landmarks, combined, written.crops),
            "skipped": len(written.problems),
            "enlarged": written.num_enlarged,
            "sources": describe_sources(selected, written.kept),
        }
        _write_header(temporary, header)
        _write_problems(temporary / SKIPPED_FILE, written.problems)
        pack = open_pack(temporary)  # before it takes its name: what fails is not there
    return replace(pack, path=Path(out))


def _check_options(
    size: int, split: str | None, landmarks: str | Landmarks | None, workers: int | None
) -> None:
    """Refuse options that no source could meet."""
    num_workers(workers)  # refuses those that are not positive
    if not 8 <= size <= 1024:
        raise InputError(f"size must be 8 to 1024 pixels, not {size}")
    if split is not None and split not in get_args(SplitRule):
        raise InputError(f"no split {split!r}: choose one of {', '.join(get_args(SplitRule))}")
    if isinstance(landmarks, str) and landmarks not in LANDMARKS:
        raise InputError(f"no landmarks {landmarks!r}: choose one of {', '.join(LANDMARKS)}")
    if not isinstance(landmarks, str | None) and not check_landmarks(landmarks):
        raise InputError("landmarks must be five (x, y) fractions of the image")


@dataclass
class _Written:
    """What `_write_images` did with the rows of a source."""

    problems: list[Problem]
    """All that is wrong with the source."""
    kept: list[int] = field(default_factory=list)
    """Rows that were written."""
    crops: Counter[Crop] = field(default_factory=Counter)
    """How often each crop was made."""
    num_enlarged: int = 0
    """Images with fewer pixels than the pack has."""


def _write_images(
    path: Path,
    faces: Generator[Face | Problem, None, None],
    source: Source,
    size: int,
    skip_bad: bool,
    progress: Progress | None,
) -> _Written:
    """Write the decoded faces as they come; once one is bad, only look for more bad ones."""
    total, written = len(source), _Written(list(source.problems))
    _check_space(path.parent, total * size * size * 3)
    with closing(faces), RowWriter(path, (size, size, 3), max_rows=total) as writer:
        for row, face in enumerate(faces):
            if isinstance(face, Problem):
                written.problems.append(face)
            elif skip_bad or not written.problems:
                writer.append(face.pixels)
                written.kept.append(row)
                written.crops[face.crop] += 1
                written.num_enlarged += face.side < size
            if progress is not None:
                progress(row + 1, total)
    return written


def _check_space(folder: Path, num_bytes: int) -> None:
    """Refuse a pack that does not fit on the disk before decoding for an hour."""
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise InputError(
            f"{folder.parent} has only {free:,} bytes free, but the images need {num_bytes:,}"
        )


def _choose_landmarks(
    requested: str | Landmarks | None, source: Source, crops: Counter[Crop]
) -> Landmarks | None:
    """The landmarks asked for, else those that the source implies, if any."""
    if isinstance(requested, str):
        return LANDMARKS[requested]
    if requested is not None:
        return requested
    if source.drawn is not None:
        return source.drawn.get("landmarks")
    is_celeba = source.attribute_names == CELEBA_ATTRIBUTES and set(crops) == {"center_178"}
    return LANDMARKS["celeba"] if is_celeba else None


def _write_labels(
    folder: Path, source: Source, kept: list[int], rule: SplitRule, seed: int
) -> dict[str, Any]:
    """Write the small arrays of the rows `kept`, and return what `pack.json` says of them."""
    identity = source.identity[kept]
    partition = None if source.partition is None else source.partition[kept]
    split, note = assign_splits(rule, seed, identity=identity, partition=partition)
    np.save(folder / "attributes.npy", source.attributes[kept])
    np.save(folder / "split.npy", split)
    np.save(folder / "identity.npy", identity)
    return {
        "format": FORMAT,
        "count": len(kept),
        "attributes": source.attribute_names,
        "split_rule": rule,
        "split_note": note,
        "splits": count_by_split(identity, split),
        "divided_people": count_divided_people(identity, split),
        "source": {"kind": source.kind, "name": source.label},
        "drawn": source.drawn,
        "names": [source.names[i] for i in kept],
    }


def _write_header(folder: Path, header: dict[str, Any]) -> None:
    """Hash the arrays and write `pack.json`."""
    header["sha256"] = {name: hash_file(folder / name) for name in ARRAYS}
    header["pack_sha256"] = hash_header(header)
    (folder / HEADER_FILE).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")


def _write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write what was left out with --skip-bad, an entry a line, if anything was."""
    if problems:
        lines = [f"{p.kind}: {p.where}: {p.what}\n" for p in problems]
        path.write_text("".join(lines), encoding="utf-8")

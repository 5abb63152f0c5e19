"""Writing the images of a pack into one file or several, here or on a Ray cluster."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from twobirds.data.decoding import decode_faces
from twobirds.data.engine import Engine, map_on_ray
from twobirds.data.images import Crop, Face
from twobirds.data.pack import hash_file
from twobirds.data.problems import Problem
from twobirds.data.shards import ONE_FILE, shard_file
from twobirds.data.source import Source
from twobirds.data.writing import RowWriter
from twobirds.errors import InputError

_HASH_BYTES = 16  # of an image: no two different ones share them by chance

Progress = Callable[[int, int], None]
"""Called with the number of images done, and of all."""


class ShardPlan(NamedTuple):
    """What is written, and where to."""

    folder: Path
    """An empty folder, which all workers see."""
    source: Source
    size: int
    """Height and width of the images in pixels."""
    skips_bad: bool
    """Whether to leave bad images out; else nothing is written once one is bad."""


@dataclass
class WrittenImages:
    """What came of some rows of a source."""

    files: dict[Path, int] = field(default_factory=dict)
    """The files with images, in order, and how many are in each."""
    hashes: list[str] = field(default_factory=list)
    """SHA-256 of each file, in hexadecimal."""
    problems: list[Problem] = field(default_factory=list)
    """Images that could not be used."""
    kept: list[int] = field(default_factory=list)
    """Rows that were written."""
    pixel_hashes: list[bytes] = field(default_factory=list)
    """Of each of them, as it was written."""
    crops: Counter[Crop] = field(default_factory=Counter)
    """How often each crop was made."""
    num_enlarged: int = 0
    """Images with fewer pixels than the pack has."""

    def add(self, other: "WrittenImages") -> None:
        """Add what came of the rows that follow."""
        self.files |= other.files
        self.hashes += other.hashes
        self.problems += other.problems
        self.kept += other.kept
        self.pixel_hashes += other.pixel_hashes
        self.crops += other.crops
        self.num_enlarged += other.num_enlarged


def write_images(plan: ShardPlan, engine: Engine, progress: Progress | None) -> WrittenImages:
    """Decode the images of a source and write them, in order.

    Args:
        plan: What to write.
        engine: Where to decode, and into how many files. A Ray cluster writes one in each task.
        progress: Called with the number of images done, and of all.

    Returns:
        What was written. The files have their final names.

    Raises:
        InputError: If a worker fails, or does not see the folder.
    """
    total = len(plan.source)
    step = engine.rows_per_file or max(1, total)
    parts = [range(start, min(start + step, total)) for start in range(0, total, step)]
    if engine.kind == "ray":
        shards = map_on_ray(_write_task, plan, parts)
    else:
        shards = _write_here(plan, parts, engine.workers, progress)
    written = WrittenImages()
    with closing(shards):
        for part, shard in zip(parts, shards, strict=True):
            written.add(shard)
            if progress is not None:
                progress(part.stop, total)
    return _with_final_names(written, plan.folder, is_sharded=engine.rows_per_file is not None)


def _write_here(
    plan: ShardPlan, parts: Iterable[range], workers: int | None, progress: Progress | None
) -> Generator[WrittenImages, None, None]:
    """Write file by file; processes of this machine decode ahead."""
    has_problems = bool(plan.source.problems)
    with closing(decode_faces(plan.source, plan.size, workers)) as faces:
        for part in parts:
            counted = _count(islice(faces, len(part)), part, len(plan.source), progress)
            shard = write_shard(plan, part, counted, writes=plan.skips_bad or not has_problems)
            has_problems |= bool(shard.problems)
            yield shard


def _count(
    faces: Iterable[Face | Problem], rows: range, total: int, progress: Progress | None
) -> Iterator[Face | Problem]:
    """Pass faces on, and report how many there were; `write_images` reports the last one."""
    for row, face in zip(rows, faces, strict=True):
        yield face
        if progress is not None and row + 1 < rows.stop:
            progress(row + 1, total)


def _write_task(plan: ShardPlan, rows: range) -> WrittenImages:
    """Decode some rows in this process and write them."""
    if not plan.folder.is_dir():
        raise InputError(
            f"a Ray worker does not see the folder {plan.folder.parent}: all machines need the "
            "sources and OUT at the same paths, on a file system that they share"
        )
    faces = decode_faces(plan.source.take(rows), plan.size, 1)
    return write_shard(plan, rows, faces, writes=plan.skips_bad or not plan.source.problems)


def write_shard(
    plan: ShardPlan, rows: range, faces: Iterable[Face | Problem], *, writes: bool
) -> WrittenImages:
    """Write the faces of some rows as they come; once one is bad, only look for more bad ones.

    The file has a name of its own, so that two workers never write the same one: Ray may repeat a
    task whose first worker is only thought to be dead.

    Args:
        plan: Where to, and which.
        rows: Of the source.
        faces: One for each row, or why there is none.
        writes: Whether to write at all, or only to look for what is bad.
    """
    written, size = WrittenImages(), plan.size
    path = plan.folder / f"{rows.start:012d}.{secrets.token_hex(4)}.npy"
    with RowWriter(path, (size, size, 3), max_rows=len(rows)) as writer:
        for row, face in zip(rows, faces, strict=True):
            if isinstance(face, Problem):
                written.problems.append(face)
            elif writes and (plan.skips_bad or not written.problems):
                writer.append(face.pixels)
                written.kept.append(row)
                written.pixel_hashes.append(hashlib.sha256(face.pixels.data).digest()[:_HASH_BYTES])
                written.crops[face.crop] += 1
                written.num_enlarged += face.side < size
    if written.kept:
        written.files[path] = len(written.kept)
        written.hashes.append(hash_file(path))
    return written


def _with_final_names(written: WrittenImages, folder: Path, *, is_sharded: bool) -> WrittenImages:
    """Name the files as they are called in a pack, and remove those of workers that died."""
    files = {}
    for number, (path, count) in enumerate(written.files.items()):
        final = folder / (shard_file(number) if is_sharded else ONE_FILE)
        files[path.rename(final)] = count
    for path in folder.iterdir():
        if path not in files:
            path.unlink()
    written.files = files
    return written

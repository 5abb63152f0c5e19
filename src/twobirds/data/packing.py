"""Making a pack out of sources: check everything, decode in parallel, write all or nothing."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from twobirds.atomic import new_folder, require_free
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.combination import combine
from twobirds.data.engine import Engine
from twobirds.data.images import Crop
from twobirds.data.pack import (
    FORMAT,
    HEADER_FILE,
    LABEL_ARRAYS,
    SHARDED_FORMAT,
    Landmarks,
    Pack,
    check_landmarks,
    hash_file,
    open_pack,
    seal_header,
)
from twobirds.data.problems import Problem, report
from twobirds.data.processes import num_workers
from twobirds.data.repeats import describe_repeats, warn_of_divided
from twobirds.data.selection import Choice, open_selected
from twobirds.data.shard_writing import Progress, ShardPlan, WrittenImages, write_images
from twobirds.data.source import Source
from twobirds.data.splits import (
    SplitRule,
    assign_splits,
    choose_rule,
    count_by_split,
    count_divided_people,
)
from twobirds.data.summary import describe_sources
from twobirds.data.templates import LANDMARKS
from twobirds.errors import InputError

SKIPPED_FILE = "skipped.txt"
"""Lies in a pack from which something was left out, and names it, an entry a line."""


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
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Pack:
    """Pack a source: CelebA's layout, a CSV with images, Parquet files, or drawn faces.

    The same picture in several splits is an `InputWarning`.

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
        engine: Where to decode, and into how many files; None for a process on each CPU of this
            machine, and one file.
        progress: Called after each image, or with Ray after each file.

    Returns:
        The pack, open.

    Raises:
        InputError: With all bad rows and files of the sources in one report; or if an option cannot
            be met, or the pack cannot be written. Nothing is left behind then.
    """
    engine = engine or Engine()
    _check_options(size, split, landmarks, engine)
    require_free(Path(out))
    paths = [source] if isinstance(source, Path | str) else source
    selected = open_selected(paths, choice or Choice())
    combined = combine(selected.sources)
    with new_folder(Path(out)) as temporary:
        rule = choose_rule(split, identity=combined.identity, partition=combined.partition)
        _check_space(temporary, len(combined) * size * size * 3)
        plan = ShardPlan(temporary, combined, size, skip_bad)
        written = write_images(plan, engine, progress)
        problems = _require_usable(combined, written, skip_bad=skip_bad)
        header = _write_labels(temporary, combined, written, rule, seed) | {
            "split_seed": seed,
            "landmarks": _choose_landmarks(landmarks, combined, written.crops),
            "skipped": len(problems),
            "sources": describe_sources(selected, written.kept),
            **_describe_images(size, written, is_sharded=engine.rows_per_file is not None),
        }
        _write_header(temporary, header, written)
        _write_problems(temporary / SKIPPED_FILE, problems)
        pack = open_pack(temporary)  # before it takes its name: what fails is not there
    warn_of_divided(header["repeats"])
    return replace(pack, path=Path(out))


def _check_options(
    size: int,
    split: str | None,
    landmarks: str | Landmarks | None,
    engine: Engine,
) -> None:
    """Refuse options that no source could meet."""
    num_workers(engine.workers)  # refuses those that are not positive
    if not 8 <= size <= 1024:
        raise InputError(f"size must be 8 to 1024 pixels, not {size}")
    if split is not None and split not in get_args(SplitRule):
        raise InputError(f"no split {split!r}: choose one of {', '.join(get_args(SplitRule))}")
    if isinstance(landmarks, str) and landmarks not in LANDMARKS:
        raise InputError(f"no landmarks {landmarks!r}: choose one of {', '.join(LANDMARKS)}")
    if not isinstance(landmarks, str | None) and not check_landmarks(landmarks):
        raise InputError("landmarks must be five (x, y) fractions of the image")


def _check_space(folder: Path, num_bytes: int) -> None:
    """Refuse a pack that does not fit on the disk before decoding for an hour."""
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise InputError(
            f"{folder.parent} has only {free:,} bytes free, but the images need {num_bytes:,}"
        )


def _require_usable(source: Source, written: WrittenImages, *, skip_bad: bool) -> list[Problem]:
    """Refuse bad rows and files unless they are skipped, and a source of which nothing is left."""
    problems = [*source.problems, *written.problems]
    if problems and not skip_bad:
        raise report(problems, source.label, len(source) - len(written.problems))
    if not written.kept:
        raise InputError(f"{source.label} has no usable image")
    return problems


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
    folder: Path, source: Source, written: WrittenImages, rule: SplitRule, seed: int
) -> dict[str, Any]:
    """Write the small arrays of the rows with images, and return what `pack.json` says of them."""
    kept = written.kept
    names = [source.names[i] for i in kept]
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
        "names": names,
        "repeats": describe_repeats(written.pixel_hashes, names, split),
    }


def _describe_images(size: int, written: WrittenImages, *, is_sharded: bool) -> dict[str, Any]:
    """What `pack.json` says of the images and the files that hold them."""
    described: dict[str, Any] = {
        "size": size,
        "crop": next(iter(written.crops)) if len(written.crops) == 1 else "mixed",
        "enlarged": written.num_enlarged,
    }
    if is_sharded:
        described |= {"format": SHARDED_FORMAT, "shards": list(written.files.values())}
    return described


def _write_header(folder: Path, header: dict[str, Any], written: WrittenImages) -> None:
    """Hash the arrays and write `pack.json`."""
    hashes = {path.name: value for path, value in zip(written.files, written.hashes, strict=True)}
    header["sha256"] = hashes | {name: hash_file(folder / name) for name in LABEL_ARRAYS}
    seal_header(header)
    (folder / HEADER_FILE).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")


def _write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write what was left out with --skip-bad, an entry a line, if anything was."""
    if problems:
        lines = [f"{problem.kind}: {problem.line()}\n" for problem in problems]
        path.write_text("".join(lines), encoding="utf-8")

"""Sources in CelebA's layout, as a folder or a zip file."""

import posixpath
from collections.abc import Sequence

import numpy as np

from twobirds.data.drawn_description import load_drawn
from twobirds.data.files import Archive, Files, Folder, ImageIndex
from twobirds.data.images import IMAGE_EXTENSIONS
from twobirds.data.listing import (
    Columns,
    Rows,
    check_attribute_names,
    collect_rows,
    is_count,
    load_lines,
    split_rows,
)
from twobirds.data.problems import Problem, shorten
from twobirds.data.source import Source, load_contents, locate_images
from twobirds.errors import InputError

ATTRIBUTE_LIST, PARTITION_LIST, IDENTITY_LIST = (
    "list_attr_celeba",
    "list_eval_partition",
    "identity_CelebA",
)
IMAGE_FOLDERS = ("img_align_celeba", "img_align_celeba_png", "img_celeba")
"""What CelebA calls the folders of its images, the aligned ones first."""
_IMAGE_ARCHIVES = tuple(f"{folder}.zip" for folder in IMAGE_FOLDERS)


def find_list(names: Sequence[str], stem: str) -> str | None:
    """Path of CelebA's list `stem`, as .txt or .csv, nearest to the root; or None."""
    wanted = {f"{stem}.txt": 0, f"{stem}.csv": 1}
    found = [name for name in names if name.rpartition("/")[2] in wanted]
    return min(
        found,
        key=lambda name: (name.count("/"), wanted[name.rpartition("/")[2]], name),
        default=None,
    )


def load_celeba(files: Files) -> Source:
    """Load the lists of a source in CelebA's layout, and check each row and file of them.

    Args:
        files: The folder or zip file.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If the attribute list is absent, or a list as a whole is damaged.
    """
    problems: list[Problem] = []
    file = find_list(files.names, ATTRIBUTE_LIST)
    if file is None:
        raise InputError(f"{files.label} has no {ATTRIBUTE_LIST}.txt or .csv")
    attribute_names, rows = _parse_attributes(files, file, problems)
    image_files = _find_image_files(files)
    index = ImageIndex(image_files.names, file, IMAGE_FOLDERS)
    paths = locate_images(rows, index, problems)
    identity = _match_labels(files, IDENTITY_LIST, rows, problems)
    partition = _match_labels(files, PARTITION_LIST, rows, problems)

    kept = [
        i
        for i, path in enumerate(paths)
        if path is not None
        and (identity is None or identity[i] >= 0)
        and (partition is None or partition[i] >= 0)
    ]
    kept_paths = [path for i in kept if (path := paths[i]) is not None]
    kept_wheres = [rows.wheres[i] for i in kept]
    return Source(
        kind="celeba",
        label=files.label,
        attribute_names=attribute_names,
        names=[rows.names[i] for i in kept],
        wheres=kept_wheres,
        attributes=rows.attributes[kept],
        identity=np.full(len(kept), -1, np.int64) if identity is None else identity[kept],
        partition=None if partition is None else partition[kept].astype(np.uint8),
        contents=lambda: load_contents(image_files, kept_paths, kept_wheres),
        problems=problems,
        drawn=load_drawn(files),
    )


def _parse_attributes(
    files: Files, file: str, problems: list[Problem]
) -> tuple[tuple[str, ...], Rows]:
    """Parse the attribute list: its rows follow the count and the names, or a CSV header."""
    lines = load_lines(files, file)
    table = split_rows(lines, file)
    count = None
    if not file.endswith(".csv"):
        line, cells = next(table)
        if len(cells) != 1 or not is_count(cells[0]):
            raise InputError(
                f"{file}:{line} must be the number of images, not {shorten(' '.join(cells))}"
            )
        count = int(cells[0])
    line, header = next(table, (len(lines), []))
    names = check_attribute_names(header[1:] if file.endswith(".csv") else header, f"{file}:{line}")
    columns = Columns(name=0, attributes=tuple(range(1, len(names) + 1)), width=len(names) + 1)
    body = list(table)
    if count is not None and count != len(body):
        what = f"says {count} images, but has {len(body)} rows"
        problems.append(Problem("wrong count", f"{file}:1", what))
    return names, collect_rows(body, columns, file, problems)


def _find_image_files(files: Files) -> Files:
    """The files with the images: the same, or the `img_align_celeba.zip` that CelebA serves."""
    archives = [name for name in files.names if name.rpartition("/")[2] in _IMAGE_ARCHIVES]
    has_images = any(name.lower().endswith(IMAGE_EXTENSIONS) for name in files.names)
    if isinstance(files, Folder) and archives and not has_images:
        return Archive(files.path / archives[0])
    return files


def _match_labels(
    files: Files, stem: str, rows: Rows, problems: list[Problem]
) -> np.ndarray | None:
    """Load an identity or partition list, and look up each image in it, whatever its extension.

    Returns:
        `[N]` int64, -1 where the list lacks the image (a problem); None without such a list.
    """
    file = find_list(files.names, stem)
    if file is None:
        return None
    labels = _parse_labels(files, file, 2 if stem == PARTITION_LIST else 2**62, problems)
    stems = [_stem(name) for name in rows.names]
    found = np.array([labels.get(stem, -1) for stem in stems], np.int64)
    for i in np.flatnonzero(found < 0).tolist():
        what = f"{shorten(rows.names[i])} is not in {file}"
        problems.append(Problem("missing", rows.wheres[i], what))
    return found


def _parse_labels(files: Files, file: str, largest: int, problems: list[Problem]) -> dict[str, int]:
    """Parse rows of an image and a number from 0 to `largest`, into numbers by file stem."""
    labels: dict[str, int] = {}
    for number, (line, cells) in enumerate(split_rows(load_lines(files, file), file)):
        where = f"{file}:{line}"
        if number == 0 and not cells[0].lower().endswith(IMAGE_EXTENSIONS):
            continue  # a header, as CSV variants have
        if len(cells) != 2:
            what = f"{len(cells)} columns instead of 2"
            problems.append(Problem("wrong number of columns", where, what))
        elif not is_count(cells[1], largest):
            value, name = shorten(cells[1]), shorten(cells[0])
            what = f"{value} for {name} is not a number from 0 to {largest}"
            problems.append(Problem("unknown value", where, what))
        elif (stem := _stem(cells[0])) in labels:
            problems.append(Problem("duplicate", where, f"{shorten(cells[0])} is there already"))
        else:
            labels[stem] = int(cells[1])
    return labels


def _stem(name: str) -> str:
    """File name without its extension, by which lists and images are matched."""
    return posixpath.splitext(posixpath.basename(name))[0]

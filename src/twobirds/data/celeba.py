"""Sources in CelebA's layout, as a folder or a zip file."""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.columns import column_of, is_missing
from twobirds.data.drawn_description import load_drawn
from twobirds.data.files import Archive, Files, Folder
from twobirds.data.listing import check_attribute_names, is_count, load_lines, split_rows
from twobirds.data.names import AmbiguousNameError, NameIndex, compose, is_image_name
from twobirds.data.problems import Problem, shorten
from twobirds.data.sheet import (
    Sheet,
    collect_rows,
    find_attributes,
    locate_images,
    rows_with_labels,
    source_of_sheet,
)
from twobirds.data.side_tables import find_side_column
from twobirds.data.source import Decisions, Source, file_loader
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


def load_celeba(files: Files, drop: Sequence[str] = ()) -> Source:
    """Load the lists of a source in CelebA's layout, and check each row and file of them.

    Args:
        files: The folder or zip file.
        drop: Attributes to leave out.

    Returns:
        The rows that are sound so far; their images are not decoded yet.

    Raises:
        InputError: If the attribute list is absent, or a list as a whole is damaged.
    """
    problems: list[Problem] = []
    file = find_list(files.names, ATTRIBUTE_LIST)
    if file is None:
        raise InputError(f"{files.label} has no {ATTRIBUTE_LIST}.txt or .csv")
    sheet, attribute_names = _load_attributes(files, file, drop, problems)
    found = find_attributes(sheet, attribute_names, required=True, drop=drop)
    image_files = _find_image_files(files)
    paths = locate_images(sheet, _image_index(image_files, file), problems)
    identity_list = find_list(files.names, IDENTITY_LIST)
    partition_list = find_list(files.names, PARTITION_LIST)
    people = _match_labels(files, identity_list, _PERSON, sheet, problems)
    splits = _match_labels(files, partition_list, _SPLIT, sheet, problems)
    kept = [
        row
        for row in rows_with_labels(sheet, found, problems)
        if None not in (paths[row], people[row], splits[row])
    ]
    sheet.columns[IDENTITY_LIST] = column_of(label or "" for label in people)
    partition = np.array([int(label or -1) for label in splits], np.int64)
    source = source_of_sheet(
        sheet,
        found,
        kept,
        kind="celeba",
        label=files.label,
        person=IDENTITY_LIST,
        partition=None if partition_list is None else partition,
        decisions=Decisions(file, identity_list, partition_list, found.codings, found.dropped),
        load=file_loader(image_files, paths, sheet.wheres),
        problems=problems,
    )
    drawn = load_drawn(files)
    return replace(
        source,
        drawn=drawn,
        column=lambda name: source.column(name) or find_side_column(files, source.names, name),
        has_celeba_people=drawn is None and identity_list is not None and _is_celeba(source),
    )


def _is_celeba(source: Source) -> bool:
    """Whether attributes and file names are CelebA's own, not only the layout."""
    return set(source.attribute_names) == set(CELEBA_ATTRIBUTES) and all(
        re.fullmatch(r"\d{6}(\.\w+)?", posixpath.basename(name)) for name in source.names
    )


def _load_attributes(
    files: Files, file: str, drop: Sequence[str], problems: list[Problem]
) -> tuple[Sheet, list[str]]:
    """Load the attribute list: its rows follow the count and the names, or a CSV header."""
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
    names = header[1:] if file.endswith(".csv") else header
    unwanted = {compose(name) for name in drop}
    wanted = [name for name in names if name not in unwanted]
    if wanted or not names:
        check_attribute_names(wanted, f"{file}:{line}")
    body = list(table)
    if count is not None and count != len(body):
        what = f"says {count} images, but has {len(body)} rows"
        problems.append(Problem("wrong count", f"{file}:1", what))
    return collect_rows(body, ["", *names], 0, file, problems), names


def _find_image_files(files: Files) -> Files:
    """The files with the images: the same, or the `img_align_celeba.zip` that CelebA serves."""
    archives = [name for name in files.names if name.rpartition("/")[2] in _IMAGE_ARCHIVES]
    has_images = any(is_image_name(name) for name in files.names)
    if isinstance(files, Folder) and archives and not has_images:
        return Archive(files.path / archives[0])
    return files


def _image_index(files: Files, file: str) -> NameIndex:
    """The images there are, seen from the attribute list."""
    images = [name for name in files.names if is_image_name(name)]
    return NameIndex(
        images, beside=posixpath.dirname(file), preferred=IMAGE_FOLDERS, roots=files.roots
    )


def _match_labels(
    files: Files,
    file: str | None,
    kind: "_LabelKind",
    sheet: Sheet,
    problems: list[Problem],
) -> list[str | None]:
    """Load an identity or partition list, and look up each image in it, whatever its extension.

    Returns:
        The N labels, None where the list lacks the image (a problem); empty without such a list.
    """
    if file is None:
        return [""] * len(sheet.names)
    labels = _load_labels(files, file, kind, problems)
    index = NameIndex(labels)
    found: list[str | None] = []
    for name, where in zip(sheet.names, sheet.wheres, strict=True):
        try:
            listed = index.find(name)
        except AmbiguousNameError as error:
            what = f"{shorten(name)} may be {' or '.join(map(shorten, error.paths))} of {file}"
            problems.append(Problem("ambiguous", where, what))
            found.append(None)
            continue
        if listed is None:
            problems.append(Problem("missing", where, f"{shorten(name)} is not in {file}"))
        found.append(None if listed is None else labels[listed])
    return found


def _load_labels(
    files: Files, file: str, kind: "_LabelKind", problems: list[Problem]
) -> dict[str, str]:
    """Load rows of an image and a label, into labels by name."""
    labels: dict[str, str] = {}
    for number, (line, cells) in enumerate(split_rows(load_lines(files, file), file)):
        where = f"{file}:{line}"
        if number == 0 and not is_image_name(cells[0]) and not kind.accepts(cells[-1]):
            continue  # a header, as CSV variants have
        if len(cells) != 2:
            what = f"{len(cells)} columns instead of 2"
            problems.append(Problem("wrong number of columns", where, what))
        elif not kind.accepts(cells[1]):
            what = f"{shorten(cells[1])} for {shorten(cells[0])} is no {kind.words}"
            problems.append(Problem("unknown value", where, what))
        elif cells[0] in labels:
            problems.append(Problem("duplicate", where, f"{shorten(cells[0])} is there already"))
        else:
            labels[cells[0]] = cells[1]
    return labels


def _is_person(text: str) -> bool:
    """Whether a cell is a person's number, or says that the person is not known."""
    return is_missing(text) or is_count(text.removeprefix("-").removesuffix(".0"))


def _is_split(text: str) -> bool:
    """Whether a cell is a code of a split."""
    return is_count(text, 2)


@dataclass(frozen=True)
class _LabelKind:
    """What a list of labels may say of an image."""

    words: str
    accepts: Callable[[str], bool]


_PERSON = _LabelKind("number of a person", _is_person)
_SPLIT = _LabelKind("number from 0 to 2 (train, valid, test)", _is_split)

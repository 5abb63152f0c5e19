"""The photos of a folder, and where their edits go."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twobirds.data.images import IMAGE_EXTENSIONS
from twobirds.errors import InputError
from twobirds.photos.photo import suffix_of_file

PHOTO_EXTENSIONS = (*IMAGE_EXTENSIONS, ".heic", ".heif")
"""Extensions, in lower case, of the files of a folder that are taken for photos."""
LOG_FILE = "edits.jsonl"
"""In the folder of the results; see `EditLog`."""


@dataclass(frozen=True)
class FolderPhoto:
    """A photo of a folder."""

    name: str
    """Its path within the folder, with slashes."""
    source: Path
    output_name: str
    """The path of its edit within the folder of the results, with slashes."""
    output: Path


@dataclass(frozen=True)
class PhotoFolder:
    """What is in a folder, subfolders included, and where it goes."""

    photos: tuple[FolderPhoto, ...]
    """By name."""
    others: Counter[str]
    """Numbers of files that are no photos, by extension in lower case."""


def list_photos(folder: Path, out: Path, *, as_png: bool) -> PhotoFolder:
    """List the photos of a folder and of its subfolders, and name their edits.

    Hidden files and folders are left out, and links to folders are not followed. An edit has the
    name of its photo, with the extension of the format that the photo's content has.

    Args:
        folder: The photos.
        out: Where the edits go; need not exist.
        as_png: Name all edits `.png`.

    Raises:
        InputError: If one of the folders lies in the other, there is no photo, or two edits would
            have the same name, also where a file system does not tell upper from lower case.
    """
    _require_apart(folder, out)
    photos, others = [], Counter[str]()
    for path in _files(folder):
        suffix = path.suffix.lower()
        if suffix not in PHOTO_EXTENSIONS:
            others[suffix or path.name] += 1
            continue
        name = path.relative_to(folder)
        output_name = name.with_suffix(".png" if as_png else suffix_of_file(path))
        photos.append(FolderPhoto(name.as_posix(), path, output_name.as_posix(), out / output_name))
    if not photos:
        raise InputError(f"{folder}: no photo is in it: none of {', '.join(PHOTO_EXTENSIONS)}")
    photos.sort(key=lambda photo: photo.name)
    _require_distinct(photos)
    _require_outside(photos, folder)
    return PhotoFolder(tuple(photos), others)


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder that are not hidden.

    Raises:
        OSError: If a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place) / name for name in files if not name.startswith("."))


def _require_apart(folder: Path, out: Path) -> None:
    """Refuse folders of which one lies in the other: results would be edited again, or replace."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file, for a folder of photos: name a folder")
    places = [_identities(path) for path in (folder, out)]
    if places[0][0] in places[1] or places[1][0] in places[0]:
        raise InputError(
            f"--out {out} and {folder} lie in each other, so that results would be edited again "
            "or replace photos: choose a folder beside it"
        )


def _identities(path: Path) -> list[object]:
    """What tells a place and each folder above it from others, however they are spelled."""
    place = Path(os.path.realpath(path))
    return [p.stat()[1:3] if p.exists() else p for p in (place, *place.parents)]


def _require_outside(photos: list[FolderPhoto], folder: Path) -> None:
    """Refuse results that links would lead into the folder of the photos."""
    inside = _identities(folder)[0]
    for parent in {photo.output.parent for photo in photos}:
        if inside in _identities(parent):
            raise InputError(
                f"{parent} leads back into {folder}: choose another --out, without links to it"
            )


def _require_distinct(photos: list[FolderPhoto]) -> None:
    """Refuse two results of one name, on any file system."""
    names: dict[str, str] = {_spelling(LOG_FILE): LOG_FILE}
    for photo in photos:
        other = names.setdefault(_spelling(photo.output_name), photo.name)
        if other != photo.name:
            raise InputError(
                f"{other} and {photo.name} would both become {photo.output_name} (upper and lower "
                "case are one on many file systems): rename one of them"
            )


def _spelling(name: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

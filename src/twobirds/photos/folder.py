"""The photos of a folder, and where their edits go."""

import os
import stat
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
class PhotoListing:
    """What is in a folder, subfolders included."""

    folder: Path
    names: tuple[str, ...]
    """Paths of the photos within it, with slashes, sorted."""
    others: Counter[str]
    """Numbers of files that are no photos, by extension in lower case."""
    links: tuple[str, ...]
    """Paths of links to folders, which are not followed."""

    def left_out(self) -> Iterator[str]:
        """What of the folder is left alone, in lines."""
        if self.others:
            listed = ", ".join(f"{count} {name}" for name, count in sorted(self.others.items()))
            yield f"{self.folder}: files that are no photos are left alone: {listed}"
        if self.links:
            yield f"{self.folder}: links to folders are not followed: {', '.join(self.links)}"


def list_photos(folder: Path) -> PhotoListing:
    """List the photos of a folder and of its subfolders.

    Hidden files and folders are left out, and links to folders are not followed.

    Raises:
        InputError: If there is no photo.
        OSError: If a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    names, others, links = list[str](), Counter[str](), list[str]()
    for place, folders, files in os.walk(folder, onerror=fail):
        below = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        links += [(below / name).as_posix() for name in folders if Path(place, name).is_symlink()]
        for name in (name for name in files if not name.startswith(".")):
            suffix = Path(name).suffix.lower()
            if _may_block(Path(place, name)):
                others["pipe or device"] += 1
            elif suffix in PHOTO_EXTENSIONS:
                names.append((below / name).as_posix())
            else:
                others[suffix or name] += 1
    if not names:
        raise InputError(f"{folder}: no photo is in it: none of {', '.join(PHOTO_EXTENSIONS)}")
    return PhotoListing(folder, tuple(sorted(names)), others, tuple(sorted(links)))


def _may_block(path: Path) -> bool:
    """Whether a file is a pipe, a device or a socket, which may be read forever."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def name_edits(listing: PhotoListing, out: Path, *, as_png: bool) -> tuple[FolderPhoto, ...]:
    """Say where the edit of each photo goes: under its name, with the extension of its content.

    Args:
        listing: The photos.
        out: Where the edits go; need not exist.
        as_png: Name all edits `.png`.

    Raises:
        InputError: If one of the folders lies in the other, or two edits would have the same name,
            also where a file system does not tell upper from lower case.
    """
    _require_apart(listing.folder, out)
    photos = []
    for name in listing.names:
        source = listing.folder / name
        suffix = ".png" if as_png else suffix_of_file(source)
        output_name = Path(name).with_suffix(suffix).as_posix()
        photos.append(FolderPhoto(name, source, output_name, out / output_name))
    _require_distinct(photos)
    _require_outside(photos, listing.folder)
    return tuple(photos)


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

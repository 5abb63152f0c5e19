"""A folder or a zip file as one flat list of files, and the finding of images in it."""

import os
import posixpath
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from twobirds.data.images import IMAGE_EXTENSIONS
from twobirds.errors import InputError

MAX_FILE_BYTES = 1 << 29
"""Larger files are refused: no list and no image is as large, but a damaged zip may claim it."""


class Files(Protocol):
    """Files below one root, named by relative paths with forward slashes."""

    @property
    def label(self) -> str:
        """Base name of the folder or archive."""

    @property
    def names(self) -> Sequence[str]:
        """Relative paths of all files, sorted."""

    def read(self, name: str) -> bytes:
        """Read a whole file; raises InputError with the reason where it cannot be."""


class Folder:
    """Files in a folder and its subfolders, linked ones too; hidden ones are left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = path.resolve().name
        self.names = sorted(_list_files(path))

    def read(self, name: str) -> bytes:
        """Read a whole file."""
        path = self.path / name
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise InputError("larger than 512 MiB")
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})") from error


def _list_files(root: Path) -> Iterator[str]:
    """Yield the relative paths of all files, each folder once: links may lead round in circles.

    Linked folders are entered last, so that a folder that lies here too keeps its own name.
    """
    seen: set[str] = set()
    pending = deque([root])
    while pending:
        for folder, subfolders, names in os.walk(pending.popleft()):
            real = os.path.realpath(folder)
            if real in seen:
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            paths = (Path(folder, name) for name in sorted(subfolders))
            pending.extend(path for path in paths if path.is_symlink())
            below = Path(folder).relative_to(root).as_posix()
            prefix = "" if below == "." else f"{below}/"
            yield from (prefix + name for name in names if not name.startswith("."))


class Archive:
    """Files in a zip file; what macOS adds to archives is left out."""

    def __init__(self, path: Path) -> None:
        self.label = path.name
        try:
            self._zip = zipfile.ZipFile(path)
            members = self._zip.namelist()
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is not a readable zip file: {error}") from error
        self.names = sorted(
            {
                name
                for name in members
                if not name.endswith("/")
                and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
            }
        )

    def read(self, name: str) -> bytes:
        """Read and unpack a whole member."""
        try:
            with self._zip.open(name) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except (OSError, EOFError, ValueError, KeyError, RuntimeError, zlib.error) as error:
            raise InputError(f"cannot be unpacked ({error})") from error
        except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise InputError(f"cannot be unpacked ({error})") from error
        if len(data) > MAX_FILE_BYTES:
            raise InputError("larger than 512 MiB")
        return data


def open_files(path: Path) -> Files:
    """List a folder or a zip file.

    Raises:
        InputError: If it is neither, or cannot be read.
    """
    if path.is_dir():
        return Folder(path)
    return Archive(path)


class ImageIndex:
    """Finds the images that a list names, whatever their folder and extension.

    A name is looked for beside the list, in the folder of the images, and from the root; first as
    it is, then with another extension: lists often say `.jpg` where files were converted since.
    """

    def __init__(self, names: Sequence[str], list_name: str, preferred: Sequence[str] = ()) -> None:
        """Index files.

        Args:
            names: All files.
            list_name: The list that will name images.
            preferred: What the folder of the images may be called; else it is the fullest one.
        """
        images = [name for name in names if name.lower().endswith(IMAGE_EXTENSIONS)]
        counts = Counter(posixpath.dirname(name) for name in images)
        ranked = sorted(counts, key=lambda folder: _rank(folder, counts[folder], preferred))
        self._folders = [posixpath.dirname(list_name), *ranked[:1], ""]
        self._images = set(images)
        self._by_stem = {posixpath.splitext(name)[0]: name for name in reversed(images)}

    def find(self, name: str) -> str | None:
        """Path of the image that the list calls `name`, or None."""
        name = name.replace("\\", "/")
        paths = [posixpath.normpath(posixpath.join(folder, name)) for folder in self._folders]
        for path in paths:
            if path in self._images:
                return path
        for path in paths:
            for stem in (posixpath.splitext(path)[0], path):
                if stem in self._by_stem:
                    return self._by_stem[stem]
        return None


def _rank(folder: str, count: int, preferred: Sequence[str]) -> tuple[int, int, str]:
    """Sort key: preferred names first, in their order, then the fullest folder."""
    base = posixpath.basename(folder)
    place = preferred.index(base) if base in preferred else len(preferred)
    return place, -count, folder

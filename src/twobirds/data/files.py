"""A folder or a zip file as one flat list of files."""

import contextlib
import lzma
import os
import stat
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from twobirds.errors import InputError

MAX_FILE_BYTES = 1 << 29
"""Larger files are refused: no list and no image is as large, but a damaged zip may claim it."""
_DAMAGE = (OSError, EOFError, ValueError, KeyError, RuntimeError, zlib.error, lzma.LZMAError)
"""What unpacking damaged data raises beside zipfile's own errors."""


class Files(Protocol):
    """Files below one root, named by relative paths with forward slashes."""

    @property
    def label(self) -> str:
        """Base name of the folder or archive."""

    @property
    def names(self) -> Sequence[str]:
        """Relative paths of all files, sorted."""

    @property
    def roots(self) -> Sequence[str]:
        """Absolute paths of the folder, with and without links; none of an archive."""

    def read(self, name: str) -> bytes:
        """Read a whole file; raises InputError with the reason where it cannot be."""


class Folder:
    """Files in a folder and its subfolders, linked ones too; hidden ones are left out."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # another process may have another current folder
        self.label = path.resolve().name
        self.names = sorted(_list_files(path))
        self.roots = (os.path.abspath(path), os.path.realpath(path))  # noqa: PTH100

    def read(self, name: str) -> bytes:
        """Read a whole file."""
        path = self.path / name
        try:
            state = path.stat()
            if not stat.S_ISREG(state.st_mode):  # a pipe or a device may be read forever
                raise InputError("not a regular file")
            if state.st_size > MAX_FILE_BYTES:
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

    roots: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self.label = path.name
        self._path = path.absolute()
        try:
            self._zip = zipfile.ZipFile(path)
            members = [(_member_name(member), member) for member in self._zip.infolist()]
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is not a readable zip file: {error}") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for name, member in members:
            if name.endswith("/") or any(p.startswith((".", "__MACOSX")) for p in name.split("/")):
                continue
            if name in self._members:
                raise InputError(f"{path} holds {name!r} twice: which one is meant is not known")
            self._members[name] = member
        self.names = sorted(self._members)

    def __reduce__(self) -> tuple[type["Archive"], tuple[Path]]:
        """Another process opens the file itself."""
        return Archive, (self._path,)

    def read(self, name: str) -> bytes:
        """Read and unpack a whole member."""
        try:
            with self._zip.open(self._members[name]) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except (*_DAMAGE, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise InputError(f"cannot be unpacked ({error})") from error
        if len(data) > MAX_FILE_BYTES:
            raise InputError("larger than 512 MiB")
        return data


def _member_name(member: zipfile.ZipInfo) -> str:
    """Path of a member with forward slashes, and in UTF-8 where only the flag for it is absent."""
    name = member.filename.replace("\\", "/")
    if not member.flag_bits & 0x800:  # zipfile then decoded the bytes as code page 437
        with contextlib.suppress(UnicodeError):
            return name.encode("cp437").decode("utf-8")
    return name


def open_files(path: Path) -> Files:
    """List a folder or a zip file.

    Raises:
        InputError: If it is neither, or cannot be read.
    """
    if path.is_dir():
        return Folder(path)
    return Archive(path)

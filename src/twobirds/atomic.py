"""Files and folders that are either whole or absent."""

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twobirds.errors import InputError

if sys.platform != "win32":
    import fcntl

_CURRENT_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def write_atomically(
    path: Path,
    write: Callable[[Any], None],
    *,
    before_replacing: Callable[[Path], None] | None = None,
) -> None:
    """Write a file under a temporary name beside it and move it into place once it is on disk.

    Args:
        path: The file to create or replace.
        write: Called with the open binary file.
        before_replacing: Called with the temporary file once it is on disk; may refuse it.

    Raises:
        OSError: If it cannot be written; names `path`, at which nothing has changed then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            try_lock(file.fileno())  # while it is held, `remove_unfinished` leaves the file
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if before_replacing is not None:
            before_replacing(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:  # of a full disk, the system does not say which file it was
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove what kills have left of `write_atomically`.

    Args:
        path: The file that was to be written.
    """
    unfinished = re.compile(rf"\.{re.escape(path.name)}\.\d+\.tmp")
    for place in path.parent.glob(".*.tmp"):
        if unfinished.fullmatch(place.name):
            remove_abandoned(place)


def remove_abandoned(temporary: Path) -> None:
    """Remove a temporary file of `write_atomically`, unless it is being written.

    Where the system has no locks, nothing tells the two apart, and it stays.
    """
    with contextlib.suppress(OSError), temporary.open("rb") as file:
        if _lock(file.fileno()):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    # Names of files in it may hold any bytes.
    write_atomically(path, lambda file: file.write(text.encode(errors="backslashreplace")))


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, indented, with a newline at the end."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Load a JSON file.

    Raises:
        InputError: If it is absent, unreadable or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON: {error}") from error


def json_sha256(content: Mapping[str, Any]) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def require_free(path: Path) -> Path:
    """Check that a folder can be made at `path`, before any work is done for it.

    Args:
        path: The folder to make. A link stands for the place that it leads to.

    Returns:
        The place, absolute and without links.

    Raises:
        InputError: If something is there that is no empty folder, or that a folder cannot replace.
    """
    place = Path(os.path.realpath(path))
    is_empty = place.is_dir() and not any(place.iterdir())
    if os.path.lexists(place) and not is_empty:
        raise InputError(f"{path} exists already: choose another name, or delete it first")
    if os.path.ismount(place):
        raise InputError(f"{path} is a mount point, which cannot be replaced: name a folder in it")
    if is_empty and place in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{path} is the folder you are in: name another one, such as {path}/pack")
    return place


@contextmanager
def new_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder beside `path` that takes this name once it is complete.

    The files straight in it are on disk then. Those of subfolders need not be: to flush thousands
    of pictures one by one takes many minutes. Whatever goes wrong meanwhile, Ctrl-C included, the
    temporary folder is removed.

    Args:
        path: The folder to make.
        replace: Let it take the place of what is there; else only an empty folder ever goes.

    Yields:
        The temporary folder.

    Raises:
        InputError: If `path` holds something and is not to be replaced, or cannot be written.
    """
    place = Path(os.path.realpath(path)) if replace else require_free(path)
    temporary = place.parent / f".{place.name}.{secrets.token_hex(4)}.partial"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        for part in (*temporary.iterdir(), temporary):
            _flush(part)
        if replace:
            _move_into_place(temporary, place)
        else:
            _move_onto_nothing(temporary, place, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder against other processes, until it is closed.

    Returns:
        False where another process holds the lock. True where the system has no locks: whoever
        works there must keep processes apart.
    """
    return _lock(descriptor) is not False


def _lock(descriptor: int) -> bool | None:
    """Lock an open file or folder; returns whether this process holds it, None without locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return os.fstat(descriptor).st_nlink > 0  # else its holder has just removed it


@contextmanager
def holding_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder if it is free; yields whether it was."""
    if sys.platform == "win32":  # opens no folders
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)


def _move_onto_nothing(temporary: Path, place: Path, path: Path) -> None:
    """Rename a folder; `rename` itself refuses a place where there is more than an empty folder."""
    try:
        temporary.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise InputError(f"{path} has appeared meanwhile: choose another name") from error
    _flush(place.parent)


def _move_into_place(temporary: Path, path: Path) -> None:
    """Rename a folder over another, of which nothing is left then; on failure the other stays."""
    if path.exists() and _exchange(temporary, path):
        _flush(path.parent)  # what was there goes with the temporary name
        return
    old = temporary.with_suffix(".old")
    if path.exists():
        path.rename(old)
    try:
        temporary.rename(path)
    except BaseException:
        if old.exists():
            old.rename(path)
        raise
    _flush(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that a kill leaves either; whether the system could."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(_CURRENT_FOLDER, names[0], _CURRENT_FOLDER, names[1], _EXCHANGE) == 0)


def _flush(path: Path) -> None:
    """Make sure that a file or folder is on disk, not in memory only."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

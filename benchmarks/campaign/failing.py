"""Ways to make this process's environment fail, for good (Linux)."""

import ctypes
import itertools
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_NOBODY = 65_534
_CAPABILITIES = 0x20080522  # version of the call
_NEW_MOUNTS, _READ_ONLY, _BIND, _REMOUNT = 0x20000, 1, 4096, 32  # of sched.h and mount.h
_RECURSIVE, _PRIVATE = 1 << 14, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def limit_files(num_bytes: int) -> None:
    """Let no file grow further, as with a quota; with an error in place of a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


def limit_open_files(more: int) -> None:
    """Let this process open a few more files only."""
    # The limit is one of numbers: of those below it, so many may be free.
    numbers = {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208
    used = {number for number in numbers if os.path.exists(f"/proc/self/fd/{number}")}  # noqa: PTH110
    free = (number for number in range(len(used) + more + 1) if number not in used)
    limit = next(itertools.islice(free, more, None))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def limit_memory(more: int) -> None:
    """Let this process take some more bytes of memory only."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))


def give_away(folder: Path) -> None:
    """Let a folder belong to another user, and lose the rights of an administrator."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITIES, 0), nothing):
        raise OSError(ctypes.get_errno(), "capset")


def put_on_small_disk(folder: Path, more: int) -> None:
    """Put a folder with what it holds on a file system that has some more bytes only."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    page = resource.getpagesize()
    num_bytes = more + sum(-(-size // page) * page for size in sizes)
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        _leave_common_mounts()
        _mount(b"tmpfs", folder, b"tmpfs", 0, f"size={num_bytes}".encode())
        shutil.copytree(kept, folder, dirs_exist_ok=True)


def make_read_only(folder: Path) -> None:
    """Mount a folder so that nothing can be written to it."""
    _leave_common_mounts()
    _mount(os.fsencode(folder), folder, b"", _BIND, b"")
    _mount(b"", folder, b"", _BIND | _REMOUNT | _READ_ONLY, b"")


def can_mount() -> bool:
    """Whether this process may mount file systems, tried in a child."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            put_on_small_disk(Path(folder), 1 << 20)
            code = 0
            _libc.umount2(os.fsencode(folder), 2)
    finally:
        os._exit(code)


def jump_clock() -> None:
    """Let the clock on the wall jump by years and days, forward and back, whenever it is asked."""
    read, jumps = time.time, (0.0, 3e8, -86_400.0, 3_600.0, -3e8)
    count = iter(range(10**9))
    time.time = lambda: read() + jumps[next(count) % len(jumps)]
    read_ns = time.time_ns
    time.time_ns = lambda: read_ns() + int(jumps[next(count) % len(jumps)] * 1e9)


def _leave_common_mounts() -> None:
    """Mount in this process alone from now on."""
    if _libc.unshare(_NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount(b"", Path("/"), b"", _RECURSIVE | _PRIVATE, b"")


def _mount(source: bytes, target: Path, kind: bytes, flags: int, options: bytes) -> None:
    if _libc.mount(source, os.fsencode(target), kind, flags, options):
        raise OSError(ctypes.get_errno(), "mount", str(target))


Prepare = Callable[[], None]
"""Makes the environment of this process fail."""

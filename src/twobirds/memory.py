"""How a process that trains on a CPU takes memory from the system; needs no PyTorch."""

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of mallopt(3)


def use_huge_pages() -> None:
    """Have PyTorch ask Linux for huge pages for its large tensors; to call before it is imported.

    One page fault then takes the place of 512 (docs/modern.md, "Speed"). Without effect once the
    process has made a tensor, as some packages do on import; a value that the user has set stays.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def keep_freed_memory() -> None:
    """Have the C library keep freed memory, where it is glibc, from now on in this process.

    Every iteration frees the tensors that the next one allocates again. Giving the large ones back
    to the system and having them zeroed anew costs a tenth of the time of training on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)  # nothing is mapped by itself, however large
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)

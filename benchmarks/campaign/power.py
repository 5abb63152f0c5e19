"""Power cuts, simulated: what was not flushed to the disk is lost.

A child notes what it flushed and renamed; after a kill the parent takes back what a file system
need not have kept. The content of a file is kept as far as its last fsync; what was written later
is cut off at a random place, or gone. A rename is kept once its folder was flushed; of the later
ones only the first few.
"""

import itertools
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twobirds import atomic

Flushed = dict[int, int]
"""Bytes that are on disk, by number of the inode."""


class Journal:
    """What a process flushed and renamed, in a folder of its own that outlives it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.numbers = itertools.count()

    def install(self) -> None:
        """Note every flush and rename of this process from now on."""
        os.fsync = self._after(os.fsync, self._note_flush)
        for name in ("rename", "replace"):
            setattr(os, name, self._before(getattr(os, name), self._note_rename))
        atomic._exchange = self._before(atomic._exchange, self._note_exchange)

    def _after(self, act: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            result = act(*arguments, **options)
            note(*arguments)
            return result

        return noted

    def _before(self, act: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            note(*arguments)
            return act(*arguments, **options)

        return noted

    def _note_flush(self, descriptor: int) -> None:
        state = os.fstat(descriptor)
        place = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        self._write(flush=place, inode=state.st_ino, size=state.st_size)

    def _note_rename(self, source: Any, target: Any) -> None:
        kept = None
        if os.path.isfile(target):  # noqa: PTH113
            kept = str(self.folder / f"kept-{next(self.numbers)}")
            os.link(target, kept)
        self._write(rename=[os.path.abspath(source), os.path.abspath(target)], kept=kept)  # noqa: PTH100

    def _note_exchange(self, one: Path, other: Path) -> None:
        self._write(exchange=[str(one), str(other)])

    def _write(self, **event: Any) -> None:
        os.write(self.file, json.dumps(event).encode() + b"\n")


def durable_files(folder: Path) -> Flushed:
    """Everything in a folder, taken as flushed long ago."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {state.st_ino: state.st_size for state in map(os.stat, files)}


def cut_power(folder: Path, journal: Path, before: Flushed, rng: random.Random) -> None:
    """Take back what need not have reached the disk.

    Args:
        folder: In which a process was killed.
        journal: Folder of its journal.
        before: What was durable before it began.
        rng: Chooses among what could be.
    """
    lines = (journal / "journal").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    flushed = dict(before)
    pending: list[dict[str, Any]] = []
    for event in events:
        if "flush" not in event:
            pending.append(event)
            continue
        flushed[event["inode"]] = event["size"]
        pending = [e for e in pending if not _is_settled(e, event["flush"])]
    for event in reversed(pending[rng.randint(0, len(pending)) :]):
        _undo(event)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _lose_content(path, flushed, rng)


def _is_settled(event: dict[str, Any], folder: str) -> bool:
    """Whether flushing a folder made a rename durable."""
    places: list[str] = event.get("rename") or event["exchange"]
    return os.path.dirname(places[1]) == folder  # noqa: PTH120


def _undo(event: dict[str, Any]) -> None:
    """Take back one rename, if the process came as far as to make it."""
    if "exchange" in event:
        if all(Path(place).exists() for place in event["exchange"]):
            atomic._exchange(*map(Path, event["exchange"]))
        return
    source, target = map(Path, event["rename"])
    if source.exists() or not target.exists():
        return
    target.rename(source)
    if event["kept"] is not None:
        os.link(event["kept"], target)


def _lose_content(path: Path, flushed: Flushed, rng: random.Random) -> None:
    """Cut a file to what was flushed, or to a random length, or remove it."""
    state = path.stat()
    kept = flushed.get(state.st_ino)
    if kept is None and rng.random() < 0.5:
        path.unlink()
    elif kept is None or kept < state.st_size:
        os.truncate(path, rng.randint(kept or 0, state.st_size))

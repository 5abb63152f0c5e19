"""What became of each photo of a folder: a file of JSON Lines, from which an edit goes on."""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from twobirds.atomic import holding_lock, remove_abandoned, write_text
from twobirds.data.pack import hash_file
from twobirds.errors import InputError
from twobirds.photos.folder import LOG_FILE

Status = Literal["edited", "unchanged", "refused"]
_UNFINISHED = re.compile(r"\..+\.\d+\.tmp")  # see `write_atomically`


@dataclass(frozen=True)
class LogEntry:
    """What became of a photo."""

    photo: str
    """Its path within its folder, with slashes."""
    status: Status
    """`unchanged` if the edit changes no pixel: the result is the photo itself."""
    source_sha256: str | None = None
    """None of a file that cannot be read."""
    output: str | None = None
    """The path of the result within its folder, with slashes; None of a photo that is refused."""
    output_sha256: str | None = None
    reason: str | None = None
    """Why it is refused, in words."""
    faces: Sequence[Mapping[str, Any]] = ()
    """What became of each face that was edited, as `edit --json` prints it."""
    notes: Sequence[str] = ()
    """Where its faces are, and what is to be said of them."""


class EditLog:
    """The log of a folder of results; made by `EditLog.opened`.

    Args:
        out: The folder.
        edit: What is done to the photos, by which model.
        entries: What became of photos already.
        file: The log, to which lines are added.
    """

    def __init__(
        self, out: Path, edit: Mapping[str, Any], entries: Mapping[str, LogEntry], file: IO[str]
    ) -> None:
        self.path = out / LOG_FILE
        self.entries = dict(entries)
        self._out, self._edit, self._file = out, edit, file

    @classmethod
    @contextlib.contextmanager
    def opened(cls, out: Path, edit: Mapping[str, Any]) -> Iterator["EditLog"]:
        """Begin or go on with the results of an edit.

        The log is there before the first result, and an entry before the result that it is about:
        whatever is in the folder without an entry came from elsewhere. Closed without an error,
        the log is sorted by photo, so that its bytes do not tell whether the edit was interrupted.

        Args:
            out: The folder; made if absent.
            edit: What is done, as JSON takes it.

        Yields:
            The log. Photos that were refused have no entry: they are looked at again.

        Raises:
            InputError: If the folder holds results of another edit, or anything else, or another
                process is writing there.
        """
        out.mkdir(parents=True, exist_ok=True)
        with holding_lock(out) as is_free:
            if not is_free:
                raise InputError(f"{out}: another process is writing there: wait until it ends")
            entries = _load(out, edit)
            _remove_unfinished(out)
            _save(out, edit, entries)
            with (out / LOG_FILE).open("a", encoding="utf-8") as file:
                log = cls(out, edit, entries, file)
                yield log
            _save(out, edit, log.entries)

    def is_done(self, photo: str, source_sha256: str, output: str) -> bool:
        """Whether the result of a photo is there, whole, and of this edit.

        Args:
            photo: Its name.
            source_sha256: Of the photo as it is now.
            output: The name of its result.

        Raises:
            InputError: If something else is in the place of the result.
        """
        entry = self.entries.get(photo)
        present = _sha256_of(self._out / output)
        ours = present is not None and entry is not None and present == entry.output_sha256
        if present is not None and not ours:
            raise InputError(
                f"{self._out / output} is not what this edit has written: delete it, or name "
                "another --out"
            )
        return ours and entry is not None and entry.source_sha256 == source_sha256

    def add(self, entry: LogEntry) -> None:
        """Write down what becomes of a photo; a result of the photo as it was before goes.

        Of a photo that cannot be read nobody knows whether it has changed: a result that is there
        stays, and so does its entry.
        """
        old = self.entries.get(entry.photo)
        if old is not None and entry.source_sha256 is None:
            return
        if old is not None and old.output is not None:
            place = self._out / old.output
            if _sha256_of(place) == old.output_sha256 != entry.output_sha256:
                place.unlink()
        self._file.write(_line(entry))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.entries[entry.photo] = entry


def _line(entry: LogEntry) -> str:
    fields = {name: value for name, value in asdict(entry).items() if value not in (None, ())}
    return json.dumps(fields, ensure_ascii=True) + "\n"


def _save(out: Path, edit: Mapping[str, Any], entries: Mapping[str, LogEntry]) -> None:
    lines = [_line(entries[name]) for name in sorted(entries)]
    write_text(out / LOG_FILE, json.dumps({"edit": edit}) + "\n" + "".join(lines))


def _load(out: Path, edit: Mapping[str, Any]) -> dict[str, LogEntry]:
    """The entries of a folder of results; those of refused photos are left out."""
    path = out / LOG_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        if any(not _UNFINISHED.fullmatch(path.name) for path in out.iterdir()):
            raise InputError(
                f"--out {out} holds other files and no {LOG_FILE}: name a new or empty folder"
            ) from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: name another --out") from error
    whole = [line for line in lines if line.endswith("\n")]  # the last may be cut off by a kill
    try:
        before = json.loads(whole[0])["edit"]
        found = [LogEntry(**json.loads(line)) for line in whole[1:]]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no log of an edit, or damaged: delete {out}, or name another --out"
        ) from error
    _require_same(out, before, edit)
    entries = {entry.photo: entry for entry in found}  # of two the later one
    return {name: entry for name, entry in entries.items() if entry.status != "refused"}


def _remove_unfinished(out: Path) -> None:
    """Remove what a kill has left of files that were being written."""
    for path in out.rglob(".*.tmp"):
        if _UNFINISHED.fullmatch(path.name):
            remove_abandoned(path)


def _require_same(out: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to mix the results of two edits."""
    for name in {**now, **before}:
        old, new = before.get(name), now.get(name)
        if old != new:
            raise InputError(
                f"--out {out} holds results of another edit, with {name} {json.dumps(old)} and "
                f"not {json.dumps(new)}: name another folder, or delete it first"
            )


def _sha256_of(path: Path) -> str | None:
    """The hash of a file's content; None where nothing is."""
    return hash_file(path) if os.path.lexists(path) else None

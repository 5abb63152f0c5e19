"""The photos of a folder edited one after the other: decoding, editing and encoding overlap."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from twobirds.atomic import write_atomically
from twobirds.errors import InputError
from twobirds.photos.edit_log import EditLog, LogEntry
from twobirds.photos.edits import FaceEdits
from twobirds.photos.folder import FolderPhoto
from twobirds.photos.marks import Marks
from twobirds.photos.photo import Photo
from twobirds.photos.session import OpenPhoto, PhotoSession

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 1  # photos that wait on either side of the one that is edited; each takes its memory


class PhotoEdits(NamedTuple):
    """What is done to a photo."""

    photo: OpenPhoto
    """As it was, with what is protected of it."""
    edits: FaceEdits
    faces: Sequence[Mapping[str, Any]] = ()
    """What became of each face, as JSON takes it."""
    notes: Sequence[str] = ()
    """What is to be said of them, in lines."""


class EditPhoto(Protocol):
    """Edits the faces of a photo."""

    def __call__(self, name: str, photo: OpenPhoto) -> PhotoEdits:
        """Choose faces and edit them.

        Raises:
            InputError: If the photo is refused.
        """
        ...


@dataclass(frozen=True, eq=False)
class FolderEdit:
    """How the photos of a folder are edited."""

    session: PhotoSession
    edit: EditPhoto
    marks: Marks
    is_aligned: bool = False
    """The photos are faces that are cut already."""


@dataclass(frozen=True)
class Outcome:
    """What became of a photo in this run."""

    entry: LogEntry
    is_new: bool = True
    """False where its result was there already."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """A photo on its way."""

    planned: FolderPhoto
    outcome: Outcome | None = None
    """Once there is nothing more to do."""
    source_sha256: str | None = None
    data: bytes = b""
    photo: Photo | None = None
    made: PhotoEdits | None = None

    def refused(self, reason: object) -> "_Stage":
        """The photo with its refusal."""
        entry = LogEntry(self.planned.name, "refused", self.source_sha256, reason=str(reason))
        return _Stage(self.planned, Outcome(entry))


def edit_photos(photos: Sequence[FolderPhoto], job: FolderEdit, log: EditLog) -> Iterator[Outcome]:
    """Edit the photos that are not done yet; each result is written whole or not at all.

    One thread decodes, one encodes and writes; the caller's edits. What these have begun they end,
    whatever goes wrong elsewhere.

    Args:
        photos: Which photos, and where results go.
        job: How.
        log: Of the folder of the results.

    Yields:
        What became of each photo, in their order.

    Raises:
        OSError: If a result cannot be written.
    """
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        decoded = _ahead(reader, lambda photo: _decode(photo, job, log), photos)
        edited = (_edit(stage, job) for stage in decoded)
        yield from _ahead(writer, lambda stage: _write(stage, job, log), edited)


def _ahead(executor: Executor, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Results in order, of which a few are worked on before they are asked for."""
    begun: deque[Future[R]] = deque()
    try:
        for item in items:
            begun.append(executor.submit(function, item))
            if len(begun) > _AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


def _decode(planned: FolderPhoto, job: FolderEdit, log: EditLog) -> _Stage:
    """Load a photo, unless its result is there."""
    stage = _Stage(planned)
    try:
        data = planned.source.read_bytes()
    except OSError as error:
        return stage.refused(f"cannot be read: {error.strerror}")
    stage = replace(stage, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    try:
        if log.is_done(planned.name, str(stage.source_sha256), planned.output_name):
            return replace(stage, outcome=Outcome(log.entries[planned.name], is_new=False))
        return replace(stage, photo=job.session.decode(data, is_aligned=job.is_aligned))
    except InputError as error:
        return stage.refused(error)


def _edit(stage: _Stage, job: FolderEdit) -> _Stage:
    """Find the faces of a decoded photo and edit them."""
    if stage.photo is None:
        return stage
    try:
        opened = job.session.find(stage.data, stage.photo, is_aligned=job.is_aligned)
        return replace(stage, made=job.edit(stage.planned.name, opened))
    except InputError as error:
        return stage.refused(error)


def _write(stage: _Stage, job: FolderEdit, log: EditLog) -> Outcome:
    """Encode an edited photo; write the entry of the log, then the file."""
    content = b""
    if stage.made is not None:
        stage, content = _encode(stage, stage.made, job.marks)
    outcome = stage.outcome
    assert outcome is not None
    if outcome.is_new:
        log.add(outcome.entry)
    if content:
        write_atomically(stage.planned.output, lambda file: file.write(content))
    return outcome


def _encode(stage: _Stage, made: PhotoEdits, marks: Marks) -> tuple[_Stage, bytes]:
    """Composite and encode an edited photo; no content where that is refused."""
    planned = stage.planned
    try:
        result = made.photo.encode(made.edits.by_index, marks, planned.output.suffix)
    except InputError as error:
        return stage.refused(error), b""
    entry = LogEntry(
        planned.name,
        "edited" if result.is_changed else "unchanged",
        stage.source_sha256,
        planned.output_name,
        hashlib.sha256(result.content).hexdigest(),
        faces=tuple(made.faces),
        notes=tuple(made.notes),
    )
    return _Stage(planned, Outcome(entry)), result.content

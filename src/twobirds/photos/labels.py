"""Recognizing the faces of many photos, here or on a Ray cluster, into one table."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from twobirds.api import FaceModel
from twobirds.data.engine import Engine, map_on_ray
from twobirds.errors import InputError, missing_extra
from twobirds.photos.choice import FaceChoice
from twobirds.photos.session import PhotoSession

_PART = 64
"""Photos in a task, and in a group of rows of the file: seconds of work."""


@dataclass(frozen=True)
class LabelPlan:
    """How photos are recognized."""

    folder: Path
    """Where they are, absolute."""
    model: str
    """As `FaceModel.load` takes it."""
    device: str = "auto"
    is_aligned: bool = False
    """Whether they are faces cut as the model wants them."""
    detector: Path | None = None
    """A YuNet file; None takes MTCNN."""
    face: FaceChoice = None
    """Which faces of a photo."""


class Label(NamedTuple):
    """What is known of a face, or why nothing is known of a photo."""

    image: str
    """The photo, relative to the folder."""
    face: int | None = None
    """Which of its faces, counted from the left, from 1."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, width and height in pixels; None of an aligned face."""
    probabilities: tuple[float, ...] | None = None
    """Of the model's attributes, in its order."""
    problem: str | None = None
    """Why the photo cannot be used."""


def label_photos(
    plan: LabelPlan, names: Sequence[str], engine: Engine
) -> Generator[list[Label], None, None]:
    """Recognize photos of a folder, some at a time.

    Args:
        plan: How.
        names: Relative paths.
        engine: Where; the photos of one task go to one worker, which loads the model once.

    Yields:
        The faces of the photos, in order; a photo that cannot be used has one label with a
        problem.

    Raises:
        InputError: If the model or the detector cannot be loaded, or a worker fails.
    """
    parts = [names[start : start + _PART] for start in range(0, len(names), _PART)]
    if engine.kind == "ray":
        yield from map_on_ray(_label_part, plan, parts)
    else:
        yield from (_label_part(plan, part) for part in parts)


def _label_part(plan: LabelPlan, names: Sequence[str]) -> list[Label]:
    """Recognize some photos in this process."""
    if not plan.folder.is_dir():
        raise InputError(f"{plan.folder} is not seen by a Ray worker: all machines need it there")
    session = _session(plan)
    return [label for name in names for label in _label(plan, session, name)]


@lru_cache(maxsize=1)
def _session(plan: LabelPlan) -> PhotoSession:
    """Model and detector; kept by a process from one task to the next."""
    model = FaceModel.load(plan.model, device=plan.device)
    if plan.is_aligned:
        return PhotoSession(model, None)
    try:
        from twobirds.photos.detectors import find_detector
    except ModuleNotFoundError as error:
        purpose = "photos (--aligned is for faces that are cut already) need"
        raise missing_extra(purpose, "photos", error) from error
    return PhotoSession(model, find_detector(plan.detector))


def _label(plan: LabelPlan, session: PhotoSession, name: str) -> Iterator[Label]:
    """Recognize the faces of a photo."""
    try:
        photo = session.open((plan.folder / name).read_bytes(), is_aligned=plan.is_aligned)
        if not photo.num_faces:
            raise InputError("no face is found")
        indices = photo.indices(plan.face)
    except (InputError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield Label(name, problem=reason)
        return
    for index in indices:
        box = photo.found[index].face.box if photo.found else None
        yield Label(name, index + 1, box, tuple(photo.attributes[index].tolist()))


def write_labels(
    file: IO[bytes], attributes: Sequence[str], labels: Iterator[list[Label]]
) -> tuple[int, list[Label]]:
    """Write labels as Parquet: a row for each face, a column for each attribute.

    Args:
        file: Where to.
        attributes: The model's.
        labels: As they come.

    Returns:
        The number of faces, and the labels of photos that cannot be used.
    """
    pyarrow = require_pyarrow()
    from pyarrow import parquet

    plain = {"image": pyarrow.string(), "face": pyarrow.int32()}
    box = dict.fromkeys(("left", "top", "width", "height"), pyarrow.float32())
    values = dict.fromkeys(attributes, pyarrow.float32())
    schema = pyarrow.schema({**plain, **box, **values, "problem": pyarrow.string()})
    num_faces, problems = 0, list[Label]()
    with closing(parquet.ParquetWriter(file, schema)) as writer:
        for part in labels:
            rows = [_row(label, attributes) for label in part]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            bad = [label for label in part if label.problem is not None]
            problems += bad
            num_faces += len(part) - len(bad)
    return num_faces, problems


def require_pyarrow() -> Any:
    """The module, or a sentence that says what to install."""
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise missing_extra("a table of photos needs", "parquet", error) from error
    return pyarrow


def _row(label: Label, attributes: Sequence[str]) -> dict[str, Any]:
    """A row by the names of its columns; what is unknown is left out, and null."""
    box = zip(("left", "top", "width", "height"), label.box or (), strict=False)
    values = zip(attributes, label.probabilities or (), strict=False)
    return {
        # Bytes of a name that are no UTF-8 are escaped: Parquet has no text of that kind.
        "image": label.image.encode(errors="backslashreplace").decode(),
        "face": label.face,
        "problem": label.problem,
        **dict(box),
        **dict(values),
    }

"""The command that recognizes, on the photos of a folder: one table of all faces."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from twobirds.apps.display import note, note_all, say
from twobirds.apps.options import default_model
from twobirds.apps.photo_files import SOME_REFUSED
from twobirds.apps.progress import progress_bars
from twobirds.data.engine import Engine
from twobirds.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twobirds.apps.face_commands import Recognize
    from twobirds.photos.labels import Label

_SHOWN = 5  # problems that are printed; the table has all of them


def recognize_folder(command: "Recognize") -> int:
    """Recognize the photos of the folder that a command names; returns the exit code.

    Raises:
        InputError: If options do not go together, there is no photo, or the model, the detector or
            the cluster is not to be had.
    """
    folder, out = _require_options(command)
    from twobirds.api import FaceModel
    from twobirds.atomic import write_atomically
    from twobirds.photos.folder import list_photos
    from twobirds.photos.labels import LabelPlan, label_photos, require_pyarrow, write_labels

    require_pyarrow()
    listing, model = list_photos(folder), _absolute(command.model or default_model())
    names = listing.names
    note_all(listing.left_out())
    attributes = FaceModel.load(model, device="cpu").attributes
    detector = None if command.detector is None else command.detector.absolute()
    plan = LabelPlan(
        folder.absolute(), model, command.device, command.aligned, detector, command.face
    )
    counts: list[tuple[int, list[Label]]] = []
    with (
        progress_bars("photos") as show,
        closing(label_photos(plan, names, Engine(command.engine))) as parts,
    ):

        def counted() -> "Iterator[list[Label]]":
            done = 0
            for part in parts:
                done += len({label.image for label in part})
                show("recognizing", done, len(names))
                yield part

        write_atomically(out, lambda file: counts.append(write_labels(file, attributes, counted())))
    num_faces, problems = counts[0]
    _tell(out, len(names), num_faces, problems)
    return SOME_REFUSED if problems else 0


def _require_options(command: "Recognize") -> tuple[Path, Path]:
    """The folder and the file, if the options are those of a folder."""
    if len(command.images) != 1 or not command.images[0].is_dir():
        raise InputError(
            "--out and --engine are for a folder of photos: name one folder and nothing else"
        )
    folder, out = command.images[0], command.out
    if out is None:
        raise InputError(
            f"{folder} is a folder: name a table for its faces with --out FILE.parquet"
        )
    if out.suffix != ".parquet":
        raise InputError(f"--out {out}: choose a name that ends in .parquet")
    if command.json:
        raise InputError("--json prints, and --out writes a table: leave one of them out")
    if command.aligned and (command.detector is not None or command.face is not None):
        raise InputError("--detector and --face are for photos: leave out --aligned")
    return folder, out


def _absolute(model: str) -> str:
    """A model's name so that a process with another current folder finds it, too."""
    return str(Path(model).absolute()) if Path(model).exists() else model


def _tell(out: Path, num_photos: int, num_faces: int, problems: "list[Label]") -> None:
    """Say what was written, and what could not be used."""
    say(f"recognized {num_faces:,} faces of {num_photos:,} photos: {out}")
    for label in problems[:_SHOWN]:
        note(f"{label.image}: {label.problem}")
    if problems:
        note(f"{len(problems):,} photos could not be used: the column problem says why")

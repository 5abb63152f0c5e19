"""The command that generates."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from twobirds.apps.describe_option import described_attributes, overrule, tell_understanding
from twobirds.apps.display import note, say
from twobirds.apps.known_attributes import require_known_attributes
from twobirds.apps.options import (
    Assignments,
    Device,
    Force,
    ModelName,
    attribute_changes,
    load_model,
    optional,
    require_seed,
)
from twobirds.apps.photo_files import NoMetadata, VisibleNote
from twobirds.apps.witness import Candidates, first_candidates, refine, understand_refinement
from twobirds.data.attributes import require_consistent
from twobirds.data.provenance import listed_values
from twobirds.errors import InputError
from twobirds.language.description import understand

if TYPE_CHECKING:
    from twobirds.api import FaceModel

MAX_COUNT = 10_000
"""Maximum number of faces that one command generates."""
MAX_SCALE = 16
_NOTHING_SAID = (
    "nothing in it says what a face looks like; try words such as bald, young woman, glasses, "
    "black hair, no beard"
)
_FACE_NAME = re.compile(r"\d{4}\.png")  # of a single face
_MIN_CELL = 192  # pixels of a face in the grid; those of 64 are stamps on a screen


@dataclass(frozen=True)
class Generate:
    """Generate faces from noise and attributes, as a grid."""

    set: Assignments = ()
    """Attributes that all faces shall have, from 0 to 1, such as Male=1 Bald=1; others vary."""
    describe: Annotated[
        str | None,
        optional(
            "TEXT",
            "no description",
            'The faces in English words, such as "a bald man of about 40 with arched eyebrows"; '
            "--set overrules them. What was understood, and what not, is printed on stderr.",
        ),
    ] = None
    then: Annotated[
        tuple[str, ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(
            metavar="TEXT",
            help='How to go on from these faces, counted row by row, such as "more like the third, '
            'with a beard". Each further --then is about the faces of the one before.',
        ),
    ] = ()
    count: int = 16
    """Number of faces."""
    seed: int = 0
    """The same seed gives the same faces."""
    truncation: float = 1.0
    """Factor on z, from 0 to 1: less, such as 0.7, gives plainer faces that are more alike."""
    model: ModelName = None
    out: Annotated[Path | None, optional("FILE.png", "generated.png, or none with --separate")] = (
        None
    )
    """The grid."""
    force: Force = False
    scale: Annotated[int | None, optional("N", f"faces of at least {_MIN_CELL} pixels")] = None
    """How many times as large as the model's the faces in the grid are; 1 keeps the size."""
    separate: Annotated[Path | None, optional("FOLDER", "only the grid")] = None
    """Where to write each face as a file, in the model's size."""
    visible_note: VisibleNote = False
    no_metadata: NoMetadata = False
    device: Device = "auto"

    def run(self) -> int:
        """Generate; returns the exit code."""
        out = self.out or (None if self.separate else Path("generated.png"))
        wanted = attribute_changes(self.set)
        self._check(out, wanted)
        from twobirds.apps.pictures import near_square_grid, picture_bytes, write_bytes
        from twobirds.data.faces import to_pixels
        from twobirds.photos import Marks

        model = load_model(self.model, self.device)
        if self.describe is not None:
            described = described_attributes(
                self.describe, model.attributes, understand, _NOTHING_SAID
            )
            wanted = overrule(described, wanted, "--set")
        shown, wanted = self._ask(model, wanted)
        require_consistent(wanted)
        pixels = to_pixels(model.decode(*shown))
        details = listed_values(wanted)
        marks = Marks("generated", details, self.visible_note, not self.no_metadata)
        pictures = dict(zip(self._faces(len(pixels)), pixels, strict=False))
        if out is not None:
            scale = self.scale or math.ceil(_MIN_CELL / model.size)
            pictures[out] = near_square_grid(pixels, scale=scale)
        for path, picture in pictures.items():
            write_bytes(path, picture_bytes(marks.shown_on(picture), marks.provenance(model)))
        for place in (self.separate, out):
            if place is not None:
                say(str(place))
        self._tell_others(pictures)
        return 0

    def _check(self, out: Path | None, wanted: dict[str, float]) -> None:
        """Refuse what cannot be, before a model is loaded."""
        from twobirds.apps.pictures import require_new, require_png

        require_seed(self.seed)
        if not 1 <= self.count <= MAX_COUNT:
            raise InputError(f"--count must lie between 1 and {MAX_COUNT:,}, not {self.count}")
        if not 0 <= self.truncation <= 1:
            raise InputError(f"--truncation must lie between 0 and 1, not {self.truncation:g}")
        if out is not None:
            require_png(out)
        if out is not None and self.out is None:
            require_new([out], force=self.force)
        require_new(self._faces(self.count), force=self.force, option="--separate")
        if self.scale is not None and not 1 <= self.scale <= MAX_SCALE:
            raise InputError(f"--scale must lie between 1 and {MAX_SCALE}, not {self.scale}")
        require_known_attributes(wanted, self.model)
        require_consistent(wanted)

    def _faces(self, count: int) -> list[Path]:
        """Files of the single faces; none where only the grid is wanted."""
        folder = self.separate
        return [] if folder is None else [folder / f"{n:04d}.png" for n in range(count)]

    def _tell_others(self, written: Collection[Path]) -> None:
        """Say which files beside the new ones could be taken for faces of this run."""
        if self.separate is None:
            return
        others = [
            path.name
            for path in sorted(self.separate.glob("*.png"))
            if _FACE_NAME.fullmatch(path.name) and path not in written
        ]
        if others:
            files = "file" if len(others) == 1 else "files"
            note(
                f"{self.separate} also has {len(others):,} {files} that this run did not write, "
                f"such as {others[0]}"
            )

    def _ask(
        self, model: "FaceModel", wanted: dict[str, float]
    ) -> tuple[Candidates, dict[str, float]]:
        """Candidates, after all that was said of them; and what they shall have."""
        shown = first_candidates(model, self.count, wanted, self.seed, truncation=self.truncation)
        for turn, text in enumerate(self.then, 1):
            refinement = understand_refinement(text, model.attributes, self.count)
            tell_understanding(refinement.understanding)
            shown = refine(shown, refinement, model.attributes, self.seed + turn)
            wanted = overrule(wanted, refinement.understanding.attributes, "--then")
        return shown, wanted

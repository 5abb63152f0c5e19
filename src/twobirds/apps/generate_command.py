"""The command that generates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from twobirds.apps.describe import Understanding, understand
from twobirds.apps.display import note, say
from twobirds.apps.known_attributes import require_known_attributes
from twobirds.apps.options import (
    Assignments,
    Device,
    ModelName,
    attribute_changes,
    load_model,
    optional,
    require_seed,
)
from twobirds.apps.photo_files import NoMetadata, VisibleNote
from twobirds.apps.witness import Candidates, first_candidates, refine, understand_refinement
from twobirds.data.attributes import left_out, overruled, require_consistent
from twobirds.data.provenance import listed_values
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel

MAX_COUNT = 10_000
"""Maximum number of faces that one command generates."""
MAX_SCALE = 16
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
    model: ModelName = None
    out: Annotated[Path | None, optional("FILE.png", "generated.png, or none with --separate")] = (
        None
    )
    """The grid."""
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
            described = parse_description(self.describe, model.attributes)
            wanted = _overrule(described, wanted, "--set")
        shown, wanted = self._ask(model, wanted)
        require_consistent(wanted)
        pixels = to_pixels(model.decode(*shown))
        details = listed_values(wanted)
        marks = Marks("generated", details, self.visible_note, not self.no_metadata)
        pictures = {}
        if self.separate is not None:
            pictures = {self.separate / f"{n:04d}.png": face for n, face in enumerate(pixels)}
        if out is not None:
            scale = self.scale or math.ceil(_MIN_CELL / model.size)
            pictures[out] = near_square_grid(pixels, scale=scale)
        for path, picture in pictures.items():
            write_bytes(path, picture_bytes(marks.shown_on(picture), marks.provenance(model)))
        for place in (self.separate, out):
            if place is not None:
                say(str(place))
        return 0

    def _check(self, out: Path | None, wanted: dict[str, float]) -> None:
        """Refuse what cannot be, before a model is loaded."""
        from twobirds.apps.pictures import require_png

        require_seed(self.seed)
        if not 1 <= self.count <= MAX_COUNT:
            raise InputError(f"--count must lie between 1 and {MAX_COUNT:,}, not {self.count}")
        if out is not None:
            require_png(out)
        if self.scale is not None and not 1 <= self.scale <= MAX_SCALE:
            raise InputError(f"--scale must lie between 1 and {MAX_SCALE}, not {self.scale}")
        require_known_attributes(wanted, self.model)
        require_consistent(wanted)

    def _ask(
        self, model: "FaceModel", wanted: dict[str, float]
    ) -> tuple[Candidates, dict[str, float]]:
        """Candidates, after all that was said of them; and what they shall have."""
        shown = first_candidates(model, self.count, wanted, self.seed)
        for turn, text in enumerate(self.then, 1):
            refinement = understand_refinement(text, model.attributes, self.count)
            tell_understanding(refinement.understanding)
            shown = refine(shown, refinement, model.attributes, self.seed + turn)
            wanted = _overrule(wanted, refinement.understanding.attributes, "--then")
        return shown, wanted


def parse_description(text: str, names: Sequence[str]) -> dict[str, float]:
    """Attributes of a description; says what was understood, and what was not.

    Raises:
        InputError: If nothing was understood.
    """
    understanding = understand(text, names)
    tell_understanding(understanding)
    if not understanding.attributes:
        raise InputError(
            f"--describe {text!r}: nothing in it says what a face looks like; "
            "try words such as bald, young woman, glasses, black hair, no beard"
        )
    return understanding.attributes


def _overrule(
    values: Mapping[str, float], later: Mapping[str, float], option: str
) -> dict[str, float]:
    """Values with those of a later option; says on stderr what these exclude."""
    if names := left_out(values, later):
        note(f"overruled by {option}: {', '.join(names)}")
    return overruled(values, later)


def tell_understanding(understanding: Understanding) -> None:
    """Say on stderr what was understood, and what was not."""
    for title, words in (
        ("understood", [f"{said}: {meaning}" for said, meaning in understanding.understood]),
        ("not understood", understanding.ignored),
        ("not known to the model", understanding.unavailable),
    ):
        if words:
            note(f"{title}: {'; '.join(words)}")

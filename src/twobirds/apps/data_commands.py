"""Commands that make data: draw and pack."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from twobirds.apps.display import say
from twobirds.apps.options import optional, require_seed
from twobirds.apps.progress import progress_bars
from twobirds.data.engine import SHARD_FACES, Engine
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.data.pack import Landmarks


@dataclass(frozen=True)
class Draw:
    """Render drawn faces in CelebA's layout: labels, and the true answer to any edit."""

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """Folder to make; it must be absent or empty."""
    count: int = 20_000
    """Number of faces."""
    size: int = 64
    """Height and width in pixels: 32, 64 or 128."""
    seed: int = 0
    """The same seed gives the same faces everywhere."""
    independent: bool = False
    """Sample attributes independently, instead of with real-life correlations."""
    workers: Annotated[int | None, optional("INT", "one for each processor")] = None
    """Number of processes."""

    def run(self) -> int:
        """Render the faces; returns the exit code."""
        from twobirds.data.drawn import render_folder

        require_seed(self.seed)
        with progress_bars("faces") as show:
            render_folder(
                self.out,
                count=self.count,
                size=self.size,
                seed=self.seed,
                independent=self.independent,
                progress=lambda done: show("rendering", done, self.count),
                workers=self.workers,
            )
        say(f"rendered {self.count:,} faces of {self.size}x{self.size} pixels into {self.out}")
        return 0


@dataclass(frozen=True)
class Pack:
    """Check, crop, resize and split faces into a pack, for training and evaluation."""

    paths: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(
            metavar="SOURCE... OUT",
            help="One source or several, and last the folder to make, which must not exist yet. A "
            "source is CelebA's layout as a folder or zip file, a CSV with images, Parquet files, "
            "or drawn faces.",
            help_behavior_hint="(required)",
        ),
    ] = ()
    size: int = 128
    """Height and width of the packed images in pixels; models are for 32, 64 or 128."""
    split: Annotated[
        Literal["identity", "official", "random"] | None,
        optional("{identity,official,random}", "the first of these that the source allows"),
    ] = None
    """How to split: nobody in two parts, as the source says, or at random."""
    seed: int = 0
    """Seed of a random split."""
    landmarks: Annotated[
        tuple[str, ...] | None,
        optional("{celeba,celeba-tight}|X Y X Y...", "what the source implies"),
    ] = None
    """Where eyes, nose and mouth are: a template, or 10 fractions of the packed image."""
    skip_bad: bool = False
    """Leave bad rows and files out, instead of reporting them and making no pack."""
    leave_out: Annotated[Path | None, optional("FILE", "none")] = None
    """Text file that names images to leave out, one in a line, as NAME or SOURCE/NAME."""
    only: Annotated[
        tuple[str, ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(
            metavar="CONDITION",
            help="Leave out images that fail a condition on a column, such as 'px>=128' or "
            "source=hq; a source without the column keeps its images. The column is in the list, "
            "or in a CSV or TSV file beside it whose first column names the images.",
        ),
    ] = ()
    image_column: Annotated[str | None, optional("NAME", "by its name and type")] = None
    """Column of a CSV or of Parquet files that has the images, or their names."""
    person_column: Annotated[str | None, optional("NAME", "by its name")] = None
    """Column that says who is shown."""
    drop_column: Annotated[
        tuple[str, ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(metavar="NAME", help="Leave an attribute out; may be given several times."),
    ] = ()
    shard_faces: Annotated[
        int | None, optional("INT", f"all in one file; {SHARD_FACES} with --engine ray")
    ] = None
    """Faces for each file of images, so that a pack consists of several."""
    engine: Literal["local", "ray"] = "local"
    """What decodes: processes of this machine, or a Ray cluster (extra ray)."""
    workers: Annotated[int | None, optional("INT", "one for each processor")] = None
    """Number of decoding processes of this machine."""

    def run(self) -> int:
        """Pack; returns the exit code."""
        from twobirds.data.pack import load_header
        from twobirds.data.packing import SKIPPED_FILE, pack_source
        from twobirds.data.roles import ColumnChoice
        from twobirds.data.selection import Choice
        from twobirds.data.summary import summarize

        require_seed(self.seed)
        if len(self.paths) < 2:
            raise InputError(
                "pack takes a source, or several, and then OUT (see twobirds pack --help)"
            )
        *sources, out = self.paths
        with progress_bars("images") as show:
            pack_source(
                sources,
                out,
                size=self.size,
                split=self.split,
                seed=self.seed,
                landmarks=parse_landmarks(self.landmarks),
                skip_bad=self.skip_bad,
                choice=Choice(
                    ColumnChoice(self.image_column, self.person_column, self.drop_column),
                    self.leave_out,
                    self.only,
                ),
                engine=Engine(self.engine, self.workers, self.shard_faces),
                progress=lambda done, total: show("packing", done, total),
            )
        header = load_header(out)
        for line in summarize(header):
            say(line)
        if header["skipped"]:
            say(f"left out {header['skipped']:,}: {out / SKIPPED_FILE} says what and why")
        return 0


def parse_landmarks(words: tuple[str, ...] | None) -> "str | Landmarks | None":
    """Parse the name of a template, or ten numbers as five points (x, y).

    Raises:
        InputError: If there are neither.
    """
    if not words:
        return None
    if len(words) == 1:
        return words[0]
    try:
        x_and_y = [float(word) for word in words]
    except ValueError:
        x_and_y = []
    if len(x_and_y) != 10:
        raise InputError(
            "--landmarks takes celeba, celeba-tight, or ten numbers: x and y of left eye, right "
            "eye, nose tip, left and right mouth corner"
        )
    return tuple(zip(x_and_y[::2], x_and_y[1::2], strict=True))

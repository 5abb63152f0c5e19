"""The command that runs the paper's experiments."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from twobirds.apps.display import ShowProgress, note, say
from twobirds.apps.options import Device, TrainingPrecision, optional, require_seed
from twobirds.apps.progress import progress_bars
from twobirds.apps.train_command import UNFINISHED
from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    from twobirds.data.pack import Pack
    from twobirds.reproduction.plan import Budget

DRAWN = "drawn"
_DRAWN_SIZE = 64  # pixels


@dataclass(frozen=True)
class Reproduce:
    """Run every experiment of the paper: train ours and the baselines, measure, write one report.

    After a stop the same command goes on with the model that it was training.
    """

    data: Annotated[str, tyro.conf.arg(metavar="PACK")]
    """Faces as made by twobirds pack; `drawn` renders drawn faces first."""
    out: Annotated[
        Path,
        tyro.conf.arg(
            metavar="FOLDER",
            help="Gets models, figures, and the report as report.html, report.md (also without "
            "figures) and report.json.",
        ),
    ] = Path("reproduction")
    budget: Annotated[
        str,
        tyro.conf.arg(
            metavar="small|medium|full|IMAGES",
            help="Real images shown to each model. small: minutes on two cores; medium: 150,000; "
            "full: the paper's 50 epochs at full width, for a GPU; a number: as medium, with so "
            "many images.",
        ),
    ] = "small"
    embedder: Annotated[Path | None, optional("FILE.onnx", "identity is not judged")] = None
    """Face embedder that tells whether it is still the same person."""
    seed: int = 0
    """Seed of everything random."""
    device: Device = "auto"
    precision: TrainingPrecision = "auto"
    jobs: int = 1
    """Models to train at a time, each in a process of its own with its share of the cores."""

    def run(self) -> int:
        """Reproduce; returns the exit code."""
        require_seed(self.seed)
        if self.jobs < 1:
            raise InputError(f"--jobs must be at least 1, not {self.jobs}")
        try:
            return self._reproduce()
        except ModuleNotFoundError as error:
            raise missing_extra("reproducing needs", "evaluate", error) from error

    def _reproduce(self) -> int:
        from twobirds.reproduction.plan import find_budget
        from twobirds.reproduction.reproduce import reproduce
        from twobirds.runtime import start

        budget = find_budget(self.budget)
        if self.embedder is not None and not self.embedder.is_file():
            raise InputError(f"--embedder {self.embedder} is not a file")
        with start(self.device, self.precision) as runtime, progress_bars("faces") as show:
            if runtime.world_size > 1:
                raise InputError("reproduce runs in one process")
            is_complete = reproduce(
                self._open_pack(budget, show),
                self.out,
                budget,
                runtime,
                seed=self.seed,
                announce=note,
                num_jobs=self.jobs,
                embedder_path=self.embedder,
                progress=show,
            )
        if not is_complete:
            note("twobirds: saved and stopped; to go on, give the same command again")
            return UNFINISHED
        say(f"the report: {self.out / 'report.html'}")
        return 0

    def _open_pack(self, budget: "Budget", show: ShowProgress) -> "Pack":
        """The pack named, or one of drawn faces under `out`."""
        from twobirds.data.drawn import render_folder
        from twobirds.data.pack import open_pack
        from twobirds.data.packing import pack_source

        if self.data != DRAWN:
            return open_pack(self.data, verify=True)
        faces, pack = self.out / "faces", self.out / "pack"
        if not pack.exists():
            if not faces.exists():
                render_folder(
                    faces,
                    count=budget.drawn_faces,
                    size=_DRAWN_SIZE,
                    seed=self.seed,
                    progress=lambda done: show("rendering", done, budget.drawn_faces),
                )
            pack_source(
                faces,
                pack,
                size=_DRAWN_SIZE,
                progress=lambda done, total: show("packing", done, total),
            )
        return open_pack(pack, verify=True)

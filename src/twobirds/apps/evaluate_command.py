"""The command that measures a model."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from twobirds.apps.display import note, say, say_json
from twobirds.apps.options import Device, load_model, optional, require_seed
from twobirds.apps.progress import progress_bars
from twobirds.apps.tables import say_figures
from twobirds.errors import InputError, missing_extra
from twobirds.evaluation.plan import JUDGE_FILE, EvaluationConfig

if TYPE_CHECKING:
    from twobirds.api import FaceModel
    from twobirds.data.pack import Pack

_DEFAULTS = EvaluationConfig()


@dataclass(frozen=True)
class Evaluate:
    """Measure a model on a split of a pack: figures as JSON, and a page beside it."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """A shipped model's name, a run or model folder, a checkpoint, or hf://owner/name."""
    data: Annotated[Path, tyro.conf.arg(metavar="PACK")]
    """Faces with the model's attributes, as made by twobirds pack."""
    out: Annotated[Path, tyro.conf.arg(metavar="FILE.json")] = Path("report.json")
    """Where the figures go; the page is FILE.html."""
    split: Literal["train", "valid", "test"] = "test"
    """Which faces."""
    judge: Annotated[
        Path | None, optional("FILE", f"{JUDGE_FILE} in the model's folder, else beside FILE.json")
    ] = None
    """Separately trained judge of edits; where the file is absent, it is trained on the pack."""
    second_judge: Annotated[Path | None, optional("FILE", "edits have one judge")] = None
    """Judge of another family, EfficientNet-lite2; where the file is absent, it is fine-tuned."""
    embedder: Annotated[Path | None, optional("FILE.onnx", "identity is not judged")] = None
    """Face embedder that tells whether it is still the same person."""
    seed: int = _DEFAULTS.seed
    """The same seed gives the same figures."""
    num_fakes: int = _DEFAULTS.num_fakes
    """Faces to generate; the Fréchet distance is biased upwards with fewer."""
    max_faces: Annotated[int | None, optional("INT", "all")] = None
    """Maximum number of faces of the split, chosen at random."""
    faces_per_edit: int = _DEFAULTS.faces_per_edit
    """Maximum number of faces for each attribute and direction."""
    judge_images: int = _DEFAULTS.judge_images
    """Training images to show the judge where it has to be trained."""
    second_judge_images: int = _DEFAULTS.second_judge_images
    """Training images to show the second judge where it has to be trained."""
    prototype: bool = False
    """Measure the baseline without a network as well: is its success beaten at equal realism?"""
    grid: Annotated[Path | None, optional("FILE.png", "none")] = None
    """Labelled picture of thirteen edits of eight faces, to be judged by eye."""
    no_figures: bool = False
    """Leave the pictures out of the page."""
    json: bool = False
    """Print the figures as JSON, too."""
    device: Device = "auto"

    def run(self) -> int:
        """Evaluate; returns the exit code."""
        require_seed(self.seed)
        if self.out.suffix != ".json":
            raise InputError(f"--out {self.out}: choose a name that ends in .json")
        require_writable(self.out)
        if self.grid is not None:
            from twobirds.apps.pictures import require_png

            require_png(self.grid)
            require_writable(self.grid, option="--grid")
        from twobirds.data.pack import open_pack

        pack = open_pack(self.data, verify=True)
        model = load_model(self.model, self.device)
        try:
            report = self._measure(model, pack)
        except ModuleNotFoundError as error:
            raise missing_extra("evaluating needs", "evaluate", error) from error
        say_json(report) if self.json else say_figures(report)
        return 0

    def _measure(self, model: "FaceModel", pack: "Pack") -> dict[str, Any]:
        """Evaluate, and write the report and its page."""
        from twobirds.atomic import write_atomically
        from twobirds.evaluation.evaluate import evaluate
        from twobirds.evaluation.eye_grid import make_eye_grid
        from twobirds.evaluation.panels import make_figures
        from twobirds.evaluation.report import write_report

        config = EvaluationConfig(
            split=self.split,
            seed=self.seed,
            num_fakes=self.num_fakes,
            max_faces=self.max_faces,
            faces_per_edit=self.faces_per_edit,
            judge_images=self.judge_images,
            second_judge_images=self.second_judge_images,
            compares_prototype=self.prototype,
        )
        sheet = None if self.grid is None else make_eye_grid(model, pack, config)
        with progress_bars("faces") as show:
            report = evaluate(
                model,
                pack,
                config,
                judge_path=self._judge(),
                second_judge_path=self.second_judge,
                embedder_path=self.embedder,
                progress=show,
            )
        figures = [] if self.no_figures else make_figures(model, pack, config)
        page = write_report(report, figures, self.out)
        if self.grid is not None and sheet is not None:
            write_atomically(self.grid, partial(sheet.save, format="PNG"))
        if not self.json:
            say(f"the figures: {self.out}\nthe page: {page}")
        return report

    def _judge(self) -> Path:
        """The judge's file; says so where it has to be trained."""
        folder = Path(self.model)
        judge = self.judge or (folder if folder.is_dir() else self.out.parent) / JUDGE_FILE
        if not judge.exists():
            note(
                f"{judge}: no judge of edits is there: one is trained on {self.judge_images:,} "
                "images first, and kept there for the next time"
            )
        return judge


def require_writable(path: Path, *, option: str = "--out") -> None:
    """Refuse a file that could not be written, before hours of work, and make its folder.

    Raises:
        InputError: If it cannot be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: choose another {option}")

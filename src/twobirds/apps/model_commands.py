"""Commands about a model as a whole: evaluate and export."""

import os
from collections.abc import Mapping
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
    from torch import Tensor

    from twobirds.api import FaceModel
    from twobirds.apps.saved_card import SavedCard
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

        pack = open_pack(self.data)
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


@dataclass(frozen=True)
class Export:
    """Save a trained run as a model to share: weights as safetensors, config.json, model card.

    A copy of a saved model keeps the licence, notes and figures of its card, unless others are
    given, and its discriminators.
    """

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """A run or model folder, a checkpoint, a shipped model's name, or hf://owner/name."""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """Folder to make; a model that lies there is replaced, anything else is not."""
    half: bool = False
    """Store weights as float16: half the size. A --report on the weights before that will do: the
    card says so."""
    report: Annotated[Path | None, optional("FILE.json", "a card without figures")] = None
    """Output of twobirds evaluate for the weights as stored, whose figures go into the card."""
    notes: Annotated[Path | None, optional("FILE.md", "those of a saved model, else none")] = None
    """Text for the card: data, licence, history, known failures."""
    with_discriminators: bool = False
    """Store the run's discriminators, too, from which train --start-from goes on; inference does
    not need them."""
    limit_edits: Annotated[Path | None, optional("PACK", "edits as they were trained")] = None
    """Scale down changes of which the recognizer is surer on edits of the pack's valid faces than
    on real faces; recipe modern alone."""
    onnx: bool = False
    """Write the networks as ONNX files (extra onnx), each equal to PyTorch to 1e-4; recognize
    takes the folder as --model without PyTorch."""

    def run(self) -> int:
        """Export; returns the exit code."""
        self._check()
        model = load_model(self.model, "cpu")
        if self.limit_edits is not None:
            self._limit_edits(model, self.limit_edits)
        report = None
        if self.report is not None:
            report = load_report(self.report, model, half=self.half)
        from twobirds.apps.saved_card import SavedCard  # PyTorch

        source = SavedCard.of(self.model)
        notes = "" if source is None else source.notes
        if self.notes is not None:
            notes = load_notes(self.notes)
        is_measured = report is not None or self.limit_edits is not None  # else by the card
        figures = None if is_measured else source
        if self.onnx:
            return self._export_onnx(model, report, notes, figures)
        from twobirds.atomic import write_text
        from twobirds.checkpoint import CARD_FILE
        from twobirds.models.files import save_trained

        save_trained(
            model.trained,
            self.out,
            half=self.half,
            report=report,
            notes=notes,
            discriminators=self._discriminators(model, is_saved=source is not None),
        )
        if figures is not None:
            card, is_rounded = self.out / CARD_FILE, self.half and not model.trained.is_half
            text = card.read_text(encoding="utf-8")
            write_text(card, figures.with_figures(text, self.out.name, is_rounded=is_rounded))
        say(f"saved {self.out}")
        return 0

    def _check(self) -> None:
        """Refuse options that do not go together, before a model is loaded."""
        if self.limit_edits is not None and self.report is not None:
            raise InputError(
                "--limit-edits makes another model than the one that --report measured: export "
                "without --report, evaluate OUT, and export OUT with its report"
            )
        if self.onnx and self.half:
            raise InputError("--onnx writes float32: leave out --half")
        if self.onnx and self.with_discriminators:
            raise InputError(
                "ONNX files are not trained: leave out --with-discriminators or --onnx"
            )

    def _limit_edits(self, model: "FaceModel", data: Path) -> None:
        """Set how much of each change an edit makes, and say what was limited."""
        from twobirds.data.pack import open_pack
        from twobirds.evaluation.edit_amounts import limit_edits

        with progress_bars("changes") as show:
            limited = limit_edits(model, open_pack(data), progress=show)
        for (name, value), amount in limited.items():
            say(f"{name} {value}: {amount:.2f} of the change")

    def _discriminators(self, model: "FaceModel", *, is_saved: bool) -> "dict[str, Tensor] | None":
        """What `train --start-from` is to find beside the model."""
        from twobirds.apps.saved_card import saved_discriminators
        from twobirds.models.start_weights import find_discriminators

        kept = saved_discriminators(self.model, model) if is_saved else None
        if kept is None and self.with_discriminators:
            return find_discriminators(Path(self.model), model.trained)
        return kept

    def _export_onnx(
        self,
        model: "FaceModel",
        report: Mapping[str, Any] | None,
        notes: str,
        figures: "SavedCard | None",
    ) -> int:
        """Write ONNX files, and say how far they are from PyTorch."""
        from twobirds.models.card import model_card
        from twobirds.models.onnx_export import save_onnx

        name = self.out.name
        card = model_card(name, model.config, report, source=name, notes=notes)
        if figures is not None:
            card = figures.with_figures(card, name, is_rounded=False)
        for network, difference in save_onnx(model.trained, self.out, card).items():
            say(f"{network}: differs from PyTorch by at most {difference:.1e}")
        say(f"saved {self.out}")
        return 0


def load_notes(path: Path) -> str:
    """Load text for a card.

    Raises:
        InputError: If it cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--notes {path} cannot be read as text: {error}") from error


def load_report(path: Path, model: "FaceModel", *, half: bool) -> Mapping[str, Any]:
    """Load a report, and check that it is about this model as it will be stored.

    Raises:
        InputError: If it is not a report, or about other weights.
    """
    from twobirds.atomic import read_json
    from twobirds.models.files import check_report

    report: Mapping[str, Any] = read_json(path)
    check_report(report, model.trained, half=half, name=str(path))
    return report


def require_writable(path: Path, *, option: str = "--out") -> None:
    """Refuse a file that could not be written, before hours of work, and make its folder.

    Raises:
        InputError: If it cannot be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: choose another {option}")

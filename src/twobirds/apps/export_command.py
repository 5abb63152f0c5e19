"""The command that saves a trained run as a model to share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from twobirds.apps.display import say
from twobirds.apps.options import load_model, optional
from twobirds.apps.progress import progress_bars
from twobirds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from twobirds.api import FaceModel


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
    tune_edits: Annotated[Path | None, optional("PACK", "edits as they were trained")] = None
    """Choose, on the pack's valid faces, how much of each edit the editor makes and how much its
    prototype, no more than real faces show; recipe modern only, extra train, about half an hour."""
    onnx: bool = False
    """Write the networks as ONNX files (extra onnx), each equal to PyTorch to 1e-4; recognize
    takes the folder as --model without PyTorch."""

    def run(self) -> int:
        """Export; returns the exit code."""
        self._check()
        notes = None if self.notes is None else load_notes(self.notes)
        self._check_place()
        model = load_model(self.model, "cpu")
        if self.tune_edits is not None:
            model = self._tuned(model, self.tune_edits)
        report = None
        if self.report is not None:
            report = load_report(self.report, model, half=self.half)
        if self.onnx:
            return self._export_onnx(model, report, notes)
        from twobirds.models.files import save_trained

        save_trained(
            model.trained,
            self.out,
            half=self.half,
            report=report,
            notes=notes,
            discriminators=self._discriminators(model),
        )
        say(f"saved {self.out}")
        return 0

    def _check(self) -> None:
        """Refuse options that do not go together, before a model is loaded."""
        if self.tune_edits is not None and self.report is not None:
            raise InputError(
                "--tune-edits makes another model than the one that --report measured: export "
                "without --report, evaluate OUT, and export OUT with its report"
            )
        if self.onnx and self.half:
            raise InputError("--onnx writes float32: leave out --half")
        if self.onnx and self.with_discriminators:
            raise InputError(
                "ONNX files are not trained: leave out --with-discriminators or --onnx"
            )

    def _check_place(self) -> None:
        """Refuse an OUT that cannot be replaced: to tune edits takes minutes."""
        from twobirds.checkpoint import MODEL_FILES, WEIGHTS_FILE, require_replaceable

        if self.onnx:
            from twobirds.models.onnx_description import ONNX_FILE
            from twobirds.models.onnx_export import EXPORTED_FILES

            require_replaceable(self.out, ONNX_FILE, EXPORTED_FILES)
        else:
            require_replaceable(self.out, WEIGHTS_FILE, MODEL_FILES)

    def _tuned(self, model: "FaceModel", data: Path) -> "FaceModel":
        """The model with edits that are tuned, which is another one; says how."""
        from twobirds.api import FaceModel
        from twobirds.data.pack import open_pack
        from twobirds.evaluation.edit_amounts import tune_edits
        from twobirds.models.files import rehashed

        pack = open_pack(data, verify=True)
        with progress_bars("changes") as show:
            tuned = tune_edits(model, pack, progress=show)
        for (name, value), blend in tuned.items():
            say(
                f"{name} {value}: {blend.editor:.2f} of the editor's change, "
                f"{blend.prototypes:.2f} prototypes"
            )
        return FaceModel(rehashed(model.trained), name=model.name)

    def _discriminators(self, model: "FaceModel") -> "Mapping[str, Tensor] | None":
        """What `train --start-from` is to find beside the model."""
        from twobirds.models.start_weights import find_discriminators, saved_discriminators

        kept = saved_discriminators(self.model)
        if not kept and self.with_discriminators:
            return find_discriminators(Path(self.model), model.trained)
        return kept or None

    def _export_onnx(
        self, model: "FaceModel", report: Mapping[str, Any] | None, notes: str | None
    ) -> int:
        """Write ONNX files, and say how far they are from PyTorch."""
        from twobirds.models.onnx_export import save_onnx
        from twobirds.models.saved_card import renewed_card

        name, trained = self.out.name, model.trained
        card = renewed_card(
            trained,
            name,
            report,
            source=name,
            notes=notes,
            weights_sha256=trained.weights_sha256,
            is_rounded=False,
        )
        for network, difference in save_onnx(model.trained, self.out, card).items():
            say(f"{network}: differs from PyTorch by at most {difference:.1e}")
        say(f"saved {self.out}")
        return 0


def load_notes(path: Path) -> str:
    """Load text for a card.

    Raises:
        InputError: If it cannot be read as text, or its front matter is not valid.
    """
    from twobirds.models.card_data import split_notes

    try:
        notes = path.read_text(encoding="utf-8")
        split_notes(notes)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--notes {path} cannot be read as text: {error}") from error
    except InputError as error:
        raise InputError(f"--notes {path}: {error}") from error
    return notes


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

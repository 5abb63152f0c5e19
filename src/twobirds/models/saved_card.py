"""What a model that is saved again keeps of its card: licence, notes and figures."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twobirds.checkpoint import CARD_FILE
from twobirds.errors import InputError, InputWarning
from twobirds.models.card import model_card
from twobirds.models.card_data import parse_card

if TYPE_CHECKING:
    from twobirds.models.trained import Trained

_GENERATED = ("library_name", "pipeline_tag", "model-index")  # entries that every card has anew
_LOADS, _FENCE = "FaceModel.load(", "```\n"
_FIGURES, _TRAINING = "\n## Figures\n", "\n## Training\n"


@dataclass(frozen=True)
class SavedCard:
    """The card that a model was loaded with."""

    text: str
    """Front matter and Markdown, as `model_card` writes it, or by hand."""
    weights_sha256: str
    """Of the weights that its figures are about."""

    @classmethod
    def of(cls, folder: Path | Traversable, weights_sha256: str) -> "SavedCard":
        """The card in a model's folder, without text where none can be read."""
        try:
            text = (folder / CARD_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        return cls(text, weights_sha256)

    def require_form(self) -> None:
        """Refuse a card that was written in another form than `model_card` writes.

        Raises:
            InputError: If parts are missing, or the front matter is not valid.
        """
        if not self.text:
            raise InputError("none can be read")
        if not all(part in self.text for part in (_LOADS, _FIGURES, _TRAINING)):
            raise InputError("it is of another form than TwoBirds writes")
        parse_card(self.text)

    @property
    def notes(self) -> str:
        """Licence, data sets and the like as front matter, and the text before the figures."""
        from huggingface_hub import ModelCardData

        card = parse_card(self.text)
        given = {k: v for k, v in card.data.to_dict().items() if k not in _GENERATED}
        text = card.text.partition(_FIGURES)[0].partition(_LOADS)[2].partition(_FENCE)[2]
        return f"---\n{ModelCardData(**given).to_yaml()}\n---\n{text}"

    def with_figures(self, card: str, name: str, *, is_rounded: bool) -> str:
        """A card without figures, with those of this one.

        Args:
            card: Of the same weights.
            name: Of the model that it is about.
            is_rounded: Whether its weights were rounded to float16 since.
        """
        from huggingface_hub import ModelCardData

        old, new = parse_card(self.text), parse_card(card)
        figures = old.text.partition(_FIGURES)[2].partition(_TRAINING)[0]
        if is_rounded and "rounded to float16" not in figures:
            figures = figures.replace(
                " split.\n", " split, before the weights were rounded to float16.\n", 1
            )
        before, _, rest = new.text.partition(_FIGURES)
        text = f"{before}{_FIGURES}{figures}{_TRAINING}{rest.partition(_TRAINING)[2]}"
        data, measured = ModelCardData(**new.data.to_dict()), ModelCardData(**old.data.to_dict())
        if measured.eval_results:
            data.model_name, data.eval_results = name, measured.eval_results
        return f"---\n{data.to_yaml()}\n---\n{text}"


def renewed_card(
    trained: "Trained",
    name: str,
    report: Mapping[str, Any] | None,
    *,
    source: str,
    notes: str | None,
    weights_sha256: str,
    is_rounded: bool,
) -> str:
    """The card of a model, with licence, notes and figures of the one that it was loaded with.

    Warns where these cannot be kept.

    Args:
        trained: The model.
        name: What it is called from now on.
        report: Output of `evaluate` for other figures, or None.
        source: What the model is loaded by.
        notes: Other licence and notes; None keeps those that are there.
        weights_sha256: Of the weights as they are: of others, figures are not kept.
        is_rounded: Whether weights that were measured are rounded to float16.
    """
    kept = trained.card
    try:
        if kept is not None:
            kept.require_form()
    except InputError as error:
        kept = None
        if notes is None:
            warnings.warn(
                f"the model's card is not kept, for {error}: give licence and notes anew",
                InputWarning,
                stacklevel=3,
            )
    if notes is None:
        notes = "" if kept is None else kept.notes
    is_noted = is_rounded and report is not None
    card = model_card(name, trained.config, report, source=source, notes=notes, is_rounded=is_noted)
    if kept is None or report is not None or kept.weights_sha256 != weights_sha256:
        return card
    return kept.with_figures(card, name, is_rounded=is_rounded)

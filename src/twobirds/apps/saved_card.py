"""What an export of a saved model keeps of its card: licence, notes and figures."""

from dataclasses import dataclass

from twobirds.apps.display import note
from twobirds.checkpoint import CARD_FILE
from twobirds.errors import InputError
from twobirds.models.card_data import parse_card
from twobirds.models.files import saved_folder
from twobirds.models.hub import HUB_PREFIX

_GENERATED = ("library_name", "pipeline_tag", "model-index")  # entries that every card has anew
_LOADS, _FENCE = "FaceModel.load(", "```\n"
_FIGURES, _TRAINING = "\n## Figures\n", "\n## Training\n"


@dataclass(frozen=True)
class SavedCard:
    """The card of a saved model."""

    text: str
    """Front matter and Markdown, as `model_card` writes it."""

    @classmethod
    def of(cls, model: str) -> "SavedCard | None":
        """The card of a model as `--model` names it; None of runs, and where there is none.

        Says so where a saved model's card cannot be kept.
        """
        if model.startswith(HUB_PREFIX):
            note(f"{model}: its card is not downloaded: give licence and notes with --notes")
            return None
        folder = saved_folder(model)
        if folder is None:
            return None
        try:
            card = cls((folder / CARD_FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            note(f"{model}: has no readable card: give licence and notes with --notes")
            return None
        if not all(part in card.text for part in (_LOADS, _FIGURES, _TRAINING)):
            note(f"{model}: its card is not of this form: give licence and notes with --notes")
            return None
        try:
            parse_card(card.text)
        except InputError as error:
            note(f"{model}: its card is not kept, for {error}: give licence and notes with --notes")
            return None
        return card

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

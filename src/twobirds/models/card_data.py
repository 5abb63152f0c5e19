"""The front matter of a model card, as the Hugging Face Hub reads it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twobirds.errors import InputError

if TYPE_CHECKING:
    from huggingface_hub import ModelCard

TASK = "image-to-image"
_TAGS = ["gan", "faces", "attributes", "image-editing"]

Figure = tuple[str, str, float]
"""Key of a figure in the report, its name in words, its value."""


def split_notes(notes: str) -> tuple[dict[str, Any], str]:
    """Separate notes into the entries of their front matter, such as license, and the text.

    Args:
        notes: Markdown; front matter between lines `---` may come first.

    Raises:
        InputError: If the front matter is not valid.
    """
    if not notes.startswith("---\n"):
        return {}, notes
    card = parse_card(notes)
    return card.data.to_dict(), card.text


def parse_card(text: str) -> "ModelCard":
    """Parse front matter and Markdown.

    Raises:
        InputError: If the front matter is no YAML, or has figures that the Hub does not know.
    """
    from huggingface_hub import ModelCard
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        return ModelCard(text)
    except (ValueError, YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"the front matter between lines --- is not valid: {reason}") from error


def front_matter(
    name: str,
    given: Mapping[str, Any],
    data: Mapping[str, Any] | None,
    figures: Iterable[Figure],
) -> str:
    """Write the YAML between the lines `---` of a card.

    Args:
        name: Name of the model.
        given: Entries from the notes: license, license_name, license_link, datasets and such.
        data: Section `data` of the report that the figures are from; None without a report.
        figures: What was measured.
    """
    from huggingface_hub import EvalResult, ModelCardData

    dataset = next(
        iter(given.get("datasets", [])), "drawn-faces" if data and data.get("drawn") else ""
    )
    results = [
        EvalResult(
            task_type=TASK,
            dataset_type=dataset or "own-faces",
            dataset_name=dataset or "own faces",
            dataset_split=data["split"],
            metric_type=key,
            metric_name=label,
            metric_value=round(value, 5),
        )
        for key, label, value in figures
        if data is not None
    ]
    entries = {"library_name": "twobirds", "pipeline_tag": TASK, "tags": _TAGS} | dict(given)
    if results:
        entries |= {"model_name": name, "eval_results": results}
    yaml: str = ModelCardData(**entries).to_yaml()
    return yaml

"""The model card that goes with every saved model."""

from collections.abc import Iterator, Mapping
from typing import Any

from twobirds.config import RunConfig
from twobirds.models.card_data import Figure, front_matter, split_notes

_TEMPLATE = """---
{front_matter}
---
# {name}

One model that recognizes {num_attributes} attributes of aligned faces of {size}x{size} pixels,
generates faces from noise and attributes, reconstructs faces from their latent codes, and edits
them.
Trained with preset `{preset}` of [TwoBirds](https://arxiv.org/abs/1711.06078) (iterative GAN).

```python
from twobirds import FaceModel

model = FaceModel.load("{source}")
```
{notes}
## Figures
{figures}

## Training
{training}

## Attributes
{attributes}

## Limits and responsible use
Faces must be aligned like the training images. Attributes are what annotators saw in photos, not
what people are; errors differ between groups of people. Do not use the model to decide about
people, to deceive, or on photos of people who did not agree. Weights that were trained on CelebA
are for non-commercial research only, like that data set.
"""
_MIN_SUPPORT = 10  # faces behind a rate that is shown
_FIGURES = (
    ("recognition", "hamming_loss", "Hamming loss"),
    ("recognition", "majority_hamming_loss", "Hamming loss of the majority label"),
    ("recognition", "balanced_accuracy", "balanced accuracy"),
    ("recognition", "mean_average_precision", "mean average precision"),
    ("reconstruction", "psnr_db", "latent-only reconstruction, PSNR in dB"),
    ("reconstruction", "baselines_psnr_db.mean_face", "PSNR of the mean face in dB"),
    ("reconstruction", "baselines_psnr_db.pca_128", "PSNR of 128 principal components in dB"),
    ("reconstruction", "ssim", "latent-only reconstruction, SSIM"),
    ("reconstruction", "identity.same_person_rate", "reconstructions accepted as the same person"),
    ("reconstruction", "edit_path.psnr_db", "an edit of nothing, PSNR in dB"),
    ("reconstruction", "edit_path.ssim", "an edit of nothing, SSIM"),
    ("editing", "success_rate", "edit success, by a separately trained judge"),
    ("editing", "floor_rate", "edit success, floor (unedited faces)"),
    ("editing", "attgan.success_rate", "edit success, AttGAN's thirteen attributes"),
    ("editing", "attgan.floor_rate", "floor of AttGAN's thirteen"),
    ("editing", "attgan.ceiling_rate", "ceiling of AttGAN's thirteen, on real faces"),
    ("editing", "several.6.success_rate", "six edits at once, success of each"),
    ("editing", "several.6.ceiling_rate", "ceiling of six edits at once, on real faces"),
    ("editing", "second_judge.success_rate", "edit success by the second judge"),
    ("editing", "second_judge.floor_rate", "floor of the second judge"),
    ("editing", "second_judge.ceiling_rate", "ceiling of the second judge, on real faces"),
    ("editing", "realism.auc", "realism of added attributes, AUC (0.5 cannot be told from real)"),
    ("editing", "realism.real_floor", "realism of real faces against real faces, AUC (floor)"),
    ("editing", "prototype.num_beaten", "attributes that beat the prototype at equal realism"),
    ("editing", "prototype.num_attributes", "attributes compared with the prototype"),
    ("editing", "attgan.several.6.success_rate", "six of AttGAN's at once, success of each"),
    ("editing", "attgan.several.6.ceiling_rate", "ceiling of six of AttGAN's, on real faces"),
    ("editing", "identity.same_person_rate", "edited faces accepted as the same person"),
    ("editing", "drift", "drift of other attributes in logits, beyond reconstruction's"),
    ("editing", "drift_from_source", "drift of other attributes in logits, from the source"),
    ("generation", "frechet_distance", "Fréchet distance on the judge's features"),
    ("generation", "real_floor", "Fréchet distance between real faces (floor)"),
    (
        "generation",
        "memorization.ratio",
        "distance of generated faces to the nearest training face, over that of other real faces",
    ),
    (
        "generation",
        "memorization.close_rate",
        "generated faces nearer to a training face than 99 in 100 other real faces",
    ),
)


def model_card(
    name: str,
    config: RunConfig,
    report: Mapping[str, Any] | None,
    *,
    source: str,
    notes: str = "",
    is_rounded: bool = False,
) -> str:
    """Write the card, Markdown, with the figures of an evaluation if there is one.

    Args:
        name: Name of the model.
        config: The run that trained it.
        report: Output of `evaluate`, or None.
        source: What the model is loaded by.
        notes: Markdown for what no report knows: data, licence, history, known failures. Front
            matter in it, such as license and datasets, goes into that of the card.
        is_rounded: Whether the weights were rounded to float16 after they were measured.
    """
    given, notes = split_notes(notes)
    train = config.train
    training = (
        f"{train.images:,} images shown over both stages, batches of {train.batch_size}, Adam with "
        f"step size {train.learning_rate:g}, seed {train.seed}; recipe {config.recipe.name}."
    )
    return _TEMPLATE.format(
        front_matter=front_matter(
            name, given, None if report is None else report["data"], _measured(report or {})
        ),
        name=name,
        source=source,
        num_attributes=config.data.num_attributes,
        size=config.data.size,
        preset=config.preset,
        notes=f"\n{notes.strip()}\n" if notes.strip() else "",
        figures=_figures(report, is_rounded=is_rounded),
        training=training,
        attributes=", ".join(config.data.attributes),
    )


def _figures(report: Mapping[str, Any] | None, *, is_rounded: bool) -> str:
    if report is None:
        return "Not evaluated: run `twobirds evaluate`."
    data = report["data"]
    rounding = ", before the weights were rounded to float16" * is_rounded
    faces = f"{data['count']:,} faces of the {data['split']} split"
    lines = [
        f"Measured by `twobirds evaluate` on {faces}{rounding}.",
        "",
        "| figure | value |",
        "| --- | --- |",
    ]
    lines += [f"| {label} | {value:.4g} |" for _, label, value in _measured(report)]
    if faults := report.get("editing", {}).get("above_ceiling"):
        lines += [
            "",
            "Known fault: the judge recognizes these on edited faces far more often than on real "
            f"faces that have them, so they look exaggerated: {', '.join(faults)}.",
        ]
    return "\n".join([*lines, *_errors(report)])


def _measured(report: Mapping[str, Any]) -> Iterator[Figure]:
    """The figures of the card that a report has."""
    for section, path, label in _FIGURES:
        value: Any = report.get(section, {})
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            yield f"{section}.{path}", label, value


def _errors(report: Mapping[str, Any]) -> list[str]:
    """Errors on groups of people, and attribute by attribute."""
    recognition, edits = report["recognition"], report.get("editing", {}).get("per_attribute", {})
    lines = []
    if slices := recognition.get("slices"):
        lines += ["", "| faces | Hamming loss on the other attributes | faces counted |"]
        lines += ["| --- | --- | --- |"]
        lines += [
            f"| {name} | {scores['hamming_loss']:.4f} | {scores['support']:,} |"
            for name, scores in slices.items()
        ]
    if attributes := recognition.get("per_attribute"):
        lines += [
            "",
            "Added, removed: the share of edits in which the judge predicts the wanted value (in",
        ]
        lines += [
            "brackets: the floor, on unedited faces), of how many; left out below "
            f"{_MIN_SUPPORT} faces.",
            "",
        ]
        lines += ["| attribute | error | of the majority label | added | removed |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for name, scores in attributes.items():
            row = edits.get(name, {})
            shown = " | ".join(_rate(row, direction) for direction in ("add", "remove"))
            errors = 1 - scores["accuracy"], 1 - scores["majority_accuracy"]
            lines.append(f"| {name} | {errors[0]:.3f} | {errors[1]:.3f} | {shown} |")
    return lines


def _rate(row: Mapping[str, Any], direction: str) -> str:
    """How often an attribute's edits in one direction show."""
    support = row.get("support", {}).get(direction, 0)
    if direction not in row or support < _MIN_SUPPORT:
        return ""
    return f"{row[direction]:.0%} ({row[f'{direction}_floor']:.0%}), {support:,}"

"""The model card that goes with every saved model."""

from collections.abc import Mapping
from typing import Any

from twobirds.config import RunConfig

_TEMPLATE = """---
library_name: twobirds
tags: [gan, faces, attributes, image-editing]
---
# {name}

One model that recognizes {num_attributes} attributes of aligned faces of {size}x{size} pixels,
generates faces from noise and attributes, rebuilds faces through their own code, and edits them.
Trained with preset `{preset}` of [TwoBirds](https://arxiv.org/abs/1711.06078) (iterative GAN).

```python
from twobirds import FaceModel

model = FaceModel.load("{source}")
```

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
_FIGURES = (
    ("recognition", "hamming_loss", "Hamming loss"),
    ("recognition", "majority_hamming_loss", "Hamming loss of always saying the majority label"),
    ("recognition", "balanced_accuracy", "balanced accuracy"),
    ("recognition", "mean_average_precision", "mean average precision"),
    ("reconstruction", "psnr_db", "reconstruction from the code, PSNR in dB"),
    ("reconstruction", "ssim", "reconstruction from the code, SSIM"),
    ("reconstruction", "identity.same_person_rate", "of these accepted as the same person"),
    ("reconstruction", "edit_path.psnr_db", "an edit of nothing, PSNR in dB"),
    ("reconstruction", "edit_path.ssim", "an edit of nothing, SSIM"),
    ("editing", "success_rate", "edit success, by a separately trained judge"),
    ("editing", "floor_rate", "edit success without any edit (floor)"),
    ("editing", "attgan.success_rate", "edit success, the thirteen attributes of AttGAN"),
    ("editing", "attgan.floor_rate", "the same without any edit (floor)"),
    (
        "editing",
        "several.6.success_rate",
        "six edits at once, any of the attributes, success of each",
    ),
    ("editing", "attgan.several.6.success_rate", "six of AttGAN's at once, success of each"),
    ("editing", "identity.same_person_rate", "edited faces accepted as the same person"),
    ("editing", "drift", "drift of the other attributes, logits"),
    ("editing", "drift_from_source", "the same, with that of reconstruction"),
    ("generation", "frechet_distance", "Frechet distance on the judge's features"),
    ("generation", "real_floor", "the same between real faces (floor)"),
    (
        "generation",
        "memorization.ratio",
        "distance of generated faces to the nearest training face, over that of real ones",
    ),
)


def model_card(
    name: str, config: RunConfig, report: Mapping[str, Any] | None, *, source: str
) -> str:
    """Write the card, Markdown, with the figures of an evaluation if there is one.

    Args:
        name: Name of the model.
        config: The run that trained it.
        report: Output of `evaluate`, or None.
        source: What the model is loaded by.
    """
    train = config.train
    training = (
        f"{train.images:,} images shown over both stages, batches of {train.batch_size}, Adam with "
        f"step size {train.learning_rate:g}, seed {train.seed}; width {config.model.width:g}."
    )
    return _TEMPLATE.format(
        name=name,
        source=source,
        num_attributes=config.model.num_attributes,
        size=config.model.size,
        preset=config.preset,
        figures=_figures(report),
        training=training,
        attributes=", ".join(config.model.attributes),
    )


def _figures(report: Mapping[str, Any] | None) -> str:
    if report is None:
        return "Not evaluated: run `twobirds evaluate`."
    data = report["data"]
    lines = [
        f"Measured by `twobirds evaluate` on {data['count']:,} faces of the {data['split']} split.",
        "",
        "| figure | value |",
        "| --- | --- |",
    ]
    for section, path, label in _FIGURES:
        value = report.get(section, {})
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            lines.append(f"| {label} | {value:.4g} |")
    return "\n".join([*lines, *_errors(report)])


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
        lines += ["", "| attribute | error | of the majority label | edits added | edits removed |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for name, scores in attributes.items():
            seen = (edits.get(name, {}).get(direction) for direction in ("add", "remove"))
            shown = " | ".join("" if rate is None else f"{rate:.0%}" for rate in seen)
            errors = 1 - scores["accuracy"], 1 - scores["majority_accuracy"]
            lines.append(f"| {name} | {errors[0]:.3f} | {errors[1]:.3f} | {shown} |")
    return lines

"""The figures of the report, after the paper's Figs. 5 to 8; faces chosen by rule, not by eye."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.faces import to_pixels
from twobirds.data.pack import Pack
from twobirds.evaluation.drawn_truth import DrawnTruth
from twobirds.evaluation.evaluate import choose_rows
from twobirds.evaluation.faces import (
    EncodedFaces,
    EvaluatedModel,
    FaceSet,
    attribute_columns,
    load_faces,
    to_tensor,
)
from twobirds.evaluation.figures import Figure
from twobirds.evaluation.generation import generate_images
from twobirds.evaluation.plan import EvaluationConfig

_SHOWN = ("Eyeglasses", "Smiling", "Bangs", "Male", "Bald", "Bushy_Eyebrows", "Young")
"""Attributes to show, where the model knows them: the paper's, then others easy to see."""
RIGHT, WRONG, MISSED = "+", "x", "-"
"""Marks before an attribute: predicted rightly, predicted wrongly, not predicted."""
_NUM_FACES, _NUM_GENERATED = 12, 24
RULE = "The faces are the first of the split in a random order that the seed fixes."
"""By which rule the faces of a figure are chosen."""


@dataclass(frozen=True, eq=False)
class _Gallery:
    """What the figures are made from."""

    model: EvaluatedModel
    faces: FaceSet
    """The faces to show, in random order."""
    encoded: EncodedFaces
    """The same, encoded."""
    probabilities: np.ndarray
    """`[N, K]`, the attributes as the model predicts them."""
    names: list[str]
    """Attributes to show."""
    asked: np.ndarray
    """`[24, K]` 0/1, attributes of faces to generate, as they occur in the split."""
    seed: int

    def edit(self, position: int, changes: Mapping[str, float]) -> np.ndarray:
        """Edit one of the faces, `[S, S, 3]` uint8."""
        with torch.inference_mode():
            encoded = self.encoded.select([position])
            edited: np.ndarray = to_pixels(encoded.edit(changes, device=self.model.device))[0]
        return edited

    def reverse(self, position: int, names: Sequence[str]) -> np.ndarray:
        """Reverse what the model predicts of some attributes of a face, `[S, S, 3]` uint8."""
        columns = [self.model.attributes.index(name) for name in names]
        targets = self.probabilities[position, columns] < 0.5
        return self.edit(position, dict(zip(names, targets.astype(float).tolist(), strict=True)))


def make_figures(model: EvaluatedModel, pack: Pack, config: EvaluationConfig) -> list[Figure]:
    """Make the figures of a report.

    Args:
        model: What was evaluated.
        pack: What it was evaluated on.
        config: As given to `evaluate`.

    Returns:
        Figures of recognition, reconstruction, edits and generation; and of the true answers to
        edits, for drawn faces, where the model knows an attribute that can be rendered.
    """
    gallery = _open_gallery(model, pack, config)
    figures = [
        _recognized(gallery),
        _reconstructed(gallery),
        _edited(gallery),
        _edited_at_once(gallery),
        _generated(gallery),
        _generated_with_changes(gallery),
    ]
    if pack.drawn and set(gallery.names) & set(DRAWN_ATTRIBUTES):
        figures.append(_compared_with_truth(gallery, DrawnTruth(pack, gallery.faces)))
    return figures


def _open_gallery(model: EvaluatedModel, pack: Pack, config: EvaluationConfig) -> _Gallery:
    """Choose the faces and attributes to show."""
    order = np.random.default_rng([config.seed, 1])
    rows = order.permutation(choose_rows(pack, config))
    faces = load_faces(pack, rows[:_NUM_FACES], model)
    asked = np.resize(rows, _NUM_GENERATED)  # over and over where the split is smaller
    with torch.inference_mode():
        encoded = model.encode_faces(to_tensor(faces.images))
    known = [name for name in _SHOWN if name in model.attributes]
    others = [name for name in model.attributes if name not in known]
    asked_attributes = pack.attributes[asked][:, attribute_columns(pack, model)]
    return _Gallery(
        model,
        faces,
        encoded,
        encoded.attributes.cpu().numpy(),
        [*known, *others],
        asked_attributes,
        config.seed,
    )


def _recognized(gallery: _Gallery) -> Figure:
    return Figure(
        key="recognition",
        title="Recognition",
        caption="The attributes predicted with the highest probabilities. "
        f"{RIGHT} the label agrees; {WRONG} it does not; {MISSED} labelled, but not predicted. "
        f"{RULE}",
        images=gallery.faces.images,
        columns=6,
        labels=tuple(_describe_predictions(gallery, i) for i in range(len(gallery.faces))),
    )


def _describe_predictions(gallery: _Gallery, position: int) -> str:
    """What was predicted for a face, one attribute a line, and what was missed."""
    predicted, labels = gallery.probabilities[position], gallery.faces.attributes[position]
    surest = [k for k in np.argsort(-predicted, kind="stable")[:5] if predicted[k] > 0.5]
    missed = [k for k in np.argsort(predicted, kind="stable") if labels[k] and predicted[k] <= 0.5]
    names = gallery.model.attributes
    lines = [f"{RIGHT if labels[k] else WRONG} {names[k]}" for k in surest]
    return "\n".join([*lines, *(f"{MISSED} {names[k]}" for k in missed[:2])])


def _reconstructed(gallery: _Gallery) -> Figure:
    sources = gallery.faces.images[:8]
    with torch.inference_mode():
        chosen = gallery.encoded.select(range(len(sources)))
        reconstructed = to_pixels(chosen.reconstruct(device=gallery.model.device))
    return Figure(
        key="reconstruction",
        title="Reconstruction",
        caption=f"Each face, and its reconstruction from latents and attributes alone. {RULE}",
        images=np.concatenate([sources, reconstructed]),
        columns=len(sources),
        row_titles=("source", "reconstructed"),
    )


def _edited(gallery: _Gallery) -> Figure:
    names = gallery.names[:5]
    cells = []
    for row, name in enumerate(names):
        for offset in range(4):
            position = (4 * row + offset) % len(gallery.faces)
            cells += [gallery.faces.images[position], gallery.reverse(position, [name])]
    return Figure(
        key="single-edits",
        title="One attribute reversed",
        caption=f"As the paper's Fig. 6: source and edit in turn, one attribute a row. {RULE}",
        images=np.stack(cells),
        columns=8,
        column_titles=("source", "reversed") * 4,
        row_titles=tuple(names),
    )


def _edited_at_once(gallery: _Gallery) -> Figure:
    sets = _combinations(gallery.names)
    positions = range(min(5, len(gallery.faces)))
    cells = []
    for position in positions:
        cells += [gallery.faces.images[position], *(gallery.reverse(position, s) for s in sets)]
    return Figure(
        key="multiple-edits",
        title="Several attributes reversed at once",
        caption="As the paper's Fig. 7: the source, an edit that changes nothing, three "
        f"attributes reversed one by one, then two, three and six of them together. {RULE}",
        images=np.stack(cells),
        columns=1 + len(sets),
        column_titles=("source", *(_title(s) for s in sets)),
    )


def _combinations(names: Sequence[str]) -> list[list[str]]:
    """Nothing, three attributes one by one, and the first two, three and six together."""
    several = [list(names[:count]) for count in (2, 3, 6) if count <= len(names)]
    return [[], *([name] for name in names[:3]), *several]


def _title(names: Sequence[str]) -> str:
    if not names:
        return "unedited"
    return " + ".join(names) if len(names) <= 3 else f"{len(names)} at once"


def _generated(gallery: _Gallery) -> Figure:
    return Figure(
        key="generation",
        title="Generation",
        caption="Faces of nobody: random latents, and attributes as they occur together in the "
        "split. The first 24 of the seed.",
        images=generate_images(gallery.model, gallery.asked, seed=gallery.seed),
        columns=8,
    )


def _generated_with_changes(gallery: _Gallery) -> Figure:
    names = gallery.names[:3]
    all_names = list(gallery.model.attributes)
    rows = gallery.asked[:5].copy()
    rows[:, [all_names.index(name) for name in names]] = 0
    sets: list[list[str]] = [[], *([n] for n in names), names[:2], names]
    columns = []
    for changed in sets:
        asked = rows.copy()
        asked[:, [all_names.index(name) for name in changed]] = 1
        asked = resolve_conflicts(asked, all_names, changed)
        columns.append(generate_images(gallery.model, asked, seed=gallery.seed))  # the same z
    images = np.stack(columns, axis=1)  # [rows, columns, S, S, 3]
    return Figure(
        key="generation-changed",
        title="Generation with one and several attributes changed",
        caption="As the paper's Fig. 8: one latent a row. First without the attributes named, then "
        "with one, two and three of them. The first five of the seed.",
        images=images.reshape(-1, *images.shape[2:]),
        columns=len(sets),
        column_titles=("random", *(f"+ {_title(s)}" for s in sets[1:])),
    )


def _compared_with_truth(gallery: _Gallery, truth: DrawnTruth) -> Figure:
    names = [name for name in gallery.names if name in DRAWN_ATTRIBUTES][:5]
    cells = []
    for row, name in enumerate(names):
        column = gallery.model.attributes.index(name)
        for offset in range(3):
            position = (3 * row + offset) % len(gallery.faces)
            target = 1 - int(gallery.faces.attributes[position, column])
            answer = truth.answers(np.array([position]), name, target)[0]
            edited = gallery.edit(position, {name: float(target)})
            cells += [gallery.faces.images[position], edited, answer]
    return Figure(
        key="truth",
        title="Edits beside their true answers",
        caption="A drawn face, the model's edit of one attribute, and the same person rendered "
        f"with that attribute switched. {RULE}",
        images=np.stack(cells),
        columns=9,
        column_titles=("source", "edit", "truth") * 3,
        row_titles=tuple(names),
    )

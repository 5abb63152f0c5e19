"""The figures of the report, after the paper's Figs. 5 to 8; faces chosen by rule, not by eye."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.pack import Pack
from twobirds.evaluation.drawn_truth import DrawnTruth
from twobirds.evaluation.evaluate import choose_rows
from twobirds.evaluation.faces import (
    EvaluatedModel,
    FaceSet,
    attribute_columns,
    load_faces,
    map_faces,
    to_tensor,
)
from twobirds.evaluation.figures import Figure
from twobirds.evaluation.generation import generate_images
from twobirds.evaluation.plan import EvaluationConfig

_SHOWN = ("Eyeglasses", "Smiling", "Bangs", "Male", "Bald", "Bushy_Eyebrows", "Young")
"""Attributes to show, where the model knows them: the paper's, then others easy to see."""
RIGHT, WRONG, MISSED = "+", "x", "-"
"""Marks before what was read, or not."""
_NUM_FACES, _NUM_GENERATED = 12, 24
RULE = "The faces are the first of the split in an order drawn from the seed."
"""By which rule the faces of a figure are chosen."""


@dataclass(frozen=True, eq=False)
class _Gallery:
    """What the figures are made from."""

    model: EvaluatedModel
    faces: FaceSet
    """The faces to show, in the drawn order."""
    read: np.ndarray
    """`[N, K]` probabilities."""
    names: list[str]
    """Attributes to show."""
    asked: np.ndarray
    """`[24, K]` 0/1, attributes of faces to generate, as they occur in the split."""
    seed: int

    def edit(self, positions: Sequence[int], changes: Mapping[str, float]) -> np.ndarray:
        """Edit some of the faces alike, `[B, S, S, 3]` uint8."""
        sources = self.faces.images[list(positions)]
        return map_faces(lambda f: self.model.edit(f, changes), sources, self.model.device)

    def reverse(self, position: int, names: Sequence[str]) -> np.ndarray:
        """Reverse what the model reads of some attributes of a face, `[S, S, 3]` uint8."""
        columns = [self.model.attributes.index(name) for name in names]
        targets = self.read[position, columns] < 0.5
        changes = dict(zip(names, targets.astype(float).tolist(), strict=True))
        edited: np.ndarray = self.edit([position], changes)[0]
        return edited


def draw_figures(model: EvaluatedModel, pack: Pack, config: EvaluationConfig) -> list[Figure]:
    """Make the figures of a report.

    Args:
        model: What was evaluated.
        pack: What it was evaluated on.
        config: As given to `evaluate`.

    Returns:
        Figures of recognition, reconstruction, edits and generation; and of the true answers to
        edits, where the faces are drawn and the model knows a drawn attribute.
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
        read = model.recognize(to_tensor(faces.images, model.device)).cpu().numpy()
    known = [name for name in _SHOWN if name in model.attributes]
    others = [name for name in model.attributes if name not in known]
    asked_attributes = pack.attributes[asked][:, attribute_columns(pack, model)]
    return _Gallery(model, faces, read, [*known, *others], asked_attributes, config.seed)


def _recognized(gallery: _Gallery) -> Figure:
    return Figure(
        key="recognition",
        title="Recognition",
        caption=f"The attributes read most surely off each face. {RIGHT} the label says so too; "
        f"{WRONG} it does not; {MISSED} labelled, but not read. {RULE}",
        images=gallery.faces.images,
        columns=6,
        labels=tuple(_describe_reading(gallery, i) for i in range(len(gallery.faces))),
    )


def _describe_reading(gallery: _Gallery, position: int) -> str:
    """What was read off a face, one attribute a line, and a missed one."""
    read, labels = gallery.read[position], gallery.faces.attributes[position]
    surest = [k for k in np.argsort(-read, kind="stable")[:5] if read[k] > 0.5]
    missed = [k for k in np.argsort(read, kind="stable") if labels[k] and read[k] <= 0.5]
    names = gallery.model.attributes
    lines = [f"{RIGHT if labels[k] else WRONG} {names[k]}" for k in surest]
    return "\n".join([*lines, *(f"{MISSED} {names[k]}" for k in missed[:2])])


def _reconstructed(gallery: _Gallery) -> Figure:
    sources = gallery.faces.images[:8]
    rebuilt = map_faces(gallery.model.reconstruct, sources, gallery.model.device)
    return Figure(
        key="reconstruction",
        title="Reconstruction",
        caption=f"Each face, and what the model rebuilds from its code and attributes. {RULE}",
        images=np.concatenate([sources, rebuilt]),
        columns=len(sources),
        row_titles=("source", "rebuilt"),
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
        caption="As the paper's Fig. 7: the source, its reconstruction with nothing changed, three "
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
        return "rebuilt"
    return " + ".join(names) if len(names) <= 3 else f"{len(names)} at once"


def _generated(gallery: _Gallery) -> Figure:
    return Figure(
        key="generation",
        title="Generation",
        caption="Faces of nobody: random codes, and attributes as they occur together in the "
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
        caption="As the paper's Fig. 8: one code a row. First without the attributes named, then "
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
            edited = gallery.edit([position], {name: float(target)})[0]
            cells += [gallery.faces.images[position], edited, answer]
    return Figure(
        key="truth",
        title="Edits beside their true answers",
        caption="A drawn face, the model's edit of one attribute, and the same person drawn again "
        f"with that attribute switched. {RULE}",
        images=np.stack(cells),
        columns=9,
        column_titles=("source", "edit", "truth") * 3,
        row_titles=tuple(names),
    )

"""P22: Figs. 4 to 9 as files, of faces chosen by a rule that was set before looking."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Chart

from twobirds.evaluation.faces import map_faces
from twobirds.evaluation.figures import Figure, grid
from twobirds.evaluation.panels import RULE, make_figures
from twobirds.reproduction.changes import DISTANCE, Change, measure_change
from twobirds.reproduction.document import Picture
from twobirds.reproduction.generation import METHODS as GENERATORS
from twobirds.reproduction.generation import decoder_of, generate_change
from twobirds.reproduction.plan import SETTINGS, TITLES, setting_title
from twobirds.reproduction.recognition import CONTENDERS, RecognitionResult
from twobirds.reproduction.settings import SettingsResult
from twobirds.reproduction.study import Study
from twobirds.reproduction.transformation import changeable, edits

_CELL_PIXELS = 112
_NUM_FACES = 5  # of Fig. 5
_NUM_PAIRS = 2  # rows for each attribute of Fig. 9
_FROM_PANELS = {"single-edits": "fig6", "multiple-edits": "fig7", "generation-changed": "fig8"}


def make_pictures(
    study: Study, recognition: RecognitionResult, settings: SettingsResult, folder: Path
) -> dict[str, Picture]:
    """Write every figure into a folder, by `fig4` to `fig9b`.

    Args:
        study: Models and faces.
        recognition: For Fig. 4.
        settings: For Fig. 5.
        folder: Where the PNG files go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "fig4": _fig4(recognition, folder / "fig4.png"),
        "fig5": _fig5(study, settings, folder / "fig5.png"),
    }
    for figure in make_figures(study.ours, study.trainings.pack, study.config):
        if figure.key in _FROM_PANELS:
            key = _FROM_PANELS[figure.key]
            pictures[key] = _save(figure, folder / f"{key}.png")
    if any(len(changeable(study, attribute, 1)) for attribute in study.compared):
        pictures["fig9a"] = _fig9a(study, folder / "fig9a.png")
    if study.compared:
        pictures["fig9b"] = _fig9b(study, folder / "fig9b.png")
    return pictures


def _save(figure: Figure, path: Path) -> Picture:
    sheet = grid(
        figure.images,
        figure.columns,
        column_titles=figure.column_titles,
        row_titles=figure.row_titles,
        labels=figure.labels,
        cell_pixels=_CELL_PIXELS,
    )
    sheet.save(path, optimize=True)
    return Picture(figure.title, path, figure.caption)


def _fig4(result: RecognitionResult, path: Path) -> Picture:
    """Bars of the Hamming losses, with the majority label's line."""
    chart = Chart(figsize=(6.4, 3.6), dpi=150, layout="constrained")
    axes = chart.subplots()
    losses = [result.loss[name] for name in CONTENDERS]
    errors = np.array([(e.mean - e.interval[0], e.interval[1] - e.mean) for e in losses]).T
    labels = [TITLES[name] for name in CONTENDERS]
    axes.bar(labels, [e.mean for e in losses], yerr=errors, capsize=3, color="#2f6fbf")
    majority = result.scores[CONTENDERS[0]]["majority_hamming_loss"]
    axes.axhline(majority, color="#c2571a", linestyle="--", label="majority label")
    axes.set_ylabel("Hamming loss")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    chart.savefig(path, metadata={"Software": None})
    caption = "Hamming loss over all attributes of the test faces, with 95 % intervals over people."
    return Picture("Hamming loss of attribute prediction (Fig. 4)", path, caption)


def _fig5(study: Study, result: SettingsResult, path: Path) -> Picture:
    order = np.random.default_rng([study.seed, 1]).permutation(len(study.faces))[:_NUM_FACES]
    cells, labels = [], []
    for position in order:
        cells.append(study.faces.images[position])
        labels.append("")
        for name in SETTINGS:
            cells.append(result.reconstructed[name][position])
            distances = result.distances.get(name)
            labels.append("" if distances is None else f"{distances[position]:.3f}")
    scores = "Below each face its identity distance from the source." if result.distances else ""
    return _save(
        Figure(
            key="fig5",
            title="Faces reconstructed under four losses (Fig. 5)",
            caption=f"{scores} {RULE}".strip(),
            images=np.stack(cells),
            columns=1 + len(SETTINGS),
            column_titles=("target", *(setting_title(name) for name in SETTINGS)),
            labels=tuple(labels) if result.distances else (),
        ),
        path,
    )


def _fig9a(study: Study, path: Path) -> Picture:
    cells, labels, rows = [], [], []
    for attribute in study.compared:
        for position in changeable(study, attribute, 1)[:_NUM_PAIRS]:
            source = study.faces.images[position : position + 1]
            cells.append(source[0])
            labels.append("")
            rows.append(f"+ {attribute}")
            for edit in edits(study, attribute, 1).values():
                edited = map_faces(edit, source, study.ours.device)
                change = Change(attribute, 1, source, edited, source, np.array([-1]))
                cells.append(edited[0])
                labels.append(_distance_label(study, change))
    return _save(
        Figure(
            key="fig9a",
            title="Faces transformed by ours and by CycleGAN (Fig. 9 a)",
            caption="One attribute added to a real face. The faces are the first of the test split "
            f"without it, in a random order that the seed fixes.{_scores(study)}",
            images=np.stack(cells),
            columns=3,
            column_titles=("target", "iterative GAN", "CycleGAN"),
            row_titles=tuple(rows),
            labels=tuple(labels),
        ),
        path,
    )


def _fig9b(study: Study, path: Path) -> Picture:
    pairs: dict[tuple[str, str], Change] = {}
    for method in GENERATORS:
        decoder = decoder_of(study, method)
        for attribute in study.compared:
            pairs[attribute, method] = generate_change(study, decoder, attribute, _NUM_PAIRS)
    cells, labels, rows = [], [], []
    for attribute in study.compared:
        for i in range(_NUM_PAIRS):
            rows.append(f"+ {attribute}")
            for method in GENERATORS:
                change = pairs[attribute, method]
                before, after = change.before[[i]], change.after[[i]]
                one = Change(attribute, 1, before, after, before, np.array([-1]))
                cells += [one.before[0], one.after[0]]
                labels += ["", _distance_label(study, one)]
    titles = [(TITLES[m], f"{TITLES[m]}, changed") for m in GENERATORS]
    return _save(
        Figure(
            key="fig9b",
            title="Faces generated by CGAN, ACGAN and ours, and changed (Fig. 9 b)",
            caption="The same z and attributes in a row, with one attribute added. The first z of "
            f"the seed.{_scores(study)}",
            images=np.stack(cells),
            columns=2 * len(GENERATORS),
            column_titles=tuple(t for pair in titles for t in pair),
            row_titles=tuple(rows),
            labels=tuple(labels),
        ),
        path,
    )


def _scores(study: Study) -> str:
    what = " Below each changed face the identity distance from the one before."
    return what if study.identity_judge else ""


def _distance_label(study: Study, change: Change) -> str:
    values = measure_change(study, change)
    return f"{values[DISTANCE][0]:.3f}" if DISTANCE in values else ""


def pictures_in_order(pictures: dict[str, Picture], keys: Sequence[str]) -> list[Picture]:
    """Those of the named pictures that were made."""
    return [pictures[key] for key in keys if key in pictures]

"""The report as a page: one HTML file with everything in it, beside the JSON."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from twobirds.atomic import write_json, write_text
from twobirds.errors import InputError
from twobirds.evaluation.figures import Figure
from twobirds.evaluation.headline import HEADLINE, Line, figure_at
from twobirds.evaluation.panels import MISSED, RIGHT, WRONG

_MARKS = {RIGHT: "right", WRONG: "wrong", MISSED: "missed"}


@dataclass(frozen=True)
class Bar:
    """One bar of a chart; every length is a share of the whole, 0 to 1."""

    value: float
    """The figure."""
    text: str
    """The figure as text."""
    ticks: dict[str, float]
    """Marks to compare with, by kind: `floor` and `ceiling`."""
    interval: tuple[float, float] | None = None
    """Where it may lie."""


def write_report(report: Mapping[str, Any], figures: Sequence[Figure], out: Path) -> Path:
    """Write the report as JSON, and as a page beside it.

    Args:
        report: Output of `evaluate`.
        figures: Output of `make_figures`; may be empty.
        out: The JSON file, ending in .json.

    Returns:
        The page: the same name, ending in .html.

    Raises:
        InputError: If `out` is not named as a JSON file.
    """
    if out.suffix != ".json":
        raise InputError(f"{out}: the report is JSON, so its name must end in .json")
    page = out.with_suffix(".html")
    html = render_page(report, figures)
    write_json(out, report)
    write_text(page, html)
    return page


def render_page(report: Mapping[str, Any], figures: Sequence[Figure]) -> str:
    """Fill the template: a page without any outside resource."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = files("twobirds.evaluation").joinpath("report.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        report=report,
        headline=headline_rows(report),
        recognition=recognition_bars(report),
        edits=edit_bars(report),
        realism=realism_rows(report),
        figures=[_figure_cells(figure) for figure in figures],
    )


def headline_rows(report: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the headline table that the report has figures for, by section."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in HEADLINE:
        value = figure_at(report, line.path)
        if value is None:
            continue
        found = [(label, figure_at(report, path)) for label, path in line.references]
        references = [(label, line.show(ref)) for label, ref in found if ref is not None]
        rows.setdefault(line.section, []).append({
            "name": line.name,
            "value": line.show(value),
            "interval": _interval_text(report, line),
            "references": references,
            "meaning": line.meaning,
        })  # fmt: skip
    return rows


def recognition_bars(report: Mapping[str, Any]) -> list[tuple[str, Bar, int]]:
    """Balanced accuracy of each attribute with its number of positives, best first."""
    judged = figure_at(report, "judge.per_attribute") or {}
    rows = []
    for name, scores in report["recognition"]["per_attribute"].items():
        value = scores.get("balanced_accuracy")
        if value is None:
            continue
        ticks = {"floor": 0.5}
        if "balanced_accuracy" in judged.get(name, {}):
            ticks["ceiling"] = judged[name]["balanced_accuracy"]
        rows.append((name, Bar(value, f"{value:.0%}", ticks), scores["support"]))
    return sorted(rows, key=lambda row: -row[1].value)


def edit_bars(report: Mapping[str, Any]) -> list[tuple[str, dict[str, tuple[Bar, int] | None]]]:
    """Success of each attribute and direction with its number of faces, best first."""
    table = figure_at(report, "editing.per_attribute") or {}
    rows = [
        (name, {direction: _edit_bar(scores, direction) for direction in ("add", "remove")})
        for name, scores in table.items()
    ]
    return sorted(rows, key=_mean_success, reverse=True)


def realism_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Realism of each added attribute beside its success and the prototype's, as text."""
    compared = figure_at(report, "editing.prototype.per_attribute") or {}
    edits = figure_at(report, "editing.per_attribute") or {}
    rows = []
    for name, scores in (figure_at(report, "editing.realism.per_attribute") or {}).items():
        support, texts = scores["support"], ["too few faces", ""]
        if "auc" in scores:
            low, high = scores["interval"]
            texts[0] = f"{scores['auc']:.2f} ({low:.2f} to {high:.2f})"
        if "real_floor" in scores:
            texts[1] = f"{scores['real_floor']:.2f}"
        success = f"{edits[name]['add']:.0%}" if "add" in edits.get(name, {}) else ""
        counts = f"{support['real']:,}, {support['edited']:,}"
        rows.append({"name": name, "texts": [counts, *texts, success, _prototype(compared, name)]})
    return rows


def _prototype(compared: Mapping[str, Any], name: str) -> str:
    """The prototype's success at the realism of the edits, and whether they beat it."""
    if name not in compared:
        return ""
    best = compared[name].get("success_at_equal_realism")
    if best is None:
        return "none is as realistic"
    return f"{best:.0%}, {'beaten' if compared[name]['is_beaten'] else 'not beaten'}"


def _edit_bar(scores: Mapping[str, Any], direction: str) -> tuple[Bar, int] | None:
    if direction not in scores:
        return None
    ticks = {
        kind: scores[f"{direction}_{kind}"]
        for kind in ("floor", "ceiling")
        if f"{direction}_{kind}" in scores
    }
    low, high = scores[f"{direction}_interval"]
    bar = Bar(scores[direction], f"{scores[direction]:.0%}", ticks, (low, high))
    return bar, scores["support"][direction]


def _mean_success(row: tuple[str, dict[str, tuple[Bar, int] | None]]) -> float:
    values = [entry[0].value for entry in row[1].values() if entry is not None]
    return float(np.mean(values)) if values else -1.0


def _interval_text(report: Mapping[str, Any], line: Line) -> str | None:
    bounds = figure_at(report, line.interval) if line.interval else None
    return f"{line.show(bounds[0])} to {line.show(bounds[1])}" if bounds else None


def _figure_cells(figure: Figure) -> dict[str, Any]:
    """A figure as rows of cells for the template, its images as data URLs."""
    labels = figure.labels or ("",) * len(figure.images)
    cells = [
        {
            "url": png_url(image),
            "lines": [(_MARKS.get(text[:1], ""), text) for text in label.splitlines()],
        }
        for image, label in zip(figure.images, labels, strict=True)
    ]
    starts = range(0, len(cells), figure.columns)
    rows = [cells[start : start + figure.columns] for start in starts]
    titles = figure.row_titles or (None,) * len(rows)
    return {"figure": figure, "rows": list(zip(titles, rows, strict=True))}


def png_url(image: np.ndarray) -> str:
    """`[H, W, 3]` uint8 as a PNG in a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", optimize=True)
    return _to_url(buffer.getvalue())


def data_url(path: Path) -> str:
    """A PNG file as a data URL."""
    return _to_url(path.read_bytes())


def _to_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.evaluate import evaluate
from twobirds.evaluation.figures import Figure
from twobirds.evaluation.headline import HEADLINE, figure_at
from twobirds.evaluation.panels import make_figures
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.evaluation.report import headline_rows, render_page, write_report

CONFIG = EvaluationConfig(num_fakes=32, max_faces=24, faces_per_edit=10)
VOID = {"meta", "img", "br"}


class Nesting(HTMLParser):
    """Collects tags, and fails where one is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(drawn_pack: Pack, oracle, judge_path: Path) -> dict[str, Any]:
    return evaluate(oracle, drawn_pack, CONFIG, judge_path=judge_path)


@pytest.fixture(scope="module")
def figures(drawn_pack: Pack, oracle) -> list[Figure]:
    return make_figures(oracle, drawn_pack, CONFIG)


def test_page_and_json_lie_beside_each_other(
    report: dict[str, Any], figures: list[Figure], tmp_path: Path
) -> None:
    page = write_report(report, figures, tmp_path / "out" / "report.json")
    assert page == tmp_path / "out" / "report.html"
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert sorted(file.name for file in page.parent.iterdir()) == ["report.html", "report.json"]


def test_page_is_whole_and_needs_nothing_else(
    report: dict[str, Any], figures: list[Figure]
) -> None:
    html = render_page(report, figures)
    page = Nesting()
    page.feed(html)
    assert page.open == []
    assert len(page.links) == sum(len(figure.images) for figure in figures)
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert not re.search(r"https?:|@import|url\(|<script|<link", html)


def test_page_shows_every_headline_figure_that_there_is(report: dict[str, Any]) -> None:
    html = render_page(report, [])
    shown = [line for line in HEADLINE if figure_at(report, line.path) is not None]
    assert len(shown) >= 12
    for line in shown:
        assert line.name in html
        assert line.show(figure_at(report, line.path)) in html
    for reason in report["absent"].values():
        assert reason in html


def test_headline_leaves_out_what_is_absent() -> None:
    rows = headline_rows({"recognition": {"hamming_loss": 0.1, "majority_hamming_loss": 0.2}})
    assert list(rows) == ["Recognition"]
    (row,) = rows["Recognition"]
    assert (row["value"], row["references"]) == ("0.1000", [("majority guess", "0.2000")])


def test_a_poor_report_makes_a_page_too(drawn_pack: Pack, oracle) -> None:
    alone = evaluate(oracle, replace(drawn_pack, drawn=None), CONFIG)
    html = render_page(alone, [])
    assert "What could not be measured" in html
    assert "Edits, attribute by attribute" not in html


def test_faults_and_close_looks_stand_on_the_page(report: dict[str, Any]) -> None:
    rows = {
        "Smiling": {
            "auc": 0.6123, "interval": [0.55, 0.66], "real_floor": 0.51,
            "support": {"real": 40, "edited": 30},
        },
        "Bald": {"support": {"real": 3, "edited": 30}},
    }  # fmt: skip
    compared = {"Smiling": {"success_at_equal_realism": 0.4, "is_beaten": True}}
    editing = {
        **report["editing"],
        "above_ceiling": ["Eyeglasses", "Pale_Skin"],
        "realism": {"auc": 0.6123, "real_floor": 0.51, "per_attribute": rows},
        "prototype": {"num_beaten": 1, "num_attributes": 1, "per_attribute": compared},
    }
    html = render_page({**report, "editing": editing}, [])
    assert "Eyeglasses, Pale Skin" in html
    for text in ("0.61 (0.55 to 0.66)", "too few faces", "40%, beaten", "40, 30"):
        assert text in html
    plain = render_page({**report, "editing": {**report["editing"], "above_ceiling": []}}, [])
    assert "Fault" not in plain


def test_names_are_escaped(report: dict[str, Any]) -> None:
    html = render_page({**report, "model": {**report["model"], "name": "<b>x</b>"}}, [])
    assert "<b>x" not in html


def test_all_figures_are_drawn_and_chosen_by_rule(
    figures: list[Figure], drawn_pack: Pack, oracle
) -> None:
    assert [figure.key for figure in figures] == [
        "recognition", "reconstruction", "single-edits", "multiple-edits", "generation",
        "generation-changed", "truth",
    ]  # fmt: skip
    again = make_figures(oracle, drawn_pack, CONFIG)
    for figure, same in zip(figures, again, strict=True):
        assert (figure.images == same.images).all()
        assert len(figure.column_titles) in (0, figure.columns)
        assert len(figure.labels) in (0, len(figure.images))
        assert len(figure.row_titles) in (0, -(-len(figure.images) // figure.columns))


def test_the_oracle_edits_truly_in_the_figures(figures: list[Figure]) -> None:
    truth = next(figure for figure in figures if figure.key == "truth")
    assert (truth.images[1::3] == truth.images[2::3]).all()
    assert (truth.images[0::3] != truth.images[1::3]).any()


def test_without_true_answers_there_is_no_figure_of_them(
    drawn_pack: Pack, oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = replace(drawn_pack, drawn=None)
    assert "truth" not in [figure.key for figure in make_figures(oracle, photos, CONFIG)]
    monkeypatch.setattr("twobirds.evaluation.panels.DRAWN_ATTRIBUTES", ("Attractive",))
    assert "truth" not in [figure.key for figure in make_figures(oracle, drawn_pack, CONFIG)]


def test_page_says_untrained_on_only_of_the_models_own_pack(report: dict[str, Any]) -> None:
    untrained, trained = "none of which it was trained on", "faces it was trained on, so nothing"
    model, data = report["model"], report["data"]
    assert untrained in render_page(report, [])
    on_train = render_page({**report, "data": {**data, "split": "train"}}, [])
    assert trained in on_train
    assert untrained not in on_train
    for pack_sha256 in ("b" * 64, None):
        html = render_page({**report, "model": {**model, "pack_sha256": pack_sha256}}, [])
        assert untrained not in html
        assert trained not in html


def test_other_names_than_json_are_refused(report: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.json"):
        write_report(report, [], tmp_path / "report.html")
    assert not list(tmp_path.iterdir())

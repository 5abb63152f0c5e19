"""The tab that generates, without a browser: what it answers to words, choices and clicks."""

from pathlib import Path

import gradio as gr
import pytest
from looking_at_tabs import is_hidden, labels

from twobirds.apps.web.files import Files
from twobirds.apps.web.generate_tab import GenerateTab
from twobirds.apps.web.service import FaceService


def test_nonsense_generates_nothing(service: FaceService, tmp_path: Path) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    gallery, shown, said, _, _ = tab._generate("blarf", [], [], 0)
    assert gallery == shown == gr.skip()
    assert said.startswith("⚠ Nothing in it says what a face looks like")
    assert "blarf" in said
    gallery, shown, said, _, _ = tab._generate("a bald man and a blarf", [], [], 0)
    assert len(gallery) == 12
    assert "Bald 1" not in said
    assert "**Not understood:** blarf" in said
    *_, said, _, _ = tab._generate("a bald man", ["Bangs"], [], 0)
    assert said.endswith("  \n**Overruled by your choice:** Bald")
    assert tab._refine("blarf", shown)[3].startswith("⚠ This names no face")
    assert tab._refine("the first", None)[3] == "⚠ Generate some faces first."


@pytest.mark.parametrize(
    ("having", "lacking", "seed", "complaint"),
    [
        (["Bald", "Male"], ["Male"], 0, "⚠ Both with and without: Male. Choose one."),
        (["Bangs", "Bald"], [], 0, "⚠ Bald and Bangs exclude each other. Choose one."),
        ([], [], -1, "⚠ Seed must be a whole number from 0 to 2147483648, not -1."),
        ([], [], 1.5, "⚠ Seed must be a whole number from 0 to 2147483648, not 1.5."),
    ],
)
def test_a_complaint_stands_beside_what_it_is_about(
    service: FaceService,
    tmp_path: Path,
    having: list[str],
    lacking: list[str],
    seed: float,
    complaint: str,
) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    gallery, shown, said, answered, keeping = tab._generate("", having, lacking, seed)
    assert said == complaint
    assert answered == ""
    assert gallery == shown == keeping == gr.skip()


def test_refinements_go_on_from_the_faces_that_are_shown(
    service: FaceService, tmp_path: Path
) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    _, shown, *_ = tab._generate("", ["Male"], [], 3)
    gallery, refined, understood, answered, _ = tab._refine("the third, with a beard", shown)
    assert len(gallery) == 12
    assert (shown.seed, refined.seed) == (3, 4)
    assert understood == gr.skip()
    assert answered.startswith("**Understood:**")


def test_a_face_is_kept_changed_and_made_into_a_file(service: FaceService, tmp_path: Path) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    _, shown, *_ = tab._generate("", ["Male"], [], 3)
    choice = gr.SelectData(None, {"index": 2, "value": None})
    said, row, latents, face, problem, result, *values = tab._keep(shown, choice)
    assert said == gr.skip()
    assert row.visible
    assert (latents == shown.candidates.latents[2:3]).all()
    assert problem == ""
    assert is_hidden(result)
    values[tab.names.index("Blond_Hair")] = 1.0
    changed, problem, result = tab.kept._show(latents, *values)
    assert (changed != face).any()
    assert problem == ""
    assert is_hidden(result)
    problem, result = tab.kept._make(latents, False, *values)
    assert problem == ""
    assert b"trainedAlgorithmicMedia" in Path(result["value"]).read_bytes()


def test_what_is_forgotten_is_said_once_where_it_is_missed(
    service: FaceService, tmp_path: Path
) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    forgotten = "⚠ These faces are forgotten: generate again."
    said, row, latents, *rest = tab._keep(None, gr.SelectData(None, {"index": 0, "value": None}))
    assert said == forgotten
    assert not row.visible
    assert latents is None
    values = rest[3:]
    _, problem, result = tab.kept._show(None, *values)
    assert problem == forgotten
    assert is_hidden(result)
    problem, result = tab.kept._make(None, False, *values)
    assert problem == forgotten
    assert is_hidden(result)


def test_new_faces_are_others(service: FaceService, tmp_path: Path) -> None:
    tab = GenerateTab(service, Files(tmp_path))
    first = tab._generate("", ["Male"], [], 3)
    seed, *renewed = tab._renew("", ["Male"], [], 3)
    assert seed == 4
    assert (renewed[0][0][0] != first[0][0][0]).any()
    assert "New faces" in labels(tab)

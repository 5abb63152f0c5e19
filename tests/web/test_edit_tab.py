"""The tab that edits, without a browser: how it is laid out, and what it answers."""

from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from looking_at_tabs import K, is_hidden, labels, moved

from photos.making_photos import PlacedFaces, encoded, noise
from twobirds.apps.web import edit_tab as edit_tab_module
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.words import in_words
from twobirds.data.attributes import CELEBA_ATTRIBUTES


def test_popular_edits_come_first_and_each_attribute_once(edit_tab: EditTab) -> None:
    said = labels(edit_tab)
    titles = ("Strength", "Popular", "Smiling", "Keep a part as it is", "Like another photo")
    order = [said.index(title) for title in (*titles, "Hair", "Worn", "Eyeglasses")]
    assert order == sorted(order)
    assert said.index("Eyeglasses") < said.index("Hat") < said.index("Impression")
    assert sorted(set(said) & {in_words(name) for name in CELEBA_ATTRIBUTES}) == sorted(
        in_words(name) for name in CELEBA_ATTRIBUTES
    )
    assert len([label for label in said if label == "Smiling"]) == 1
    assert "Strength" in said


def test_the_most_plausible_face_is_shown_first(edit_tab: EditTab, photo: str) -> None:
    key, faces, problem, shown, _, _, result, canvas, *values = edit_tab._open(photo, None)
    assert edit_tab.photos.get(key) is not None
    assert (faces["value"] if isinstance(faces, dict) else faces.value) == 2
    assert problem == ""
    assert shown[0] is shown[1]
    assert is_hidden(result)
    assert canvas["layers"] == []
    assert canvas["background"].shape == shown[0].shape
    assert len(values) == K


def test_what_is_wrong_with_a_photo_stands_beside_it(edit_tab: EditTab, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"<html>")
    key, _, problem, *_ = edit_tab._open(str(tmp_path / "x.jpg"), None)
    assert key is None
    assert problem.startswith("⚠ Not a JPEG, PNG, WebP")
    assert edit_tab._edit(None, 1, 1.0, False, *[0.0] * K)[2] == "⚠ Open a photo first."
    said, result = edit_tab._make(False, None, 1, 1.0, False, *[0.0] * K)
    assert said == "⚠ Open a photo first."
    assert is_hidden(result)


def test_an_edit_is_told_in_words_and_the_old_file_goes(edit_tab: EditTab, photo: str) -> None:
    key, _, _, shown, _, _, _, _, *stood = edit_tab._open(photo, None)
    values = moved(edit_tab, stood, "Bald", 1.0)
    after, gauge, said, result = edit_tab._edit(key, 2, 1.0, False, *values)
    assert (after[0] == shown[0]).all()
    assert (after[1] != shown[0]).any()
    assert said.startswith("Bald: more; the model ")
    assert "the same person" in gauge
    assert is_hidden(result)
    assert is_hidden(edit_tab._choose(key, 1)[3])  # the file of the other face


def test_strength_and_search_reach_the_edit(edit_tab: EditTab, photo: str) -> None:
    key, _, _, _, _, _, _, _, *stood = edit_tab._open(photo, None)
    values = moved(edit_tab, stood, "Bald", 1.0)

    def change(strength: float, *, search: bool = False) -> float:
        before, after = edit_tab._edit(key, 2, strength, search, *values)[0]
        return float(np.abs(after.astype(int) - before).mean())

    assert change(0.0) == 0
    assert 0 < change(0.5) < change(1.0) < change(2.0)
    assert change(0.0, search=True) > 0  # which chooses a strength of its own
    _, result = edit_tab._make(False, key, 2, 2.0, False, *values)
    assert result["visible"]
    assert b"Bald=1, strength 2" in Path(result["value"]).read_bytes()
    said, result = edit_tab._make(False, key, 2, 1.0, True, *values)
    assert b"Bald=1 until 0.9" in Path(result["value"]).read_bytes()
    assert not isinstance(said, str)  # the status stays


def test_the_page_says_that_content_credentials_are_lost(
    edit_tab: EditTab, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _, _, _, _, _, _, _, *stood = edit_tab._open(photo, None)
    values = moved(edit_tab, stood, "Bald", 1.0)
    monkeypatch.setattr(edit_tab_module, "has_credentials", lambda _: True)
    said, result = edit_tab._make(False, key, 2, 1.0, False, *values)
    assert said.startswith("⚠ The photo's Content Credentials (C2PA) are not kept")
    assert result["visible"]


def test_a_generated_face_is_an_example(edit_tab: EditTab) -> None:
    file, key, _, problem, *_ = edit_tab._open_example(None)
    assert file is None
    assert problem == ""
    opened = edit_tab.photos.get(key)
    assert opened is not None
    assert opened.photo.pixels.shape == (448, 448, 3)
    nobody = EditTab(FaceService(edit_tab.service.model, PlacedFaces()), edit_tab.files, None)
    assert "no generated face" in nobody._open_example(None)[3]


def test_what_no_face_has_together_is_refused_beside_the_sliders(
    edit_tab: EditTab, photo: str
) -> None:
    key, *rest = edit_tab._open(photo, None)
    values = moved(edit_tab, moved(edit_tab, rest[-K:], "Bald", 1.0), "Blond_Hair", 1.0)
    shown, _, said, _ = edit_tab._edit(key, 2, 1.0, False, *values)
    assert shown == gr.skip()
    assert said == "⚠ Bald and Blond hair exclude each other: move one of the two back."
    assert edit_tab._make(False, key, 2, 1.0, False, *values)[0] == said


def test_pictures_are_no_taller_than_wide(edit_tab: EditTab, tmp_path: Path) -> None:
    (tmp_path / "tall.png").write_bytes(encoded(noise(230, 70)))
    tab = EditTab(
        FaceService(edit_tab.service.model, PlacedFaces((5, 80, 60))), edit_tab.files, None
    )
    before, after = tab._open(str(tmp_path / "tall.png"), None)[3]
    height, width, _ = before.shape
    assert height == width > 70
    assert before is after
    assert (before[:, 0] == 255).all()
    assert (before[:, -1] == 255).all()

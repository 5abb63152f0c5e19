"""Words, panels and the comparison of the page, without a browser."""

from pathlib import Path

import gradio as gr
from looking_at_tabs import PHOTO, K, labels

from photos.making_photos import PlacedFaces
from twobirds.api import FaceModel
from twobirds.apps.web.compare_tab import CompareTab
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.like_panel import LikePanel
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.words import in_words, outcome
from twobirds.apps.web.words_panel import WordsPanel
from twobirds.data.attributes import CELEBA_ATTRIBUTES


def test_words_move_the_sliders_of_what_is_not_there() -> None:
    panel = WordsPanel(CELEBA_ATTRIBUTES)
    stood = [0.1] * K
    stood[CELEBA_ATTRIBUTES.index("Smiling")] = 0.9
    said, *sliders = panel._set("blond hair, less makeup, a bit of a smile, no hat, blarf", *stood)
    assert said == ("**Understood:** blond; makeup; smile; hat  \n**Not understood:** blarf")
    moves = {
        name: value
        for name, value in zip(CELEBA_ATTRIBUTES, sliders, strict=True)
        if isinstance(value, float)
    }
    assert moves == {"Blond_Hair": 1}  # the others are there already
    assert panel._set("black hair, keep the hat", *stood)[0] == (
        "**Understood:** black; hat (stays as it is)"
    )
    said, *sliders = panel._set("make her nicer", *stood)
    assert said.startswith("⚠ Nothing in it says what to change")
    assert said.endswith("**Not understood:** nicer")
    assert not any(isinstance(value, float) for value in sliders)


def test_attributes_have_plain_names() -> None:
    named = [in_words(name) for name in CELEBA_ATTRIBUTES]
    assert len(set(named)) == K
    assert not any("_" in name for name in named)
    assert in_words("5_o_Clock_Shadow") == "Stubble"
    assert in_words("Blond_Hair") == "Blond hair"


def test_values_are_taken_from_another_photo(
    edit_tab: EditTab, service: FaceService, photo: str, tmp_path: Path
) -> None:
    panel, names = LikePanel(service), service.model.attributes
    row = service.open(PHOTO).attributes[0].tolist()
    sure = next(name for name, p in zip(names, row, strict=True) if not 0.25 < p < 0.75)
    unsure = next(name for name, p in zip(names, row, strict=True) if 0.25 < p < 0.75)
    said, faces, *sliders = panel._take(photo, None, [sure])
    assert said == "⚠ It has 2 faces: choose one."
    assert faces.visible
    assert sliders == [gr.skip()] * K
    said, faces, *sliders = panel._take(photo, 1, [sure, unsure])
    p, q = row[names.index(sure)], row[names.index(unsure)]
    assert said == (
        f"**Taken:** {in_words(sure)}: {'yes' if p > 0.5 else 'no'} ({p:.2f})  \n"
        f"**The model is not sure, so not taken:** {in_words(unsure)} ({q:.2f})"
    )
    assert sliders[names.index(sure)] == float(p > 0.5)
    assert sliders.count(gr.skip()) == K - 1
    assert panel._take(None, None, [sure])[0] == "⚠ Open the photo to take from first."
    assert panel._take(photo, 1, [])[0] == "⚠ Choose what to take."
    (tmp_path / "x.jpg").write_bytes(b"<html>")
    assert panel._take(str(tmp_path / "x.jpg"), 1, [sure])[0].startswith("⚠ Not a JPEG")
    said, faces = panel._forget()
    assert said == ""
    assert not faces.visible


def test_comparing_needs_an_embedder_before_photos_are_opened(
    model: FaceModel, service: FaceService, photo: str
) -> None:
    without = FaceService(model, PlacedFaces((10, 20, 60)))
    assert labels(CompareTab(without, None)) == [
        "Comparing needs a face embedder: start the page with --embedder FILE.onnx."
    ]
    tab = CompareTab(service, 1.0)
    assert "Compare" in labels(tab)
    one, other, verdict = tab._compare(photo, photo)
    assert (one == other).all()
    assert verdict == "Identity distance 0.00 of 4: one person (threshold 1)."
    assert tab._compare(photo, None)[2] == "⚠ Open two photos first."


def test_outcomes() -> None:
    changes = {"Bald": 0.4, "Young": 0.0, "Male": 0.7}
    before, after = (
        {"Bald": 0.1, "Young": 0.9, "Male": 0.8},
        {"Bald": 0.2, "Young": 0.2, "Male": 0.6},
    )
    assert outcome(changes, before, after).split("  \n") == [
        "Bald: more; the model does not see that yet",
        "Young: less; the model agrees",
        "Male: less; the model does not see that yet",
    ]

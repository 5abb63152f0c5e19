"""The tabs of the page, without a browser: what they are laid out of, and what they answer."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.components.image_editor import AcceptBlobs, EditorData
from PIL import Image

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel
from twobirds.apps.web import edit_tab as edit_tab_module
from twobirds.apps.web.brush import _Painted
from twobirds.apps.web.compare_tab import CompareTab
from twobirds.apps.web.edit_tab import EditTab
from twobirds.apps.web.files import Files
from twobirds.apps.web.generate_tab import GenerateTab
from twobirds.apps.web.like_panel import LikePanel
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.words import in_words, outcome
from twobirds.apps.web.words_panel import WordsPanel
from twobirds.data.attributes import CELEBA_ATTRIBUTES

PHOTO = encoded(noise(110, 230))
K = len(CELEBA_ATTRIBUTES)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load("celeba64-paper", device="cpu")


@pytest.fixture(scope="module")
def service(model: FaceModel) -> FaceService:
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    return FaceService(model, detector, lambda a, b: (a - b).abs().mean((1, 2, 3)))


@pytest.fixture
def edit_tab(service: FaceService, tmp_path: Path) -> EditTab:
    return EditTab(service, Files(tmp_path), 1.0)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return str(path)


def labels(tab: Any) -> list[str]:
    """Of everything in a tab, from above."""

    async def lay_out() -> gr.Blocks:
        with gr.Blocks() as page:  # takes the event loop that runs, or leaves one open
            tab.build()
        return page

    blocks = asyncio.run(lay_out()).blocks.values()
    said = [getattr(block, "label", None) or getattr(block, "value", None) for block in blocks]
    return [str(label) for label in said if label]


def is_hidden(result: dict[str, Any]) -> bool:
    """Whether there is no file to download."""
    return not result["visible"] and result["value"] is None


def moved(tab: EditTab, stood: list[float], name: str, value: float) -> list[float]:
    """The sliders with one of them moved."""
    stood = list(stood)
    stood[tab.names.index(name)] = value
    return stood


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


def layer(height: int, width: int, *rows: int) -> bytes:
    """What a brush gives that went over some rows."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[list(rows)] = (224, 49, 49, 255)
    return encoded(Image.fromarray(pixels))


def test_what_is_painted_stays(edit_tab: EditTab, photo: str) -> None:
    key, _, _, _, _, _, _, canvas, *stood = edit_tab._open(photo, None)
    height, width = canvas["background"].shape[:2]
    values = moved(edit_tab, stood, "Bald", 1.0)
    wishes = (2, 2.0, False, *values)
    whole = edit_tab._edit(key, *wishes)[0][1]
    paint = layer(height, width, *range(30, 60))
    before, after = edit_tab._protect(paint, key, *wishes)[0]
    assert before.shape[0] == height  # it is wider than tall
    rows = slice(30, 60)
    assert (after[rows] == before[rows]).all()
    assert (whole[rows] != before[rows]).any()
    assert (after != before).any()
    _, result = edit_tab._make(False, key, 2, 2.0, False, *values)
    assert result["value"].endswith("photo.edited.png")
    made = np.asarray(decoded(Path(result["value"]).read_bytes()))
    assert (made[rows, 70:] == noise(110, 230)[rows, 70:]).all()
    assert (made != noise(110, 230)).any()
    erased = edit_tab._protect(layer(height, width), key, *wishes)[0][1]
    assert (erased == whole).all()
    edit_tab._protect(paint, key, *wishes)
    edit_tab._choose(key, 2)
    assert (edit_tab._edit(key, *wishes)[0][1] == whole).all()
    assert edit_tab._protect(paint, None, *wishes)[2] == "⚠ Open a photo first."
    assert "⚠ What is painted has 2001x1 pixels." in edit_tab._protect(
        layer(1, 2001, 0), key, *wishes
    )


def test_a_jpeg_of_which_a_part_is_kept_becomes_a_png(edit_tab: EditTab, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(noise(110, 230), "JPEG"))
    (
        key,
        *_,
    ) = edit_tab._open(str(tmp_path / "photo.jpg"), None)
    values = edit_tab._open(str(tmp_path / "photo.jpg"), None)[8:]
    values = moved(edit_tab, values, "Bald", 1.0)
    for paint, ending in ((None, ".jpg"), (layer(110, 162, 40), ".png")):
        edit_tab._protect(paint, key, 2, 1.0, False, *values)
        _, result = edit_tab._make(False, key, 2, 1.0, False, *values)
        assert result["value"].endswith(ending)


def test_layers_wait_for_their_event_in_a_bounded_store() -> None:
    painted = _Painted()
    assert painted.take(None) is None

    def send(key: str, content: bytes, kind: str = "layer") -> None:
        blob = {"type": kind, "index": 10**9, "file": b"", "id": key}
        painted.accept(AcceptBlobs(data=blob, files=[("file", content)]))

    for number in range(70):
        send(str(number), b"x")
    send("background", b"y", "background")
    send("large", bytes(1_000_001))
    assert [painted.take(EditorData(id=key)) for key in ("0", "5", "6", "69", "69")] == [
        None, None, b"x", b"x", None,
    ]  # fmt: skip
    assert painted.take(EditorData(id="background")) is None
    assert painted.take(EditorData(id="large")) is None
    assert painted.take(EditorData()) is None


def test_layers_whose_event_never_comes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    painted, now = _Painted(), [0.0]
    monkeypatch.setattr("twobirds.apps.web.brush.time.monotonic", lambda: now[0])

    def send(key: str) -> None:
        blob = {"type": "layer", "index": 0, "file": b"", "id": key}
        painted.accept(AcceptBlobs(data=blob, files=[("file", b"x")]))

    send("early")
    now[0] = 50.0
    send("late")
    now[0] = 70.0
    assert painted.take(EditorData(id="early")) is None
    assert painted.take(EditorData(id="late")) == b"x"


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

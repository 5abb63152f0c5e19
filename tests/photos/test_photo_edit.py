"""`FaceModel.edit_photo`: from a file to a file in one line."""

from pathlib import Path

import numpy as np
import pytest

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel
from twobirds.errors import InputError, InputWarning

PHOTO = encoded(noise(110, 230))


@pytest.fixture
def model(tiny_model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> FaceModel:
    for weights in tiny_model.networks.generator.parameters():
        weights.mul_(8)  # untrained, its faces are all grey
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda: detector)
    return tiny_model


def test_a_photo_is_edited_and_saved(model: FaceModel, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PHOTO)
    edited = model.edit_photo(tmp_path / "photo.png", {"Bald": 1}, strength=2)
    assert repr(edited) == "PhotoEdit(230x110 pixels, face 2 of 2: Bald=1, strength 2)"
    edited.save(tmp_path / "edited.png")
    image = decoded((tmp_path / "edited.png").read_bytes())
    assert "Bald=1, strength 2" in image.info["Description"]
    assert (np.asarray(image) == np.asarray(edited.image)).all()
    changed = (np.asarray(image) != noise(110, 230)).any(axis=2)
    assert changed[:, 90:160].any()
    assert not changed[:, :89].any()
    edited.save(tmp_path / "edited.jpg")
    assert decoded((tmp_path / "edited.jpg").read_bytes()).format == "JPEG"


def test_faces_and_strengths_are_chosen(model: FaceModel) -> None:
    assert list(model.edit_photo(PHOTO, {"Bald": 1}, face="all").edits.by_index) == [0, 1]
    assert list(model.edit_photo(PHOTO, {"Bald": 1}, face=1).edits.by_index) == [0]
    search = model.edit_photo(PHOTO, {"Bald": 1}, until=0.0).edits.search
    assert search is not None
    assert search.reasons == ["already"]


def test_words_say_what_to_change(model: FaceModel) -> None:
    expected = np.asarray(model.edit_photo(PHOTO, {"Bald": 1}).image)
    assert (np.asarray(model.edit_photo(PHOTO, describe="make her bald").image) == expected).all()
    with pytest.warns(InputWarning, match="describe 'bald with a scar': not understood: scar"):
        edited = model.edit_photo(PHOTO, {"Smiling": 1}, describe="bald with a scar")
    assert edited.details == "Bald=1, Smiling=1"
    assert edited.understanding is not None
    assert edited.understanding.understood == [("bald", "Bald 1")]
    for words, complaint in (
        ("blond and black hair", "Black_Hair=1 and Blond_Hair=1 exclude each other"),
        ("keep the hat", "describe 'keep the hat': nothing in it says what to change of a face"),
    ):
        with pytest.raises(InputError, match=complaint):
            model.edit_photo(PHOTO, describe=words)
    for nothing in (None, {}):
        with pytest.raises(InputError, match="nothing to change: name attributes"):
            model.edit_photo(PHOTO, nothing)


def test_changes_overrule_words_and_the_result_says_which(model: FaceModel) -> None:
    changes, words = {"Blond_Hair": 1, "Eyeglasses": 1}, "bald, smiling, no glasses"
    told = "bald: Bald 1, glasses: Eyeglasses 0"
    with pytest.warns(InputWarning, match=f"describe '{words}': overruled by changes: {told}$"):
        edited = model.edit_photo(PHOTO, changes, describe=words)
    assert edited.details == "Blond_Hair=1, Eyeglasses=1, Smiling=1"
    assert list(edited.overruled) == told.split(", ")
    assert not model.edit_photo(PHOTO, {"Smiling": 1}, describe="bald, smiling").overruled


def test_wrong_input(model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"none\.jpg: cannot be read: No such file"):
        model.edit_photo(tmp_path / "none.jpg", {"Bald": 1})
    with pytest.raises(InputError, match="the photo: not a JPEG"):
        model.edit_photo(b"no photo", {"Bald": 1})
    with pytest.raises(InputError, match="the photo: has no face 3: 2 found"):
        model.edit_photo(PHOTO, {"Bald": 1}, face=3)
    with pytest.raises(InputError, match="until finds the strength: leave out strength"):
        model.edit_photo(PHOTO, {"Bald": 1}, until=0.9, strength=2)
    with pytest.raises(InputError, match="choose a name that ends in one of"):
        model.edit_photo(PHOTO, {"Bald": 1}).save(tmp_path / "x.gif")
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", PlacedFaces)
    with pytest.raises(InputError, match="the photo: no face is found"):
        model.edit_photo(PHOTO, {"Bald": 1})

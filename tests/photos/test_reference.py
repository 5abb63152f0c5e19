"""Attribute values of another photo's face."""

from pathlib import Path

import pytest
import torch

from photos.making_photos import PlacedFaces, encoded, noise
from twobirds.api import FaceModel
from twobirds.errors import InputError
from twobirds.photos import OpenPhoto, PhotoSession
from twobirds.photos.reference import UNSURE, Taken, face_of, merged, take, take_surely

PHOTO = encoded(noise(110, 230))
FACES = ((10, 20, 60), (90, 15, 70))


def opened(model: FaceModel, *places: tuple[float, float, float]) -> OpenPhoto:
    """A photo whose faces have Bald certainly, Bangs certainly not, and Smiling perhaps."""
    photo = PhotoSession(model, PlacedFaces(*places)).open(PHOTO)
    for name, p in (("Bald", 0.9), ("Bangs", 0.1), ("Smiling", 0.6)):
        photo.attributes[:, model.attributes.index(name)] = p
    photo.attributes[1:, model.attributes.index("Bald")] = 0.05
    return photo


def test_what_is_taken_is_0_or_1(tiny_model: FaceModel) -> None:
    photo = opened(tiny_model, FACES[0])
    taken = take_surely(photo, ["Bangs", "Bald"])
    assert taken.values == {"Bangs": 0.0, "Bald": 1.0}
    assert list(taken.probabilities.values()) == pytest.approx([0.1, 0.9])
    assert take(photo, ["Smiling", "Bald"]).unsure == pytest.approx({"Smiling": 0.6})
    with pytest.raises(InputError, match=r"not sure of Smiling \(0\.60\): set the value yourself"):
        take_surely(photo, ["Bald", "Smiling"])


def test_the_bounds_themselves_are_sure() -> None:
    assert Taken(dict(zip("ab", UNSURE, strict=True))).unsure == {}
    assert Taken(dict(zip("ab", UNSURE, strict=True))).values == {"a": 0.0, "b": 1.0}


def test_one_face_is_meant(tiny_model: FaceModel) -> None:
    photo = opened(tiny_model, *FACES)
    with pytest.raises(InputError, match="has 2 faces: say which one is meant, counted from the"):
        take(photo, ["Bald"])
    assert take(photo, ["Bald"], 1).values == {"Bald": 1.0}
    assert take(photo, ["Bald"], 2).values == {"Bald": 0.0}
    for number in (0, 3):
        with pytest.raises(InputError, match=f"has no face {number}: 2 found"):
            take(photo, ["Bald"], number)
    with pytest.raises(InputError, match="no face is found"):
        face_of(opened(tiny_model), None)
    with pytest.raises(InputError, match="face 1: it is too small"):
        face_of(opened(tiny_model, (10, 20, 12)), None)


def test_names_are_checked(tiny_model: FaceModel) -> None:
    photo = opened(tiny_model, FACES[0])
    for names, complaint in (
        ([], "nothing to take"),
        (["bald"], "no attribute 'bald': did you mean Bald"),
        (["Bald", "Bald"], "Bald is to be taken twice"),
        ("Bald", r"take must be a list of names, such as \['Bald'\]"),
    ):
        with pytest.raises(InputError, match=complaint):
            take(photo, names)
    with pytest.raises(InputError, match="Bald is set to 0 and to be taken from the reference"):
        merged({"Bald": 0.0}, Taken({"Bald": 0.9}))
    assert merged({"Male": 1.0}, Taken({"Bald": 0.9})) == {"Male": 1.0, "Bald": 1.0}


def test_from_python(
    tiny_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = PlacedFaces(*FACES)
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda: detector)
    names = tiny_model.attributes
    with torch.no_grad():  # untrained, it is sure of nothing
        for weights in tiny_model.networks.discriminator.parameters():
            weights.mul_(6)
    (tmp_path / "other.png").write_bytes(encoded(noise(110, 230, seed=3)))
    row = PhotoSession(tiny_model, detector).open(encoded(noise(110, 230, seed=3))).attributes[1]
    sure = [name for name, p in zip(names, row.tolist(), strict=True) if not 0.25 < p < 0.75][:2]
    options = {"like": tmp_path / "other.png", "take": sure, "like_face": 2}
    edit = tiny_model.edit_photo(PHOTO, {}, **options)
    values = {name: float(row[names.index(name)] > 0.5) for name in sure}
    assert edit.details == ", ".join(f"{name}={value:g}" for name, value in sorted(values.items()))
    assert edit.taken == pytest.approx({name: float(row[names.index(name)]) for name in sure})
    for wrong, complaint in (
        ({"like": PHOTO}, "like needs take"),
        ({"take": sure}, "take and like_face go with like"),
        ({"like": PHOTO, "take": sure}, "the reference: has 2 faces"),
        ({"like": tmp_path / "none.jpg", "take": sure}, r"none\.jpg: cannot be read"),
        ({**options, "take": ["bald"]}, r"other\.png: the model knows no attribute 'bald'"),
    ):
        with pytest.raises(InputError, match=complaint):
            tiny_model.edit_photo(PHOTO, {}, **wrong)
    with pytest.raises(InputError, match=f"{sure[0]} is set to 1 and to be taken"):
        tiny_model.edit_photo(PHOTO, {sure[0]: 1}, **options)

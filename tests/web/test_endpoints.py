"""The HTTP API's numbers of faces are those of the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel
from twobirds.apps.web.endpoints import EditCall, _edit, _recognize
from twobirds.apps.web.files import Files
from twobirds.apps.web.service import FaceService
from twobirds.errors import InputError
from twobirds.photos import EditRequest, FaceChoice, PhotoSession

PHOTO = encoded(noise(110, 230))


@pytest.fixture
def service(tiny_model: FaceModel) -> FaceService:
    for weights in tiny_model.networks.generator.parameters():
        weights.mul_(8)  # untrained, its faces are all grey
    return FaceService(tiny_model, PlacedFaces((90, 15, 70), (10, 20, 60)))


@pytest.fixture
def photo(tmp_path: Path) -> str:
    (tmp_path / "photo.png").write_bytes(PHOTO)
    return str(tmp_path / "photo.png")


def test_faces_are_numbered_from_the_left(service: FaceService, photo: str) -> None:
    faces = _recognize(service, photo)
    assert [face["face"] for face in faces] == [1, 2]
    assert [face["box"][0] for face in faces] == [10, 90]
    assert set(faces[0]["attributes"]) == set(service.model.attributes)


@pytest.mark.parametrize(("face", "changed"), [(1, {0}), (2, {1}), (None, {1}), ("all", {0, 1})])
def test_a_number_means_the_same_face_as_for_a_session(
    service: FaceService, photo: str, tmp_path: Path, face: FaceChoice, changed: set[int]
) -> None:
    path = _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, face))
    pixels = np.asarray(decoded(path.read_bytes()))
    session = PhotoSession(service.model, service.session.detector)
    expected = session.edit(PHOTO, EditRequest({"Bald": 1}), face=face)
    assert (pixels == np.asarray(decoded(expected))).all()
    differs = (pixels != noise(110, 230)).any(axis=2)
    areas = differs[:, :75], differs[:, 85:]
    assert {index for index, area in enumerate(areas) if area.any()} == changed


def test_a_face_that_is_not_there(service: FaceService, photo: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no face 3: 2 found, counted from the left"):
        _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, 3))


def test_a_mask_protects(service: FaceService, photo: str, tmp_path: Path) -> None:
    protected = np.zeros((110, 230), bool)
    protected[30:60] = True
    (tmp_path / "mask.png").write_bytes(encoded(np.dstack([protected.astype(np.uint8) * 255] * 3)))
    (tmp_path / "photo.jpg").write_bytes(encoded(noise(110, 230), "JPEG"))
    mask = str(tmp_path / "mask.png")
    for name in (photo, str(tmp_path / "photo.jpg")):
        path = _edit(service, Files(tmp_path), EditCall(name, {"Bald": 1}, "all", mask))
        assert path.suffix == ".png"
        before, after = (np.asarray(decoded(Path(p).read_bytes())) for p in (name, path))
        assert (before[protected] == after[protected]).all()
        assert (before != after).any()
    with pytest.raises(InputError, match="the mask has colours"):
        _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, None, photo))


def test_strength_is_that_of_a_session(service: FaceService, photo: str, tmp_path: Path) -> None:
    path = _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, strength=2.5))
    session = PhotoSession(service.model, service.session.detector)
    expected = session.edit(PHOTO, EditRequest({"Bald": 1}, strength=2.5))
    plain = session.edit(PHOTO, EditRequest({"Bald": 1}))
    pixels, of_session, of_plain = (
        np.asarray(decoded(data)) for data in (path.read_bytes(), expected, plain)
    )
    assert (pixels == of_session).all()
    assert (pixels != of_plain).any()
    assert "strength 2.5" in decoded(path.read_bytes()).info["Description"]
    for strength in (-1, "2", float("nan"), 1e9):
        with pytest.raises(InputError, match="strength must lie in"):
            _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, strength=strength))
    with pytest.raises(InputError, match="strength must be a number, not True"):
        _edit(service, Files(tmp_path), EditCall(photo, {"Bald": 1}, strength=True))


def test_words_say_what_to_change(service: FaceService, photo: str, tmp_path: Path) -> None:
    def edited(changes: Any, description: Any) -> Path:
        return _edit(service, Files(tmp_path), EditCall(photo, changes, description=description))

    path = edited({}, "make her bald")
    plain = edited({"Bald": 1}, "")
    assert path.read_bytes() == plain.read_bytes()
    said = decoded(edited({"Blond_Hair": 1}, "bald, smiling").read_bytes()).info["Description"]
    assert said.endswith("): Blond_Hair=1, Smiling=1; overruled: bald: Bald 1.")
    for words, complaint in (
        ("a scar", "description: not understood: scar"),
        ("keep the hat", "description: nothing in it names an attribute"),
        (7, "description must be text such as 'blond hair', not 7"),
        (None, "neither changes nor description says what to change"),
    ):
        with pytest.raises(InputError, match=complaint):
            edited({}, words)


def test_values_are_taken_from_another_photo(
    service: FaceService, photo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.png").write_bytes(encoded(noise(110, 230, seed=7)))
    other = str(tmp_path / "other.png")
    names = service.model.attributes
    sure = torch.zeros(2, len(names))
    sure[1, names.index("Bangs")], sure[1, names.index("Bald")] = 0.9, 0.5
    monkeypatch.setattr(
        "twobirds.api.EncodedFaces.attributes", property(lambda faces: sure[: len(faces.images)])
    )

    def edited(changes: dict[str, float], **more: Any) -> Path:
        return _edit(service, Files(tmp_path), EditCall(photo, changes, **more))

    path = edited({"Male": 1}, like=other, take=["Bangs", "Smiling"], like_face=2)
    said = decoded(path.read_bytes()).info["Description"]
    assert all(part in said for part in ("Male=1", "Bangs=1", "Smiling=0"))
    assert edited({}, like=other, take=["Bangs"], like_face=2).exists()
    for more, complaint in (
        ({"like": other, "take": ["Bald"], "like_face": 2}, r"like: .* is not sure of Bald \(0.50"),
        ({"like": other, "take": ["Bangs"]}, r"like: has 2 faces: say .* left \(like_face\)"),
        ({"like": other, "take": ["Bangs"], "like_face": 3}, "like: has no face 3: 2 found"),
        ({"like": other, "take": ["Bangs"], "like_face": "all"}, "like_face must be a whole numb"),
        ({"like": other, "take": ["Hat"], "like_face": 1}, "knows no attribute 'Hat'"),
        ({"like": other, "take": ["Bangs", "Bangs"], "like_face": 1}, "Bangs is to be taken twice"),
        ({"like": other, "take": ["Male"], "like_face": 1}, "Male is set to 1 and to be taken"),
        ({"like": other, "take": "Bangs"}, "take must be a list of names"),
        ({"like": other, "take": [["Bangs"]]}, "take must be a list of names"),
        ({"like": other, "take": []}, "nothing to take: name attributes"),
        ({"like": other}, "like needs take"),
        ({"take": ["Bangs"]}, "take and like_face go with like"),
        ({"like_face": 1}, "take and like_face go with like"),
    ):
        with pytest.raises(InputError, match=complaint):
            edited({"Male": 1}, **more)

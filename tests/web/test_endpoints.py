"""The HTTP API's numbers of faces are those of the command line."""

from pathlib import Path

import numpy as np
import pytest

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel
from twobirds.apps.web.endpoints import _edit, _recognize
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
    path = _edit(service, Files(tmp_path), photo, {"Bald": 1}, face)
    pixels = np.asarray(decoded(path.read_bytes()))
    session = PhotoSession(service.model, service.session.detector)
    expected = session.edit(PHOTO, EditRequest({"Bald": 1}), face=face)
    assert (pixels == np.asarray(decoded(expected))).all()
    differs = (pixels != noise(110, 230)).any(axis=2)
    areas = differs[:, :75], differs[:, 85:]
    assert {index for index, area in enumerate(areas) if area.any()} == changed


def test_a_face_that_is_not_there(service: FaceService, photo: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no face 3: 2 found, counted from the left"):
        _edit(service, Files(tmp_path), photo, {"Bald": 1}, 3)


def test_a_mask_protects(service: FaceService, photo: str, tmp_path: Path) -> None:
    protected = np.zeros((110, 230), bool)
    protected[30:60] = True
    (tmp_path / "mask.png").write_bytes(encoded(np.dstack([protected.astype(np.uint8) * 255] * 3)))
    (tmp_path / "photo.jpg").write_bytes(encoded(noise(110, 230), "JPEG"))
    mask = str(tmp_path / "mask.png")
    for name in (photo, str(tmp_path / "photo.jpg")):
        path = _edit(service, Files(tmp_path), name, {"Bald": 1}, "all", mask)
        assert path.suffix == ".png"
        before, after = (np.asarray(decoded(Path(p).read_bytes())) for p in (name, path))
        assert (before[protected] == after[protected]).all()
        assert (before != after).any()
    with pytest.raises(InputError, match="the mask has colours"):
        _edit(service, Files(tmp_path), photo, {"Bald": 1}, None, photo)

"""What the page does, without the page."""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from twobirds.api import FaceModel
from twobirds.apps.web.files import Files
from twobirds.apps.web.limits import RateLimit
from twobirds.apps.web.service import VIEW_SIDE, FaceService
from twobirds.apps.witness import first_candidates
from twobirds.errors import InputError
from twobirds.photos.cascade import FrontalCascade


def encoded(pixels: np.ndarray, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=file_format)
    return buffer.getvalue()


ASTRONAUT = encoded(astronaut()[:200, 100:350])


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load("celeba64-paper", device="cpu")


@pytest.fixture(scope="module")
def service(model: FaceModel) -> FaceService:
    return FaceService(model, FrontalCascade(), lambda a, b: (a - b).abs().mean((1, 2, 3)))


def test_an_open_photo_shows_its_face(service: FaceService) -> None:
    photo = service.open(ASTRONAUT)
    [view], [found] = photo.views, photo.found
    assert max(view.pixels.shape) <= VIEW_SIDE
    assert photo.read.shape == (1, 40)
    # The crop, which is of the photo, lies in the view where the placement says.
    corners = found.placement.corners
    inside = (corners >= -1) & (corners <= np.array(view.pixels.shape[1::-1]) + 1)
    assert inside.all()
    centre = corners.mean(axis=0).round().astype(int)
    here = view.pixels[centre[1], centre[0]].astype(int)
    there = found.crop[32, 32].astype(int)
    assert np.abs(here - there).max() < 40


def test_large_photos_are_shown_small_and_edited_whole(service: FaceService) -> None:
    large = Image.fromarray(astronaut()[:200, 100:350]).resize((2500, 2000))
    buffer = io.BytesIO()
    large.save(buffer, format="JPEG")
    photo = service.open(buffer.getvalue())
    assert max(photo.views[0].pixels.shape) <= VIEW_SIDE
    content = service.edit_file(buffer.getvalue(), 0, {"Blond_Hair": 1.0}, noted=True)
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (2500, 2000)
        assert b"Blond_Hair=1" in image.info["xmp"]


def test_only_moved_sliders_count(service: FaceService) -> None:
    photo = service.open(ASTRONAUT)
    stood = photo.read[0].round(2)
    assert service.changes(stood, stood) == {}
    wanted = stood.copy()
    column = service.model.attributes.index("Bald")
    wanted[column] = 1
    assert service.changes(stood, wanted) == {"Bald": 1.0}
    unchanged = service.edit(photo, 0, {})
    assert (unchanged.pixels == photo.views[0].pixels).all()
    edited = service.edit(photo, 0, {"Bald": 1.0})
    assert (edited.pixels != unchanged.pixels).any()
    assert edited.identity is not None
    assert edited.read.shape == (40,)


def test_faces_are_generated_and_drawn_from_their_codes(service: FaceService) -> None:
    shown = first_candidates(service.model, 3, {"Male": 1.0}, 5)
    pixels = service.generate(3, {"Male": 1.0}, seed=5)
    assert np.abs(service.draw(*shown).astype(int) - pixels).max() <= 1
    column = service.model.attributes.index("Male")
    assert (shown.attributes[:, column] == 1).all()


def test_comparing(service: FaceService, model: FaceModel) -> None:
    one, other, distance = service.compare(ASTRONAUT, ASTRONAUT)
    assert (one == other).all()
    assert distance == 0
    assert FaceService(model, FrontalCascade()).compare(ASTRONAUT, ASTRONAUT)[2] is None


def test_wrong_input_is_told(service: FaceService) -> None:
    nobody = encoded(np.full((200, 200, 3), 99, np.uint8))
    with pytest.raises(InputError, match="no face is found"):
        service.open(nobody)
    with pytest.raises(InputError, match="there is no face 2: 1 found"):
        service.edit_file(ASTRONAUT, 1, {"Bald": 1.0})
    with pytest.raises(InputError, match="did you mean Bald"):
        service.edit_file(ASTRONAUT, 0, {"bald": 1.0})


def test_downloads_keep_to_their_folder_and_go(tmp_path: Path) -> None:
    files = Files(tmp_path)
    path = files.write("../../x.png", b"1")
    assert path.name == "x.png"
    assert path.parent.parent == tmp_path
    long_ago = time.time() - 1000
    os.utime(path.parent, (long_ago, long_ago))
    kept = files.write("y.png", b"2")
    assert not path.exists()
    assert kept.read_bytes() == b"2"


def test_an_address_may_ask_so_often_a_minute() -> None:
    limit = RateLimit(2)
    assert [limit.allows("a", now) for now in (0, 1, 2)] == [True, True, False]
    assert limit.allows("b", 2)
    assert limit.allows("a", 60.5)
    assert not limit.allows("a", 60.6)
    assert all(RateLimit(0).allows("a", 0) for _ in range(5))

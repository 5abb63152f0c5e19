"""What the page does, without the page."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from photos.making_photos import encoded
from twobirds.api import FaceModel
from twobirds.apps.web.controls import as_sentence
from twobirds.apps.web.service import NUM_DIRECTIONS, TRUNCATION, VIEW_SIDE, FaceService, view_of
from twobirds.apps.witness import first_candidates
from twobirds.errors import InputError
from twobirds.photos import EditRequest
from twobirds.photos.detectors import find_detector

ASTRONAUT = encoded(astronaut()[:200, 100:350])


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load("celeba64-paper", device="cpu")


@pytest.fixture(scope="module")
def service(model: FaceModel) -> FaceService:
    return FaceService(model, find_detector(), lambda a, b: (a - b).abs().mean((1, 2, 3)))


def test_an_open_photo_shows_its_face(service: FaceService) -> None:
    photo = service.open(ASTRONAUT)
    [found] = photo.found
    view = view_of(photo, 0)
    assert max(view.pixels.shape) <= VIEW_SIDE
    assert photo.attributes.shape == (1, 40)
    # The crop, which is of the photo, lies in the view where the placement says.
    corners = view.placement.corners
    inside = (corners >= -1) & (corners <= np.array(view.pixels.shape[1::-1]) + 1)
    assert inside.all()
    centre = corners.mean(axis=0).round().astype(int)
    here = view.pixels[centre[1], centre[0]].astype(int)
    there = found.crop[32, 32].astype(int)
    assert np.abs(here - there).max() < 40


def test_large_photos_are_shown_small_and_edited_whole(service: FaceService) -> None:
    large = Image.fromarray(astronaut()[:200, 100:350]).resize((2500, 2000))
    photo = service.open(encoded(large, "JPEG"))
    assert max(view_of(photo, 0).pixels.shape) <= VIEW_SIDE
    name, content = service.edit_file(photo, 1, EditRequest({"Blond_Hair": 1.0}), noted=True)
    assert name == "photo.edited.jpg"
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (2500, 2000)
        assert b"Blond_Hair=1" in image.info["xmp"]


def test_only_moved_sliders_count(service: FaceService) -> None:
    photo = service.open(ASTRONAUT)
    unchanged = service.edit(photo, 0, EditRequest({}))
    assert (unchanged.after == unchanged.before).all()
    assert (unchanged.before == view_of(photo, 0).pixels).all()
    assert unchanged.identity == 0
    edited = service.edit(photo, 0, EditRequest({"Bald": 1.0}))
    assert (edited.after != unchanged.after).any()
    assert edited.identity is not None
    assert edited.identity > 0
    assert edited.attributes.shape == (40,)


def test_a_slider_begins_where_the_face_is(service: FaceService) -> None:
    """Whatever the predicted probability, there the edit is nothing; ends are 0 and 1."""
    names = service.model.attributes
    stood = np.full(len(names), 0.25, np.float32)
    stood[names.index("Young")] = 0.8
    assert service.changes(stood, stood) == {}

    def target(name: str, value: float) -> float | None:
        wanted = stood.copy()
        wanted[names.index(name)] = value
        return service.changes(stood, wanted).get(name)

    assert target("Bald", 1.0) == 1
    assert target("Bald", 0.625) == pytest.approx(0.5)  # half of the way from 0.25 to 1
    assert target("Bald", 0.0) is None  # the face is not bald: no less of it is to be had
    assert target("Young", 0.0) == 0
    assert target("Young", 0.4) == pytest.approx(0.5)
    assert target("Young", 1.0) is None
    assert target("Bald", 0.26) is None


def test_faces_are_generated_and_decoded_from_their_codes(service: FaceService) -> None:
    shown = first_candidates(service.model, 3, {"Male": 1.0}, 5, truncation=TRUNCATION)
    pixels = service.generate(3, {"Male": 1.0}, seed=5)
    assert np.abs(service.decode(*shown).astype(int) - pixels).max() <= 1
    column = service.model.attributes.index("Male")
    assert (shown.attributes[:, column] == 1).all()


def test_comparing(service: FaceService, model: FaceModel) -> None:
    one, other, distance = service.compare(ASTRONAUT, ASTRONAUT)
    assert (one == other).all()
    assert distance == 0
    assert FaceService(model, find_detector()).compare(ASTRONAUT, ASTRONAUT)[2] is None


def test_wrong_input_is_told(service: FaceService) -> None:
    nobody = encoded(np.full((200, 200, 3), 99, np.uint8))
    with pytest.raises(InputError, match="no face is found"):
        service.open(nobody)
    with pytest.raises(InputError, match="there is no face 2: 1 found"):
        service.edit_file(service.open(ASTRONAUT), 2, EditRequest({"Bald": 1.0}))
    with pytest.raises(InputError, match="did you mean Bald"):
        service.edit_file(service.open(ASTRONAUT), 1, EditRequest({"bald": 1.0}))


def test_codes_move_along_directions_and_stay_in_their_range(service: FaceService) -> None:
    latents = torch.rand(1, service.model.num_latents) * 2 - 1
    nothing = [0.0] * NUM_DIRECTIONS
    assert service.moved(latents, nothing) is latents
    moved = service.moved(latents, [1.0, *nothing[1:]])
    assert moved.abs().max() <= 1
    assert (moved - latents).norm() > 1
    rows = service.model.complete_attributes(1, {})
    assert (service.decode(moved, rows) != service.decode(latents, rows)).mean() > 0.5


def test_sentences_have_one_stop() -> None:
    assert as_sentence("did you mean Bald?") == "Did you mean Bald?"
    assert as_sentence("photo is missing") == "Photo is missing."

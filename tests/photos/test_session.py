"""From photo to photo: each decoded once, each face recognized once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from twobirds.api import FaceModel, Limits
from twobirds.errors import InputError
from twobirds.photos import EditRequest, Marks, PhotoSession

FACES = ((10, 20, 60), (90, 15, 70), (165, 30, 60))


@pytest.fixture
def model(tiny_model: FaceModel) -> FaceModel:
    for weights in tiny_model.networks.generator.parameters():
        weights.mul_(8)  # untrained, its faces are all grey
    return tiny_model


@pytest.fixture
def session(model: FaceModel) -> PhotoSession:
    return PhotoSession(model, PlacedFaces(*FACES))


PHOTO = encoded(noise(110, 230))


def test_from_file_to_file(session: PhotoSession) -> None:
    request = EditRequest({"Bald": 1.0}, strength=2.0)
    content = session.edit(PHOTO, request, face=2)
    edited = decoded(content)
    changed = (np.asarray(edited) != noise(110, 230)).any(axis=2)
    assert changed[:, 90:160].any()
    assert not changed[:, :89].any()
    assert not changed[:, 161:].any()
    assert "Bald=1, strength 2" in edited.info["Description"]


def test_an_open_photo_is_edited_again_and_again(
    session: PhotoSession, count_passes: Callable[[], dict[str, int]]
) -> None:
    photo = session.open(PHOTO)
    expected = session.model.recognize(np.stack([face.crop for face in photo.found]))
    counts = count_passes()
    torch.testing.assert_close(photo.attributes, expected)
    first = photo.edit(EditRequest({"Bald": 1.0}), (0, 2))
    again = photo.edit(EditRequest({"Bald": 1.0}), (0, 2))
    other = photo.edit(EditRequest({"Male": 1.0}), (1,))
    photo.reconstruct((0,))
    pixels = [photo.composite(edits.by_index) for edits in (first, again, other)]
    assert (pixels[0] == pixels[1]).all()
    assert (pixels[0] != pixels[2]).any()
    photo.encode(first.by_index, Marks("edited"))
    assert counts == {"decoded": 0, "recognized": 0}


def test_faces_that_are_not_edited_stay(session: PhotoSession) -> None:
    photo = session.open(PHOTO)
    edits = photo.edit(EditRequest({"Bald": 1.0}), (0, 2)).by_index
    changed = (photo.composite(edits) != photo.photo.pixels).any(axis=2)
    assert changed[:, :70].any()
    assert not changed[:, 90:160].any()
    assert changed[:, 165:].any()


def test_the_strength_is_searched_for_each_face(session: PhotoSession) -> None:
    photo = session.open(PHOTO)
    request = EditRequest({"Bald": 1.0}, limits=Limits(0.0))
    edits = photo.edit(request, (0, 1))
    assert edits.search is not None
    assert edits.search.reasons == ["already", "already"]
    assert request.details == "Bald=1 until 0"


def test_an_unchanged_photo_is_copied(session: PhotoSession) -> None:
    photo = session.open(PHOTO)
    edits = photo.edit(EditRequest({"Bald": 1.0}, strength=0.0), (0, 1, 2)).by_index
    result = photo.encode(edits, Marks("edited", is_visible=True), ".png")
    assert (result.content, result.is_changed) == (PHOTO, False)
    as_jpeg = photo.encode(edits, Marks("edited"), ".jpg")
    assert decoded(as_jpeg.content).format == "JPEG"
    assert "xmp" not in decoded(as_jpeg.content).info


def test_faces_are_chosen(model: FaceModel) -> None:
    small = (200, 5, 6)  # its eyes are not 2 pixels apart
    photo = PhotoSession(model, PlacedFaces(*FACES, small)).open(PHOTO)
    assert photo.indices(None) == photo.indices("all") == (0, 1, 2, 3)
    assert photo.indices(None, for_edits=True) == (1,)  # the largest of equal scores
    assert photo.indices("all", for_edits=True) == (0, 1, 2)
    assert photo.indices(4) == (3,)
    with pytest.raises(InputError, match="face 4: it is too small"):
        photo.indices(4, for_edits=True)
    with pytest.raises(InputError, match="has no face 5: 4 found"):
        photo.indices(5)
    alone = PhotoSession(model, PlacedFaces(small)).open(PHOTO)
    with pytest.raises(InputError, match="face 1: it is too small"):
        alone.indices(None, for_edits=True)


def test_the_most_plausible_face_is_edited(session: PhotoSession) -> None:
    request = EditRequest({"Bald": 1.0}, strength=2.0)
    changed = (np.asarray(decoded(session.edit(PHOTO, request))) != noise(110, 230)).any(axis=2)
    assert changed[:, 90:160].any()
    assert not changed[:, :89].any()
    assert not changed[:, 161:].any()
    every = session.edit(PHOTO, request, face="all")
    changed = (np.asarray(decoded(every)) != noise(110, 230)).any(axis=2)
    assert all(changed[:, left : left + side].any() for left, _, side in FACES)


def test_thirty_one_faces_are_all_found(model: FaceModel) -> None:
    places = [(4 + 34 * (i % 8), 4 + 34 * (i // 8), 32) for i in range(31)]
    photo = PhotoSession(model, PlacedFaces(*places)).open(encoded(noise(150, 290)))
    assert photo.num_faces == 31
    assert photo.attributes.shape == (31, len(model.attributes))
    assert photo.indices(31) == (30,)


def test_an_aligned_face_needs_no_detector(model: FaceModel) -> None:
    photo = PhotoSession(model, None).open(encoded(noise(40, 50), "BMP"), is_aligned=True)
    assert (photo.is_aligned, photo.num_faces) == (True, 1)
    edits = photo.edit(EditRequest({"Bald": 1.0}), photo.indices(None, for_edits=True))
    image = decoded(photo.encode(edits.by_index, Marks("edited", "Bald=1")).content)
    assert (image.format, image.size) == ("PNG", (model.size, model.size))
    assert "Bald=1" in image.info["Description"]
    with pytest.raises(InputError, match="needs a detector"):
        PhotoSession(model, None).open(PHOTO)


def test_a_photo_without_a_face(model: FaceModel) -> None:
    session = PhotoSession(model, PlacedFaces())
    assert session.open(PHOTO).num_faces == 0
    with pytest.raises(InputError, match="no face is found in this photo"):
        session.edit(PHOTO, EditRequest({"Bald": 1.0}))


def test_the_visible_note_is_opaque_on_a_transparent_picture(session: PhotoSession) -> None:
    layers = np.dstack([noise(110, 230), np.zeros((110, 230), np.uint8)])
    layers[:60, :, 3] = 200  # below, where the note goes, nothing is seen
    data = encoded(Image.fromarray(layers, "RGBA"))
    marks = Marks("edited", is_visible=True)
    edited = np.asarray(decoded(session.edit(data, EditRequest({"Bald": 1.0}), marks=marks)))
    note = edited[-8:, :30]
    assert (note[..., 3] == 255).all()
    assert note[..., :3].max() > 200  # white letters
    assert (note[..., :3] == 32).all(axis=2).any()  # on their ground
    assert (edited[..., 3] != layers[..., 3]).any(axis=1).nonzero()[0].min() > 80


def test_an_animation_says_that_one_frame_is_used(session: PhotoSession) -> None:
    frames = [Image.fromarray(noise(110, 230, seed=seed)) for seed in range(4)]
    for file_format in ("PNG", "WEBP"):
        data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
        photo = session.open(data)
        assert photo.photo.left_out == "is an animation of 4 frames: only the first is used"
        nothing = photo.edit(EditRequest({"Bald": 1.0}, strength=0), (0,)).by_index
        assert photo.encode(nothing, Marks("edited")).content == data
    assert session.open(PHOTO).photo.left_out is None


@pytest.fixture
def count_passes(
    session: PhotoSession, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, int]]:
    """Begin to count decoded files and recognized faces."""

    def start() -> dict[str, int]:
        return counting(session.model, monkeypatch)

    return start


def counting(model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Counts of decoded files and recognized faces, from now on."""
    from twobirds.photos import photo

    counts = {"decoded": 0, "recognized": 0}
    decode, recognize = photo._photo, type(model.networks).encode

    def counted_decode(*arguments: Any) -> Any:
        counts["decoded"] += 1
        return decode(*arguments)

    def counted_recognize(networks: Any, images: torch.Tensor) -> Any:
        counts["recognized"] += len(images)
        return recognize(networks, images)

    monkeypatch.setattr(photo, "_photo", counted_decode)
    monkeypatch.setattr(type(model.networks), "encode", counted_recognize)
    return counts


def test_an_edit_on_the_command_line_decodes_and_recognizes_once(
    model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twobirds.apps.cli import main

    model.save(tmp_path / "model")
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda _: PlacedFaces(*FACES))
    for name in ("one", "two"):
        (tmp_path / f"{name}.png").write_bytes(PHOTO)
    counts = counting(model, monkeypatch)
    photos = [f"{tmp_path}/one.png", f"{tmp_path}/two.png"]
    words = [f"--model={tmp_path}/model", "--set=Bald=1", f"--out={tmp_path}/out", "--", *photos]
    assert main(["edit", *words]) == 0
    assert counts == {"decoded": 2, "recognized": 6}
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_page_decodes_and_recognizes_once(
    session: PhotoSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twobirds.apps.web.edit_tab import EditTab
    from twobirds.apps.web.files import Files
    from twobirds.apps.web.service import FaceService

    model = session.model
    tab = EditTab(FaceService(model, PlacedFaces(*FACES)), Files(tmp_path), None)
    (tmp_path / "upload.png").write_bytes(PHOTO)
    counts = counting(model, monkeypatch)
    key = tab._open(str(tmp_path / "upload.png"), None)[0]
    assert counts == {"decoded": 1, "recognized": 3}
    photo = tab.photos.get(key)
    assert photo is not None
    values = (photo.attributes[1] < 0.5).float().tolist()  # each slider to its other end
    for _ in range(2):
        before = dict(counts)
        shown = tab._edit(key, 2, 1.0, False, *values)[0]  # strength 1, without a search
        # The edited face, which is another image, is recognized for the line below it.
        assert counts == {"decoded": 1, "recognized": before["recognized"] + 1}
        assert (shown[0] != shown[1]).any()
    before = dict(counts)
    tab._make(False, key, 2, 1.0, False, *values)
    assert counts == before
    (path,) = tmp_path.glob("**/photo.edited.png")
    assert decoded(path.read_bytes()).size == (230, 110)


def test_the_http_api_decodes_and_recognizes_once(
    session: PhotoSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twobirds.apps.web import endpoints
    from twobirds.apps.web.files import Files
    from twobirds.apps.web.service import FaceService

    model = session.model
    service = FaceService(model, PlacedFaces(*FACES))
    (tmp_path / "upload.png").write_bytes(PHOTO)
    counts = counting(model, monkeypatch)
    upload = str(tmp_path / "upload.png")
    endpoints._edit(service, Files(tmp_path), endpoints.EditCall(upload, {"Bald": 1}, 2))
    assert counts == {"decoded": 1, "recognized": 3}
    faces = endpoints._recognize(service, upload)
    assert [face["face"] for face in faces] == [1, 2, 3]
    assert counts == {"decoded": 2, "recognized": 6}
    animation = encoded(
        noise(110, 230), "WEBP", save_all=True, append_images=[Image.new("RGB", (230, 110))]
    )
    (tmp_path / "animation.webp").write_bytes(animation)
    with pytest.raises(InputError, match=r"animation of 2 frames: .* send one frame as a still"):
        endpoints._recognize(service, str(tmp_path / "animation.webp"))


@pytest.mark.parametrize("spares_memory", [False, True])
def test_memory_is_given_back_only_when_asked(
    model: FaceModel, monkeypatch: pytest.MonkeyPatch, *, spares_memory: bool
) -> None:
    """After detection, and before the edited photo is encoded."""
    calls: list[None] = []
    monkeypatch.setattr("twobirds.photos.session.return_freed_memory", lambda: calls.append(None))
    session = PhotoSession(model, PlacedFaces(*FACES), spares_memory=spares_memory)
    content = session.edit(PHOTO, EditRequest({model.attributes[0]: 1.0}), face=1)
    assert content.startswith(PHOTO[:4])
    assert len(calls) == (2 if spares_memory else 0)

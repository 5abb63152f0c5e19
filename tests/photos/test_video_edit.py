"""Videos edited: decided once, applied steadily, with a few frames in memory."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from making_runs import modern_recipe, trained_run, write_pack
from photos.making_videos import motion, moved_astronaut, write_video
from twobirds.api import FaceModel, Limits
from twobirds.data.faces import to_pixels
from twobirds.data.similarity import estimate_similarity
from twobirds.errors import InputError
from twobirds.models.edit_layers import EditLayers
from twobirds.photos import EditRequest, PhotoSession, tracks
from twobirds.photos.detectors import find_detector
from twobirds.photos.edits import ImageDifference, LayeredEdit, mean_edit
from twobirds.photos.faces import find_faces
from twobirds.photos.video import Frame, Video
from twobirds.photos.video_edit import SteadyEdit, decide, edited_frames
from twobirds.photos.video_faces import choose_video_faces, find_video_faces

SIZE = (320, 240)
BLOND = EditRequest({"Blond_Hair": 1.0})


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    frames = moved_astronaut(16, *SIZE)
    return Video(write_video(tmp_path_factory.mktemp("video") / "a.mp4", frames))


@pytest.fixture(scope="module")
def session() -> PhotoSession:
    return PhotoSession(FaceModel.load("celeba128", device="cpu"), find_detector())


@pytest.fixture(scope="module")
def edit(video: Video, session: PhotoSession) -> SteadyEdit:
    found, count, _ = find_video_faces(video, session, lambda _: None)
    assert count == 16
    [face] = choose_video_faces(found, None)
    return decide(face, BLOND)


def test_landmarks_follow_the_motion(edit: SteadyEdit) -> None:
    assert sorted(edit.face.landmarks) == list(range(16))
    placed = []
    for number, landmarks in edit.face.landmarks.items():
        matrix = motion(number, *SIZE)
        placed.append((landmarks - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
    eyes = np.linalg.norm(placed[0][1] - placed[0][0])
    errors = np.stack(placed) - np.mean(placed, axis=0)
    assert np.linalg.norm(errors, axis=2).max() < 0.05 * eyes


def test_the_edit_flickers_no_more_than_the_video(
    video: Video, session: PhotoSession, edit: SteadyEdit
) -> None:
    """With the known motion undone, where the video's own change is its noise alone."""
    changes, noise, sizes = [], [], []
    pairs = edited_frames(video.frames(), [edit], session.model)
    for (frame, pixels), (next_frame, next_pixels) in pairwise(pairs):
        number = round(float(frame.source.time or 0) * 25)
        still = [
            undone(values, at)
            for values, at in (
                (pixels - frame.pixels.astype(np.float32), number),
                (next_pixels - next_frame.pixels.astype(np.float32), number + 1),
                (frame.pixels.astype(np.float32), number),
                (next_frame.pixels.astype(np.float32), number + 1),
            )
        ]
        where = (still[0] != 0) | (still[1] != 0)
        sizes.append(np.abs(still[0])[where].mean())
        changes.append(np.abs(still[1] - still[0])[where].mean())
        noise.append(np.abs(still[3] - still[2])[where].mean())
    assert np.mean(sizes) > 5  # levels: there is an edit
    assert np.mean(changes) < 1.5 * np.mean(noise)


def undone(values: np.ndarray, number: int) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    still = cv2.warpAffine(values, motion(number, *SIZE), (512, 400), flags=flags)
    return np.asarray(still)


def test_only_a_few_frames_are_in_memory_and_none_is_encoded(
    video: Video, session: PhotoSession, edit: SteadyEdit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[int] = []

    def counted() -> Iterator[Frame]:
        for frame in video.frames():
            ahead.append(1)
            yield frame

    networks = session.model.networks
    for unused in (networks.recognizer, networks.encoder):  # an edit in layers needs neither
        monkeypatch.setattr(unused, "forward", lambda *_: pytest.fail("computed for nothing"))
    for done, (frame, pixels) in enumerate(edited_frames(counted(), [edit], session.model)):
        assert len(ahead) <= done + 5
        changed = (pixels != frame.pixels).any(axis=2)
        assert changed.any()
        assert not changed[200:].any()  # below the crop
    assert done == 15


def test_the_strength_is_one_for_all_frames(edit: SteadyEdit) -> None:
    request = EditRequest({"Blond_Hair": 1.0}, limits=Limits(0.9))
    decided = decide(edit.face, request).request
    assert decided.limits is None
    assert 0.5 <= decided.strength <= 3


def test_the_mean_of_edits_is_that_of_their_fields() -> None:
    def layered(value: float) -> LayeredEdit:
        fields = (torch.full((1, channels, 4, 4), value) for channels in (2, 3, 3, 3, 1))
        return LayeredEdit(torch.full((3, 8, 8), value), EditLayers(*fields), 2 * value)

    weights = torch.tensor([0.75, 0.25])
    mean = mean_edit([layered(0.1), layered(0.5)], weights)
    assert isinstance(mean, LayeredEdit)
    assert mean.strength == pytest.approx(0.4)
    for field in (mean.before, *mean.layers):
        assert field.numpy() == pytest.approx(0.2)
    zeros, ones = torch.zeros(3, 8, 8), torch.ones(3, 8, 8)
    difference = mean_edit([ImageDifference(zeros, ones), ImageDifference(ones, zeros)], weights)
    assert isinstance(difference, ImageDifference)
    assert difference.before.numpy() == pytest.approx(0.25)
    assert difference.after.numpy() == pytest.approx(0.75)


def test_what_is_protected_stays_in_every_frame(
    video: Video, session: PhotoSession, edit: SteadyEdit
) -> None:
    protected = np.zeros(SIZE[::-1], bool)
    protected[:, :130] = True  # half of the face
    frames = islice(video.frames(), 6)
    for frame, pixels in edited_frames(frames, [edit], session.model, protected=protected):
        changed = (pixels != frame.pixels).any(axis=2)
        assert changed.any()
        assert not changed[protected].any()


def test_edits_in_layers_go_through_a_video(video: Video, tmp_path: Path, edit: SteadyEdit) -> None:
    run = trained_run(
        tmp_path / "run", write_pack(tmp_path / "pack"), modern_recipe(), max_seconds=0.0
    )
    model = FaceModel.load(run, device="cpu")
    crops = torch.zeros(2, 3, model.size, model.size)
    probabilities = model.recognize(crops).mean(dim=0)
    layered = SteadyEdit(edit.face, EditRequest({"Bald": 1.0}), probabilities)
    frames = [pixels for _, pixels in edited_frames(video.frames(), [layered], model)]
    assert len(frames) == 16


def another_face(session: PhotoSession, landmarks: np.ndarray) -> np.ndarray:
    """A frame `[H, W, 3]` uint8 with a generated face in the place of another."""
    model, detector = session.model, session.detector
    assert model.landmarks is not None
    assert detector is not None
    matrix = estimate_similarity(np.array(model.landmarks) * model.size, landmarks)
    for seed in range(8):
        face = to_pixels(model.generate(1, {"Male": 1, "Bald": 1}, seed=seed))[0]
        frame = cv2.warpAffine(
            face, matrix, SIZE, borderMode=cv2.BORDER_CONSTANT, borderValue=(40, 60, 50)
        )
        if find_faces(detector, frame):
            return np.asarray(frame)
    pytest.fail("the detector finds no generated face")


def test_a_cut_to_another_face_in_the_same_place(
    tmp_path: Path, session: PhotoSession, edit: SteadyEdit, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = [another_face(session, edit.face.landmarks[11])] * 12
    clips = {"both": moved_astronaut(12, *SIZE) + other, "other": other}
    videos = {
        name: Video(write_video(tmp_path / f"{name}.mp4", frames)) for name, frames in clips.items()
    }
    found, *_ = find_video_faces(videos["both"], session, lambda _: None)
    assert [(face.first, face.last) for face in found] == [(0, 11), (12, 23)]
    before, after = found[0].landmarks[11].mean(axis=0), found[1].landmarks[12].mean(axis=0)
    assert np.linalg.norm(after - before) < 10  # pixels
    assert choose_video_faces(found, None) == found
    [alone], *_ = find_video_faces(videos["other"], session, lambda _: None)
    first, second, expected = (
        decide(face, BLOND).probabilities.numpy() for face in (*found, alone)
    )
    assert second == pytest.approx(expected, abs=0.05)
    assert np.abs(first - second).max() > 0.5
    monkeypatch.setattr(tracks, "_SAME_LOOK", -1.0)  # by place alone they are one face
    [one], *_ = find_video_faces(videos["both"], session, lambda _: None)
    assert (one.first, one.last) == (0, 23)


def test_videos_without_a_face_that_can_be_edited(
    tmp_path: Path, session: PhotoSession, edit: SteadyEdit
) -> None:
    empty = [np.full((120, 160, 3), 10 * n, np.uint8) for n in range(6)]
    found, *_ = find_video_faces(
        Video(write_video(tmp_path / "a.mp4", empty)), session, lambda _: None
    )
    with pytest.raises(InputError, match="no face is found in any frame"):
        choose_video_faces(found, None)
    face = replace(edit.face, refusal="it is too small")
    with pytest.raises(InputError, match="no face can be edited: of the most plausible one, it is"):
        choose_video_faces([face], "all")
    assert choose_video_faces([face, edit.face], "all") == [edit.face]

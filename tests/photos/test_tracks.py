"""Faces followed through a video: a detector of the test knows where they are."""

from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from twobirds.photos.faces import Face
from twobirds.photos.tracks import FaceTracker, Track, apart_in_time, correlation, steady

POINTS = np.array([(-5, 0), (5, 0), (0, 5), (-4, 10), (4, 10.0)])
"""A face with eyes 10 pixels apart."""


def at(x: float, y: float) -> np.ndarray:
    """The landmarks of a face there."""
    return POINTS + np.array([x, y])


class KnownFaces:
    """Finds faces where the test says that they are.

    Args:
        places: Of each face, (x, y) by frame.
    """

    name = "a test"

    def __init__(self, *places: Mapping[int, tuple[float, float]]) -> None:
        self.places = places
        self.num_searches = 0

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """The faces of a frame, whose number its pixels hold."""
        self.num_searches += 1
        return [Face((0, 0, 10, 10), POINTS + place, 0.9) for place in self._here(pixels)]

    def _here(self, pixels: np.ndarray) -> list[tuple[float, float]]:
        number = int(pixels[0, 0, 0])
        return [places[number] for places in self.places if number in places]


class FollowedFaces(KnownFaces):
    """The same, which follow a face within ten pixels."""

    def follow(self, pixels: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest face to each."""
        found, scores = landmarks.copy(), np.zeros(len(landmarks))
        for i, points in enumerate(landmarks):
            for place in self._here(pixels):
                if np.linalg.norm(points.mean(0) - (POINTS + place).mean(0)) < 10:
                    found[i], scores[i] = POINTS + place, 0.9
        return found, scores


def tracked(detector: KnownFaces, count: int) -> list[Track]:
    tracker = FaceTracker(detector)
    for number in range(count):
        tracker.add(number, np.full((4, 4, 3), number, np.uint8))
    return tracker.tracks


def moving(frames: range, start: tuple[float, float] = (50, 50)) -> dict[int, tuple[float, float]]:
    return {n: (start[0] + 4.0 * n, start[1]) for n in frames}


def test_a_face_is_followed_back_to_where_it_comes_into_view() -> None:
    detector = FollowedFaces(moving(range(3, 37)))
    [track] = tracked(detector, 50)
    assert (track.first, track.last) == (3, 36)
    assert sorted(track.landmarks) == list(range(3, 37))
    assert np.allclose(track.landmarks[20], at(130, 50))
    assert detector.num_searches == 6  # each tenth frame, and when it was lost


def test_two_faces_and_a_gap() -> None:
    one = moving(range(40))
    two = {n: (50.0, 300.0) for n in range(40) if n not in (15, 16)}
    tracks = tracked(FollowedFaces(one, two), 40)
    found = [(track.first, track.last, len(track.landmarks)) for track in tracks]
    assert found == [(0, 39, 40), (0, 39, 35)]  # frames 15 to 19 are filled in by `steady`


def test_a_cut_ends_a_track() -> None:
    places = {n: (50.0, 50.0) if n < 14 else (200.0, 90.0) for n in range(30)}
    tracks = tracked(FollowedFaces(places), 30)
    assert [(track.first, track.last) for track in tracks] == [(0, 13), (14, 29)]


def scene(number: int, seed: int) -> np.ndarray:
    """A frame of a scene with its number: noise, the same in every frame of the scene."""
    noise = np.random.default_rng(seed).integers(0, 200, (15, 15, 3), np.uint8)
    pixels = cv2.resize(noise, (120, 120), interpolation=cv2.INTER_CUBIC)
    pixels[0, 0] = number
    return pixels


@pytest.mark.parametrize("kind", [FollowedFaces, KnownFaces])
def test_another_face_in_the_same_place_is_another_track(kind: type[KnownFaces]) -> None:
    tracker = FaceTracker(kind(dict.fromkeys(range(30), (50.0, 50.0))))
    for number in range(30):
        tracker.add(number, scene(number, seed=number >= 14))
    assert [(track.first, track.last) for track in tracker.tracks] == [(0, 13), (14, 29)]
    assert [len(track.landmarks) for track in tracker.tracks] == [14, 16]


def test_a_flash_or_something_before_the_face_ends_no_track() -> None:
    tracker = FaceTracker(FollowedFaces(dict.fromkeys(range(40), (50.0, 50.0))))
    for number in range(40):
        pixels = scene(number, seed=2 * (number in (23, 24)))  # covered
        if number == 14:
            pixels = np.minimum(255, pixels.astype(int) + 40).astype(np.uint8)
        pixels[0, 0] = number
        tracker.add(number, pixels)
    found = [(track.first, track.last, len(track.landmarks)) for track in tracker.tracks]
    assert found == [(0, 39, 38), (23, 24, 2)]


def test_correlation_by_hand() -> None:
    ramp = np.array([0, 1, 2], np.uint8)
    assert correlation(ramp, ramp * 3 + 50) == pytest.approx(1)
    assert correlation(ramp, ramp[::-1]) == pytest.approx(-1)
    assert correlation(ramp, np.array([0, 1, 0])) == pytest.approx(0)
    flat = np.full(3, 9, np.uint8)
    assert (correlation(flat, flat + 1), correlation(flat, ramp)) == (1, 0)


def test_a_detector_that_follows_nothing_searches_every_frame() -> None:
    detector = KnownFaces(moving(range(5, 20)))
    [track] = tracked(detector, 25)
    assert (track.first, track.last, detector.num_searches) == (5, 19, 25)


def test_smoothing_keeps_steady_motion_fills_gaps_and_takes_noise() -> None:
    straight = Track(0, 0)
    for n in (*range(10), *range(12, 30)):
        straight.add(n, at(3 * n, n), 0.9)
    smooth = steady(straight, 2.0)
    assert sorted(smooth) == list(range(30))
    for n, points in smooth.items():
        assert points == pytest.approx(at(3 * n, n))
    rng = np.random.default_rng(0)
    noisy = Track(0, 0)
    for n in range(200):
        noisy.add(n, POINTS + rng.normal(size=(5, 2)), 0.9)
    points = np.stack(list(steady(noisy, 2.0).values()))
    assert np.diff(points, axis=0).std() < 0.25  # of 1.41 before
    assert steady(Track(4, 4, {4: POINTS}), 2.0)[4] == pytest.approx(POINTS)


def test_the_most_important_tracks_share_no_frame() -> None:
    tracks = [Track(0, 9), Track(5, 20), Track(15, 30), Track(31, 40)]
    importance = dict(zip(map(id, tracks), (5.0, 8.0, 4.0, 1.0), strict=True))
    assert list(apart_in_time(tracks, importance)) == [tracks[1], tracks[3]]

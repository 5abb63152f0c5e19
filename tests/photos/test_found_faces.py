"""Faces: their order, overlaps, plausibility, bias, and doubts about them."""

import numpy as np
import pytest

from twobirds.photos.faces import (
    Face,
    doubts_about,
    find_faces,
    order_of_plausibility,
    suppress_non_maxima,
    unbiased,
)


def face_at(
    x: float, y: float = 10, width: float = 100, score: float = 0.9, turn: float = 0.0
) -> Face:
    landmarks = np.array(
        [(0.3, 0.4), (0.7, 0.4), (0.5 + 0.4 * turn, 0.6), (0.35, 0.8), (0.65, 0.8)]
    )
    return Face((x, y, width, width), landmarks * width + (x, y), score)


def test_faces_come_from_left_to_right() -> None:
    class Two:
        name = "two"

        def detect(self, _: np.ndarray) -> list[Face]:
            return [face_at(300), face_at(20)]

    found = find_faces(Two(), np.zeros((8, 8, 3), np.uint8))
    assert [face.box[0] for face in found] == [20, 300]


def test_of_overlapping_detections_the_most_certain_is_kept() -> None:
    faces = [face_at(0, score=0.7), face_at(10, score=0.9), face_at(300, score=0.65)]
    assert [face.score for face in suppress_non_maxima(faces)] == [0.9, 0.65]


def test_a_detection_inside_a_face_is_dropped_and_a_neighbour_kept() -> None:
    whole, neighbour = face_at(0), face_at(60)
    nose = face_at(35, 45, width=30, score=0.8)
    assert suppress_non_maxima([nose, whole, neighbour]) == [whole, neighbour]


@pytest.mark.parametrize(
    ("faces", "first"),
    [
        ([face_at(0, 0, width=60), face_at(150, 150)], 1),  # larger, and in the middle
        ([face_at(150, 150, score=0.99), face_at(0, 0, width=120, score=0.7)], 0),
        ([face_at(150, 150, score=0.7), face_at(150, 160, score=0.9)], 1),
        ([face_at(0, 150), face_at(160, 150)], 1),
        ([face_at(50, 50, width=300, score=0.7), face_at(150, 150, score=0.99)], 1),
    ],
)
def test_the_most_plausible_face_is_large_central_and_certain(
    faces: list[Face], first: int
) -> None:
    assert order_of_plausibility(faces, 400, 400) == [first, 1 - first]


def test_a_corner_costs_half() -> None:
    in_a_corner, in_the_middle = face_at(-50, -50), face_at(150, 150, width=49)
    # 40 * (1 - 1 / 2) = 20 in the corner, 19.6 * (1 - 0.1275 / 2) = 18.35 near the middle.
    assert order_of_plausibility([in_the_middle, in_a_corner], 400, 400) == [1, 0]
    larger = face_at(150, 150, width=56)  # 22.4 * (1 - 0.11 / 2) = 21.2
    assert order_of_plausibility([in_a_corner, larger], 400, 400) == [1, 0]
    assert order_of_plausibility([], 400, 400) == []


def test_a_constant_bias_is_removed_along_the_eyes_and_across() -> None:
    truth = face_at(0).landmarks  # eyes 40 pixels apart
    bias = np.array([(0.1, 0.0), (0.1, 0.0), (0.0, 0.05), (0.1, -0.05), (0.0, 0.0)])
    found = truth + 40 * bias
    assert unbiased(found, bias) == pytest.approx(truth)
    quarter = np.array([(0, -1), (1, 0)])  # (x, y) becomes (-y, x)
    assert unbiased(found @ quarter.T, bias) == pytest.approx(truth @ quarter.T)


def test_doubts_have_their_numbers() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)

    def doubts(face: Face, crop: np.ndarray = noise) -> tuple[str, str]:
        found = doubts_about(face, crop, 16.0)
        return "; ".join(found.refusals), "; ".join(found.warnings)

    assert doubts(face_at(0)) == ("", "")
    assert doubts(face_at(0, width=10))[0].startswith(
        "it is too small: its eyes are 4 pixels apart, at least 8 are needed"
    )
    assert doubts(face_at(0, width=30))[1].startswith("it is small: its eyes are 12 pixels apart")
    assert "0.80 eye distances off" in doubts(face_at(0, turn=0.8))[0]
    assert "0.50 eye distances off" in doubts(face_at(0, turn=0.5))[1]
    assert doubts(face_at(0, score=0.82))[1] == "it may be no face: the detector is 0.82 certain"
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert doubts(face_at(0), flat)[1].startswith("it is blurred: sharpness 0.0000")

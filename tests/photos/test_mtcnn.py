"""MTCNN on the astronaut of scikit-image, on pictures without faces, and on real faces."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data
from skimage.data import astronaut

from twobirds.errors import InputError
from twobirds.photos.detectors import find_detector
from twobirds.photos.faces import Face
from twobirds.photos.mtcnn import Mtcnn
from twobirds.photos.pyramid import rotation

EYES = np.array([(205, 101), (246, 103)])  # looked up in the picture
FACE = astronaut()[:260, 90:350]
"""The astronaut's head, 42 pixels between the eyes."""


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    found = find_detector()
    assert isinstance(found, Mtcnn)
    return found


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def test_a_face_is_where_its_landmarks_are(detector: Mtcnn) -> None:
    [face] = detector.detect(astronaut())
    assert np.abs(face.landmarks[:2] - EYES).max() < 0.1 * face.eye_distance
    left, top, width, height = face.box
    inside = (face.landmarks > (left, top)) & (face.landmarks < (left + width, top + height))
    assert inside.all()
    assert face.score > 0.95
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


def test_a_mirrored_face_has_mirrored_landmarks(detector: Mtcnn) -> None:
    [face], [mirrored] = detector.detect(FACE), detector.detect(FACE[:, ::-1].copy())
    back = mirrored.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (FACE.shape[1], 0)
    # Twice what CelebA's lists, which count pixels from 1, are to the right: 0.018 at most.
    assert np.abs(face.landmarks - back).max() < 0.06 * face.eye_distance


@pytest.mark.parametrize("degrees", [-40, 40])
def test_a_turned_face_has_turned_landmarks(detector: Mtcnn, degrees: float) -> None:
    matrix, half = rotation(np.radians(degrees)), np.full(2, 180.0)
    shift = half - matrix @ (130, 130)
    centres = np.hstack([matrix, (shift + matrix @ [0.5, 0.5] - 0.5)[:, None]])
    turned = cv2.warpAffine(FACE, centres, (360, 360), borderMode=cv2.BORDER_REPLICATE)
    [face], [upright] = detector.detect(turned), detector.detect(FACE)
    expected = upright.landmarks @ matrix.T + shift
    assert np.abs(face.landmarks - expected).max() < 0.05 * upright.eye_distance


@pytest.mark.parametrize("side", [1000, 130, 75])  # 162, 21 and 12 pixels between the eyes
def test_the_size_of_a_photo_does_not_matter(detector: Mtcnn, side: int) -> None:
    [face] = detector.detect(resized(FACE, side, side))
    [usual] = detector.detect(FACE)
    assert face.landmarks * 260 / side == pytest.approx(usual.landmarks, abs=4)


def test_large_and_small_faces_of_a_large_photo(detector: Mtcnn) -> None:
    photo = np.full((3000, 4000, 3), 120, np.uint8)
    photo[:2600, :2600] = resized(FACE, 2600, 2600)
    photo[2700:2960, 3600:3860] = FACE  # 24 pixels wide where the photo is 1,024
    large, small = sorted(detector.detect(photo), key=lambda face: face.box[0])
    assert large.eye_distance == pytest.approx(420, rel=0.05)
    assert small.eye_distance == pytest.approx(42, rel=0.1)


def test_faces_too_small_for_the_first_search_are_found_by_the_second(detector: Mtcnn) -> None:
    photo = np.full((1500, 2000, 3), 120, np.uint8)
    photo[900:990, 1500:1590] = resized(FACE, 90, 90)  # a face of 30 pixels, 15 at 1,024
    [face] = detector.detect(photo)
    assert face.eye_distance == pytest.approx(14.6, rel=0.15)


def test_faces_side_by_side_are_two(detector: Mtcnn) -> None:
    head = astronaut()[40:190, 165:280]
    faces = detector.detect(np.pad(np.hstack([head, head[:, ::-1]]), ((20, 20), (20, 20), (0, 0))))
    assert len(faces) == 2


@pytest.mark.parametrize(
    "part",
    [np.s_[:, 195:], np.s_[:, :257], np.s_[82:, :], np.s_[:152, :], np.s_[75:160, 185:265]],
    ids=["left", "right", "top", "bottom", "all sides"],
)
def test_a_face_cut_by_the_border_is_found(detector: Mtcnn, part: tuple[slice, slice]) -> None:
    pixels = np.ascontiguousarray(astronaut()[part])
    origin = np.array([part[1].start or 0, part[0].start or 0])
    [face] = detector.detect(pixels)
    assert np.abs(face.landmarks[:2] + origin - EYES).max() < 0.15 * face.eye_distance


def test_a_dark_face_is_found(detector: Mtcnn) -> None:
    [dark] = detector.detect((FACE * 0.1).astype(np.uint8))
    [bright] = detector.detect(FACE)
    assert np.abs(dark.landmarks - bright.landmarks).max() < 0.1 * bright.eye_distance


@pytest.mark.parametrize("name", ["brick", "coffee", "chelsea", "coins", "grass", "rocket", "text"])
def test_nothing_is_found_where_there_is_no_face(detector: Mtcnn, name: str) -> None:
    pixels = np.asarray(Image.fromarray(getattr(data, name)()).convert("RGB"))
    assert detector.detect(pixels) == []


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 900), (1, 1), (3, 2000)])
def test_photos_of_any_shape_can_be_searched(detector: Mtcnn, height: int, width: int) -> None:
    assert detector.detect(np.full((height, width, 3), 128, np.uint8)) == []


def test_two_threads_find_the_same(detector: Mtcnn) -> None:
    found: list[list[Face]] = []
    threads = [
        threading.Thread(target=lambda: found.append(detector.detect(FACE))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [one], [two] = found
    assert (one.landmarks == two.landmarks).all()


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"pnet\.onnx is not a usable ONNX network"):
        Mtcnn(dict.fromkeys(("pnet", "rnet", "onet"), b"no network"))


def test_real_faces_and_their_landmarks(detector: Mtcnn, shared: Path) -> None:
    folder = shared / "data/celeba_unaligned"
    rows = (folder / "list_landmarks_celeba.txt").read_text().splitlines()[2:]
    listed = {name: np.array(v, float).reshape(5, 2) for name, *v in map(str.split, rows)}
    errors = []
    for name in list(listed)[1:80:2]:  # the detector's bias was taken from those between
        pixels = np.asarray(Image.open(folder / "img_celeba" / name).convert("RGB"))
        faces = detector.detect(pixels)
        eyes = np.linalg.norm(listed[name][1] - listed[name][0])
        error = min(np.linalg.norm(f.landmarks - listed[name], axis=1).mean() for f in faces)
        errors.append(error / eyes)
    assert np.median(errors) <= 0.05
    assert np.quantile(errors, 0.9) <= 0.09

"""Detectors, and doubts about what they find."""

import hashlib
import io
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from yunet_file import write_yunet

from twobirds.errors import InputError
from twobirds.photos import detectors, yunet
from twobirds.photos.cascade import FrontalCascade
from twobirds.photos.faces import Face, doubts_about, find_faces, without_doubles
from twobirds.photos.yunet import YuNet

IN_SQUARE = np.array([(290, 300), (350, 300), (320, 335), (298, 365), (342, 365)], float)


def face_at(x: float, width: float = 100, score: float = 0.9, turn: float = 0.0) -> Face:
    landmarks = np.array(
        [(0.3, 0.4), (0.7, 0.4), (0.5 + 0.4 * turn, 0.6), (0.35, 0.8), (0.65, 0.8)]
    )
    return Face((x, 10, width, width), landmarks * width + (x, 10), score)


@pytest.fixture
def yunet_file(tmp_path: Path) -> Path:
    write_yunet(tmp_path / "yunet.onnx", IN_SQUARE)
    return tmp_path / "yunet.onnx"


@pytest.mark.parametrize(("height", "width"), [(520, 520), (1040, 780), (130, 260)])
def test_yunets_landmarks_are_the_photos(yunet_file: Path, height: int, width: int) -> None:
    [face] = YuNet(yunet_file).detect(np.zeros((height, width, 3), np.uint8))
    scale = 520 / max(height, width)  # the photo lies in the middle of the square
    rim = (640 - np.array([width, height]) * scale) / 2
    assert face.landmarks == pytest.approx((IN_SQUARE - rim) / scale, abs=0.01)
    assert face.score == pytest.approx(0.9)
    centre = np.array(face.box[:2]) + np.array(face.box[2:]) / 2
    assert centre == pytest.approx(face.landmarks.mean(axis=0), abs=0.01)


def test_small_faces_are_sought_in_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_yunet(tmp_path / "yunet.onnx", IN_SQUARE)
    detector = YuNet(tmp_path / "yunet.onnx")
    look = YuNet._look
    seen = []

    def look_at_tiles(self: YuNet, image: np.ndarray, side: int, origin: np.ndarray) -> list[Face]:
        seen.append((image.shape[:2], tuple(origin)))
        return look(self, image, side, origin) if len(image) < 100 else []

    monkeypatch.setattr(YuNet, "_look", look_at_tiles)
    faces = detector.detect(np.zeros((100, 200, 3), np.uint8))
    assert len(faces) == 4
    assert {origin for _, origin in seen[2:]} == {(0, 0), (80, 0), (0, 40), (80, 40)}
    assert seen[2][0] == (60, 120)


def test_what_is_no_yunet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        YuNet(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"bad\.onnx: is not a YuNet network"):
        YuNet(tmp_path / "bad.onnx")


@pytest.fixture
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(yunet, "user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.mark.usefixtures("_no_cache")
def test_the_cascade_serves_where_yunet_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    detector, line = detectors.find_detector()
    assert isinstance(detector, FrontalCascade)
    assert line is not None
    assert line.startswith("face_detection_yunet_2023mar.onnx cannot be had (no network); ")
    assert "scikit-image's frontal-face cascade looks for faces instead" in line
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked"))
    assert isinstance(detectors.find_detector()[0], FrontalCascade)


@pytest.mark.usefixtures("_no_cache")
def test_a_download_is_checked_and_kept(
    yunet_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def serve(url: str, **_: object) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(yunet_file.read_bytes())

    monkeypatch.setattr("urllib.request.urlopen", serve)
    detector, line = detectors.find_detector()
    assert isinstance(detector, FrontalCascade)
    assert line is not None
    assert "is not what OpenCV published" in line
    assert not (tmp_path / "cache").exists()
    digest = hashlib.sha256(yunet_file.read_bytes()).hexdigest()
    monkeypatch.setattr(yunet, "SHA256", digest)
    for _ in range(2):
        detector, line = detectors.find_detector()
        assert isinstance(detector, YuNet)
        assert line is None
    assert asked == [yunet.URL] * 2
    (tmp_path / "cache/twobirds/face_detection_yunet_2023mar.onnx").write_bytes(b"damaged")
    assert isinstance(detectors.find_detector()[0], FrontalCascade)


def test_the_cascade_finds_a_frontal_face() -> None:
    [face] = find_faces(FrontalCascade(), astronaut())
    eyes = np.array([(207, 101), (245, 102)])  # looked up in the picture
    assert np.abs(face.landmarks[:2] - eyes).max() < 0.25 * face.eye_distance
    assert not face.is_exact
    large = Image.fromarray(astronaut()).resize((2000, 2000))
    [twice] = FrontalCascade().detect(np.asarray(large))
    assert np.array(twice.box) == pytest.approx(np.array(face.box) * 2000 / 512, rel=0.03)
    assert FrontalCascade().detect(np.full((300, 200, 3), 128, np.uint8)) == []


def test_faces_come_from_left_to_right() -> None:
    class Two:
        name = "two"

        def detect(self, _: np.ndarray) -> list[Face]:
            return [face_at(300), face_at(20)]

    found = find_faces(Two(), np.zeros((8, 8, 3), np.uint8))
    assert [face.box[0] for face in found] == [20, 300]


def test_of_overlapping_detections_the_most_certain_is_kept() -> None:
    faces = [face_at(0, score=0.7), face_at(10, score=0.9), face_at(300, score=0.65)]
    assert [face.score for face in without_doubles(faces)] == [0.9, 0.65]


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
    assert doubts(face_at(0, score=0.62))[1] == "it may be no face: the detector is 0.62 certain"
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert doubts(face_at(0), flat)[1].startswith("it is blurred: sharpness 0.0000")

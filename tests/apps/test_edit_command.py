"""`twobirds edit` until the recognizer agrees, and with refined codes."""

from pathlib import Path

import pytest

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
    assert captured.err.startswith(f"{image}: strength 0, read 0.")
    assert captured.err.endswith(": the recognizer sees it there already\n")
    assert main([*words, "--until=1"]) == 0
    told = capsys.readouterr().err
    assert told.startswith(f"{image}: strength 3, read 0.")
    assert told.endswith(": the recognizer does not see the change at the greatest strength\n")


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
    assert told.endswith(": more would cost the person\n")
    assert main([*words, *limits, "5"]) == 0  # more than any
    assert ": strength 3, " in capsys.readouterr().err


def test_limits_that_do_not_fit_together(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", "--aligned", str(image), model, "--set", "Bald=1", f"--out={tmp_path}/e.png"]
    limit, absent = "--max-identity-distance=1", f"--embedder={tmp_path}/none.onnx"
    for more, message in (
        ([limit], "needs --embedder to measure it by"),
        ([limit, f"--embedder={image}"], "go with --until"),
        (["--until=0.5", "--strength=2"], "leave out --strength"),
        (["--until=2"], "until must lie in [0, 1], not 2"),
        (["--refine=-1"], "refine_steps must be a whole number and not negative, not -1"),
        (["--until=0.5", absent, limit], "none.onnx"),
    ):  # fmt: skip
        assert main([*words, *more]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "e.png").exists()

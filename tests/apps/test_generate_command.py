"""`twobirds generate`, from words to pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twobirds.apps.cli import main


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_generate_is_a_function_of_the_seed(model: str, tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        words = ["generate", "--set", "Male=1", f"--seed={seed}", "--count=5", model]
        assert main([*words, f"--out={tmp_path}/{name}.png"]) == 0
    a, b, c = (pixels_of(tmp_path / f"{name}.png") for name in "abc")
    assert a.shape[1] > a.shape[0] > 64  # two rows of three
    assert (a == b).all()
    assert (a != c).any()


def test_faces_in_a_grid_are_large_enough_to_be_seen(model: str, tmp_path: Path) -> None:
    words = ["generate", "--count=4", model, f"--out={tmp_path}/g.png"]
    sizes = []
    for more in ([], ["--scale=1"], ["--scale=2"]):
        assert main([*words, *more]) == 0
        sizes.append(pixels_of(tmp_path / "g.png").shape[0])
    gap = (sizes[1] - 2 * 32) // 3
    assert sizes == [2 * side + 3 * gap for side in (192, 32, 64)]
    for scale in ("0", "17", "-1"):
        assert main([*words, f"--scale={scale}"]) == 2


def test_truncated_faces_are_more_alike(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--count=4", "--scale=1", "--set", "Male=1", "Young=1", model]
    spread = []
    for truncation in ("1", "0.2"):
        folder = tmp_path / truncation
        assert main([*words, f"--separate={folder}", f"--truncation={truncation}"]) == 0
        faces = np.stack([pixels_of(path) for path in sorted(folder.iterdir())]).astype(float)
        spread.append(faces.std(0).mean())
    assert spread[1] < spread[0]
    for unfit in ("-0.1", "1.5", "nan"):
        assert main([*words, f"--truncation={unfit}"]) == 2
        assert "--truncation must lie between 0 and 1" in capsys.readouterr().err


def test_contradictions_are_not_generated(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--count=1", model, f"--out={tmp_path}/g.png"]
    assert main([*words, "--set", "Bald=1", "Bangs=1"]) == 2
    told = capsys.readouterr().err
    assert "Bald=1 and Bangs=1 exclude each other, so that no face has both: leave out" in told
    assert not (tmp_path / "g.png").exists()
    assert main([*words, "--set", "Bald=1", "Bangs=0"]) == 0
    assert main([*words, "--describe=a bald man with bangs"]) == 2
    assert "Bald=1 and Bangs=1 exclude each other" in capsys.readouterr().err
    assert main([*words, "--describe=a bald man", "--set", "Bangs=1"]) == 0
    assert capsys.readouterr().err.endswith("\noverruled by --set: Bald\n")
    with Image.open(tmp_path / "g.png") as image:
        assert "Bald" not in image.info["xmp"].decode()


def test_generate_single_files(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "--count=3", model, "--separate=faces"]) == 0
    assert sorted(p.name for p in tmp_path.rglob("*.png")) == ["0000.png", "0001.png", "0002.png"]
    assert pixels_of(tmp_path / "faces/0001.png").shape == (32, 32, 3)
    assert main(["generate", model]) == 0
    assert (tmp_path / "generated.png").is_file()


def test_faces_of_an_earlier_run_stay_and_are_named(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("mine.png", "0002.png", "0003.png"):
        (tmp_path / name).write_bytes(b"earlier")
    words = ["generate", model, f"--separate={tmp_path}", "--force"]
    assert main([*words, "--count=2"]) == 0
    told = capsys.readouterr().err
    assert told == f"{tmp_path} also has 2 files that this run did not write, such as 0002.png\n"
    assert (tmp_path / "0003.png").read_bytes() == b"earlier"
    assert main([*words, "--count=4"]) == 0
    assert capsys.readouterr().err == ""

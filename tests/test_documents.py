"""The README and the guides do what they show."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from apps.tiny_run import TINY_RUN
from onnx_files import OnnxWriter
from photos.making_certificates import write_certificate
from photos.making_videos import moved_astronaut, write_video
from twobirds.apps.cli import main

REPOSITORY = Path(__file__).parent.parent


OPTIONS: dict[str, list[str]] = json.loads((REPOSITORY / "tests/apps/options.json").read_text())


QUICKER = {
    "draw": ["--count=96", "--workers=1"],
    "pack": ["--workers=1"],
    "train": [word for word in TINY_RUN if not word.startswith("--size")],
    "evaluate": "--num-fakes=8 --max-faces=8 --faces-per-edit=2 --judge-images=16".split(),
}
"""Options in place of those of the documents that leave their commands seconds of work."""


SHOWN_ELSEWHERE = ("app", "reproduce")
"""Verbs that serve until they are stopped (tests/web) or take minutes (tests/reproduction)."""


def blocks(language: str, document: str = "README.md") -> list[str]:
    """A document's blocks of code in a language."""
    text = (REPOSITORY / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def all_commands(document: str) -> list[list[str]]:
    """Every command of a document."""
    return [words for block in blocks("sh", document) for words in commands(block)]


def commands(block: str) -> list[list[str]]:
    """The words behind `twobirds` of each line of a block, without its comment."""
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["twobirds"]]


def carry_out(words: list[str]) -> None:
    """Run a command of a document as it stands, only shorter."""
    verb = words[0]
    quicker = list(QUICKER.get(verb, []))
    if "--device" in OPTIONS[verb]:
        quicker.append("--device=cpu")
    replaced = {word.partition("=")[0] for word in quicker if word.startswith("--") and "=" in word}
    assert main([*without(words, replaced), *quicker]) == 0, words


def without(words: list[str], options: set[str]) -> list[str]:
    """The words of a command without some options, as `--name value` or `--name=value`."""
    left, kept = iter(words), []
    for word in left:
        name, equals, _ = word.partition("=")
        if name not in options:
            kept.append(word)
        elif not equals:
            next(left)
    return kept


def write_table(folder: Path, faces: Path) -> None:
    """A user's own faces: `my_faces.csv` with the images beside it."""
    rows = ["image,Kind,Old"]
    for number in range(24):
        shutil.copy(faces / "img_align_celeba" / f"{number:06d}.png", folder)
        rows.append(f"{number:06d}.png,{number % 2},{number % 3 // 2}")
    (folder / "my_faces.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what the documents' commands take."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    photo = Image.fromarray(astronaut())
    Path("photos").mkdir()
    for name in ("photo.jpg", "photos/photo.jpg"):
        photo.save(name)
    photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("other.jpg")
    mask = Image.new("1", photo.size)
    mask.paste(1, (200, 60, 250, 180))
    mask.save("mask.png")
    photo.crop((96, 0, 352, 256)).save("face.png")
    write_video(tmp_path / "clip.mp4", moved_astronaut(6, 320, 240), has_sound=True)
    write_certificate(tmp_path)
    writer = OnnxWriter()
    pooled = writer.node("AveragePool", "images", kernel_shape=[28, 28], strides=[28, 28])
    writer.save(tmp_path / "face_embedder.onnx", [writer.node("Flatten", pooled)])
    return tmp_path


def test_the_readme_does_what_it_shows(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = all_commands("README.md")
    assert {words[0] for words in shown} == set(OPTIONS)
    for words in shown:
        if words[0] not in SHOWN_ELSEWHERE:
            carry_out(words)
    made = "report.json report.html model/model.safetensors edited.jpg described.jpg blond.png"
    made += " grid.png"
    assert [name for name in made.split() if not (workplace / name).is_file()] == []

    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(block, names)
    for faces in (names["faces"], names["edited"]):
        assert isinstance(faces, torch.Tensor)
        assert (faces.shape, faces.dtype) == ((4, 3, 128, 128), torch.float32)
        assert faces.abs().max() <= 1

    own = workplace / "own"  # the guide's own data need pictures, here the drawn ones
    own.mkdir()
    write_table(own, workplace / "faces")
    os.chdir(own)  # the fixture restores the folder
    for words in commands(blocks("sh", "docs/guide/data.md")[0]):
        carry_out(words)
    assert json.loads(Path("run/config.json").read_text())["data"]["attributes"] == ["Kind", "Old"]
    assert "Traceback" not in capsys.readouterr().err


def test_the_guides_to_photos_and_generation_do_what_they_show(workplace: Path) -> None:
    pages = ("docs/guide/photos.md", "docs/guide/generate.md")
    for page in pages:
        for words in all_commands(page):
            carry_out(words)
    assert (workplace / "her.png").is_file()
    names: dict[str, Any] = {}
    for page in pages:
        for block in blocks("python", page):
            exec(block, names)
    assert len(names["limited"].reasons) == 4
    assert names["again"].shape == (4, 3, 128, 128)
    with Image.open("blond.jpg") as picture:
        assert b"Blond_Hair=1" in picture.info["xmp"]

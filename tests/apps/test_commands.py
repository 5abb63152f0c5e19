"""What commands on faces have in common, from words to files, on a small world of drawn faces."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from twobirds import FaceModel
from twobirds.apps import options
from twobirds.apps.cli import main
from twobirds.apps.progress import progress_bars
from twobirds.data.drawn import DRAWN_ATTRIBUTES


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_long_work_says_how_far_it_is_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr("twobirds.apps.progress.time.monotonic", lambda: clock[0])
    with progress_bars("faces") as show:
        for done, seconds in ((0, 0.0), (5, 29.0), (6, 31.0), (7, 40.0), (9, 62.0)):
            clock[0] = seconds
            show("training the judge", done, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "training the judge: 1,000 faces ...",
        "training the judge: 6 of 1,000 faces",
        "training the judge: 9 of 1,000 faces",
    ]


def test_recognize_prints_a_table(
    image: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", "--aligned", str(image), model, "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    values = [float(line.split("│")[2]) for line in lines if line.startswith("│")]
    assert len(values) == len(DRAWN_ATTRIBUTES)
    assert values == sorted(values, reverse=True)
    assert main(["recognize", "--aligned", str(image), model]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = [float(line.split("│")[2]) for line in lines if line.startswith("│")]
    assert main(["recognize", "--aligned", str(image), model, "--json"]) == 0
    probabilities = json.loads(capsys.readouterr().out)[0]["attributes"].values()
    assert 0 < len(shown) == sum(value > 0.5 for value in probabilities) < len(values)
    assert shown == values[: len(shown)]
    rest = len(values) - len(shown)
    assert lines[-1].strip() == f"{rest} more, of at most 0.5: --all shows them"


def test_recognize_prints_json(
    world: Path, image: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = image.with_name("000004.png")
    assert main(["recognize", "--aligned", str(image), str(other), model, "--json"]) == 0
    recognized = json.loads(capsys.readouterr().out)
    assert [entry["image"] for entry in recognized] == [str(image), str(other)]
    faces = FaceModel.load(world / "model")
    expected = faces.recognize(np.stack([pixels_of(image), pixels_of(other)]))
    values = torch.tensor([list(entry["attributes"].values()) for entry in recognized])
    torch.testing.assert_close(values, expected)
    assert list(recognized[0]["attributes"]) == faces.attributes


def test_reconstruct_and_edit_write_into_the_current_folder(
    image: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reconstruct", "--aligned", str(image), model]) == 0
    assert (
        main(["edit", "--aligned", str(image), model, "--set", "Bald=1", "Male=1", "--strength=2"])
        == 0
    )
    words = ["edit", "--aligned", str(image), model, "--set=Bald=1", "--set=Male=1"]
    assert main([*words, "--strength=0", "--out=same.png"]) == 0
    assert capsys.readouterr().out == "000003.reconstructed.png\n000003.edited.png\nsame.png\n"
    reconstructed, edited, same = map(
        pixels_of, map(Path, ("000003.reconstructed.png", "000003.edited.png", "same.png"))
    )
    assert reconstructed.shape == (32, 32, 3)
    assert (reconstructed == same).all()
    assert (reconstructed != edited).any()


def test_only_a_file_that_was_named_is_replaced(
    image: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    edit = ["edit", "--aligned", str(image), model, "--set", "Bald=1"]
    reconstruct = ["reconstruct", "--aligned", str(image), model]
    generate = ["generate", "--count=1", "--scale=1", model]
    for words, name in (
        (edit, "000003.edited.png"),
        ([*edit, "--out=folder"], "folder/000003.edited.png"),
        (reconstruct, "000003.reconstructed.png"),
        (generate, "generated.png"),
        ([*generate, "--separate=faces"], "faces/0000.png"),
    ):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("an earlier result")
        assert main(words) == 2
        told = capsys.readouterr().err
        option = "--separate" if name.startswith("faces") else "--out"
        assert told == (
            f"twobirds: error: {name} exists already: name another place with {option}, or replace "
            "it with --force\n"
        )
        assert path.read_text() == "an earlier result"
        assert main([*words, "--force"]) == 0
        assert pixels_of(path).shape[2] == 3
        capsys.readouterr()
    Path("named.png").write_text("an earlier result")
    for words in (edit, reconstruct, generate):
        assert main([*words, "--out=named.png"]) == 0
        assert pixels_of(Path("named.png")).shape[2] == 3


def test_many_images_go_into_a_folder(image: Path, model: str, tmp_path: Path) -> None:
    Image.open(image).resize((50, 40)).convert("L").save(tmp_path / "grey.jpg")
    words = [
        "edit",
        "--aligned",
        str(image),
        str(tmp_path / "grey.jpg"),
        "--set",
        "Smiling=0.5",
        model,
    ]
    assert main([*words, f"--out={tmp_path}/made/here"]) == 0
    names = sorted(p.name for p in (tmp_path / "made/here").iterdir())
    assert names == ["000003.edited.png", "grey.edited.png"]


@pytest.mark.parametrize("command", ["generate", "edit photo.png"])
def test_unknown_attributes_are_refused_before_the_model_is_loaded(
    command: str,
    world: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        pytest.fail("the model is loaded")

    monkeypatch.setattr(FaceModel, "load", fail)
    for option in ([], ["--model=drawn64"], [f"--model={world}/run"], [model]):
        assert main([*command.split(), *option, "--set", "Bold=1"]) == 2
        assert "no attribute 'Bold': did you mean Bald?" in capsys.readouterr().err


def test_a_photo_that_is_taken_for_an_aligned_face(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size, is_like_a_photo in (((640, 480), True), ((32, 48), True), ((128, 128), False)):
        Image.new("RGB", size, "grey").save(tmp_path / "photo.png")
        assert main(["recognize", "--aligned", f"{tmp_path}/photo.png", model]) == 0
        told = capsys.readouterr().err
        line = f"its {size[0]}x{size[1]} pixels are taken for one aligned face, cropped to the"
        assert (line in told) == is_like_a_photo


@pytest.mark.parametrize(
    ("shipped", "chosen"),
    [
        (["celeba128", "celeba64-paper", "drawn64"], "celeba128"),
        (["celeba64-paper", "drawn64"], "celeba64-paper"),
        (["a-new-one", "drawn64"], "drawn64"),
        (["a-new-one"], "a-new-one"),
    ],
)
def test_the_default_model(
    shipped: list[str], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.models.files.shipped_models", lambda: shipped)
    assert options.default_model() == chosen

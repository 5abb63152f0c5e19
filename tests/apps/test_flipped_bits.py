"""One flipped bit in a pack, model, checkpoint or ONNX file is found before the file is used."""

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from tiny_run import TINY_RUN

from twobirds.apps.cli import main
from twobirds.checkpoint import CHECKPOINT_FILE
from twobirds.models.files import shipped_models

PRETRAINED = Path(__file__).parents[2] / "src/twobirds/pretrained"


def flip_bit(path: Path, seed: int = 0) -> None:
    """Flip a bit of what a file holds: of a checkpoint, which is a zip, in its largest tensor."""
    content, rng = bytearray(path.read_bytes()), random.Random(f"{path.name} {seed}")
    start, end = 0, len(content)
    if path.name == CHECKPOINT_FILE:
        with zipfile.ZipFile(path) as archive:
            largest = archive.read(max(archive.infolist(), key=lambda part: part.file_size))
        start = content.find(largest)
        end = start + len(largest)
    place = rng.randrange(start, end)
    while path.suffix == ".json" and not chr(content[place]).isalnum():  # white space says nothing
        place = rng.randrange(start, end)
    content[place] ^= 1 << rng.randrange(7 if path.suffix == ".json" else 8)
    path.write_bytes(content)


@pytest.fixture(scope="module")
def made(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack, a run, a model and a model in ONNX files."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(world / "pack", folder / "pack")
    shutil.copytree(world / "run", folder / "run")
    assert main(["export", str(world / "run"), str(folder / "model")]) == 0
    assert main(["export", str(world / "run"), str(folder / "onnx"), "--onnx"]) == 0
    return folder


@pytest.mark.parametrize(
    "file",
    [
        *("pack/images.npy", "pack/attributes.npy", "pack/split.npy", "pack/identity.npy"),
        *("pack/pack.json", "run/checkpoint.pt", "model/model.safetensors", "model/config.json"),
        *("onnx/recognizer.onnx", "onnx/generator.onnx", "onnx/encoder.onnx", "onnx/editor.onnx"),
        *("onnx/attribute_bank.npy", "onnx/onnx.json"),
    ],
)
def test_check_names_the_file(
    file: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree((made / file).parent, folder)
    assert main(["check", str(folder)]) == 0
    path = folder / Path(file).name
    sound = path.read_bytes()
    for seed in range(4):
        flip_bit(path, seed)
        capsys.readouterr()
        assert main(["check", str(folder)]) == 2, seed
        error = capsys.readouterr().err
        assert str(path) in error
        assert error.count("\n") == 1
        path.write_bytes(sound)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("pack/attributes.npy", ["evaluate", "MADE/model", "--data=MADE/pack", "--out=OUT.json"]),
        ("pack/images.npy", ["export", "MADE/run", "OUT", "--tune-edits=MADE/pack"]),
        ("pack/identity.npy", ["train", "paper", "--data=MADE/pack", "--out=OUT", *TINY_RUN]),
        ("run/checkpoint.pt", ["export", "MADE/run", "OUT"]),
        ("run/checkpoint.pt", ["evaluate", "MADE/run", "--data=MADE/pack", "--out=OUT.json"]),
        ("model/model.safetensors", ["generate", "--model=MADE/model", "--out=OUT.png"]),
        ("model/config.json", ["export", "MADE/model", "OUT"]),
        ("onnx/generator.onnx", ["generate", "--model=MADE/onnx", "--out=OUT.png"]),
        ("onnx/attribute_bank.npy", ["generate", "--model=MADE/onnx", "--out=OUT.png"]),
    ],
)
def test_no_command_uses_it(
    file: str, command: list[str], made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    shutil.copytree(made, folder)
    flip_bit(folder / file)
    words = [w.replace("MADE", str(folder)).replace("OUT", f"{tmp_path}/out") for w in command]
    assert main(words) == 2
    assert f"twobirds: error: {folder / file}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (name, path.name)
        for name in shipped_models()
        for path in sorted((PRETRAINED / name).glob("*.safetensors"))
    ],
)
def test_shipped_weights_are_verified(
    name: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PRETRAINED / name, tmp_path / name)
    flip_bit(tmp_path / name / file)
    assert main(["check", str(tmp_path / name)]) == 2
    assert str(tmp_path / name / file) in capsys.readouterr().err

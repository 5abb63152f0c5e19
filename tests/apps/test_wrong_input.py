"""Whatever is wrong, the user gets one line, exit code 2, and no file."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_run import TINY_RUN

from twobirds.apps.cli import main

Fails = Callable[..., str]


@pytest.fixture
def fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fails:
    """Run a command that must fail; returns its message, and checks that nothing was written."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> str:
        before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        lines = [line for line in captured.err.splitlines() if not line.endswith(" ...")]
        assert len(lines) == 1, captured.err
        assert lines[0].startswith("twobirds: error: ")
        assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == before
        return lines[0].removeprefix("twobirds: error: ")

    return run


def test_wrong_attributes(fails: Fails, image: Path, model: str) -> None:
    edit = ["edit", "--aligned", image, model, "--set"]
    assert fails(*edit, "Eyeglases=1").endswith("'Eyeglases': did you mean Eyeglasses?")
    assert fails("generate", model, "--set", "male=1").endswith("did you mean Male?")
    assert fails(*edit, "Male=2") == "--set Male must be a number from 0 to 1, not '2'"
    assert fails(*edit, "Male=yes") == "--set Male must be a number from 0 to 1, not 'yes'"
    assert fails(*edit, "Male=nan") == "--set Male must be a number from 0 to 1, not 'nan'"
    assert fails(*edit, "Male=1", "Male=0") == "--set names Male twice"
    assert fails(*edit, "Male") == "--set takes NAME=VALUE, not 'Male'"
    assert fails("edit", "--aligned", image, model).startswith("nothing to change: ")
    assert fails(*edit, "Male=1", "--strength=-1").startswith("strength must lie in")
    assert fails("recognize", "--aligned", model).startswith("no image was named")


def test_wrong_images(fails: Fails, image: Path, model: str, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(image.read_bytes()[:300])
    (tmp_path / "folder.png").mkdir()
    edit = ("edit", "--aligned", model, "--set", "Male=1", "--")
    assert fails(*edit, "notes.png") == "notes.png: not a JPEG, PNG, WebP, BMP or HEIC image"
    assert fails(*edit, "empty.png") == "empty.png: empty file"
    assert fails(*edit, "cut.png").startswith("cut.png: cannot be decoded (")
    assert fails(*edit, "absent.png") == "absent.png: cannot be read: No such file or directory"
    unnamed = "folder.png is a folder: name another one for its results with --out"
    assert fails(*edit, "folder.png") == unnamed
    reconstruct = ("reconstruct", "--aligned", model, "--", "folder.png")
    assert fails(*reconstruct) == "folder.png: cannot be read: Is a directory"
    assert "Not a directory" in fails(*edit, image / "x.png")
    assert fails("recognize", "--aligned", image, "absent.png", model).startswith("absent.png: ")
    if os.getuid() != 0:  # root reads everything
        (tmp_path / "secret.png").write_bytes(image.read_bytes())
        (tmp_path / "secret.png").chmod(0)
        assert fails(*edit, "secret.png").endswith("Permission denied")


def test_inputs_are_never_overwritten(
    fails: Fails, image: Path, model: str, tmp_path: Path
) -> None:
    (tmp_path / "me.png").write_bytes(image.read_bytes())
    assert fails(
        "edit", "--aligned", "me.png", model, "--set", "Male=1", "--out=./me.png"
    ).startswith("me.png is an input")
    assert (tmp_path / "me.png").read_bytes() == image.read_bytes()


def test_places_that_cannot_be_written(
    fails: Fails, world: Path, image: Path, model: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    data = f"--data={world}/pack"
    assert "file" in fails("reconstruct", "--aligned", image, model, "--out=file/x.png")
    assert "file" in fails("generate", model, "--out=file/x.png")
    assert "file" in fails("generate", model, "--separate=file")
    assert "file" in fails("evaluate", world / "run", data, "--out=file/report.json")
    assert "file" in fails("train", "paper", data, "--out=file/run", *TINY_RUN)
    assert "file" in fails("export", world / "run", "file")
    assert "file" in fails("draw", "file", "--count=4")
    assert "file" in fails("pack", world / "faces", "file")
    assert "ends in .png" in fails("generate", model, "--out=grid.jpg")
    assert "ends in .png" in fails("reconstruct", "--aligned", image, model, "--out=face.xyz")
    assert "ends in .json" in fails("evaluate", world / "run", data, "--out=report.html")


def test_wrong_models(
    fails: Fails, image: Path, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.models.files.shipped_models", list)
    (tmp_path / "model.pt").write_bytes(b"\x80\x04not a checkpoint")
    (tmp_path / "empty").mkdir()
    recognize = ("recognize", "--aligned", image)
    assert fails(*recognize).startswith("this copy of twobirds came without models")
    assert fails(*recognize, "--model=nowhere").startswith("no model 'nowhere'")
    assert fails(*recognize, "--model=empty").startswith("no model 'empty'")
    assert "model.pt" in fails(*recognize, "--model=model.pt")
    assert fails("export", "nowhere", "out").startswith("no model 'nowhere'")


def test_wrong_data(fails: Fails, world: Path, tmp_path: Path) -> None:
    run = world / "run"
    assert "absent does not exist" in fails("evaluate", run, "--data=absent")
    assert "has no pack.json" in fails("evaluate", run, f"--data={world}/faces")
    assert fails("pack", "absent", "out") == "absent does not exist"
    assert "celeba-tight" in fails("pack", world / "faces", "out", "--landmarks", "celeb")
    assert "ten numbers" in fails("pack", world / "faces", "out", "--landmarks", "1", "2")
    assert "ten numbers" in fails("pack", world / "faces", "out", "--landmarks", *"abcdefghij")
    assert "--seed must lie" in fails("draw", "out", "--seed=-1")
    assert "--seed must lie" in fails("pack", world / "faces", "out", f"--seed={2**63}")
    assert "count must lie" in fails("draw", "out", "--count=0")
    assert "64 and 128, not 48" in fails("draw", "out", "--size=48")
    assert "max_faces must be at least 4" in fails(
        "evaluate", run, f"--data={world}/pack", "--max-faces=1"
    )


def test_wrong_training(fails: Fails, world: Path) -> None:
    start = ("train", "paper", f"--data={world}/pack")
    train = (*start, f"--out={world}/run", *TINY_RUN)
    assert fails(*train).endswith("already holds a run: add --resume to go on with it")
    assert "train.seed = 0, not 1" in fails(*train, "--resume", "--seed=1")
    new = (*start, "--out=new", *TINY_RUN)
    assert "did you mean train.flip?" in fails(*new, "--set", "train.flop=1")
    assert fails(*start, "--out=new", f"--images={10**400}").startswith(
        "images must be at most 1,000,000,000,000"
    )
    assert fails(*new, "--minutes=0") == "--minutes must be positive, not 0.0"
    assert fails(*new, "--minutes=nan") == "--minutes must be positive, not nan"
    assert "pack with --size 64" in fails(*start, "--out=new", "--size=64")
    assert "size must be 32, 64 or 128" in fails(*start, "--out=new", "--size=48")
    assert "needs --feature-network" in fails(*new, "--set=recipe.feature_source=network")
    assert fails("train", "papier", *start[2:], "--out=new").startswith(
        "no preset or config.json of a run is called 'papier': did you mean paper?"
    )
    assert "there are paper, tiny" in fails("train", "x", *start[2:], "--out=new")


def test_a_report_must_be_about_the_model(fails: Fails, world: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"model": {"weights_sha256": "0"}}))
    (tmp_path / "list.json").write_text("[]")
    export = ("export", world / "run", "out")
    assert fails(*export, "--report=other.json").startswith("other.json: was measured on other")
    assert fails(*export, "--report=list.json").startswith("list.json: is not a report")
    assert fails(*export, "--report=absent.json").startswith("absent.json: cannot be read")


def damage(content: bytes, seed: int) -> bytes:
    """Change, cut or insert some bytes at random."""
    random_bytes = random.Random(seed)
    data = bytearray(content)
    for _ in range(random_bytes.choice([1, 3, 30])):
        if not data:
            break
        place = random_bytes.randrange(len(data))
        match random_bytes.randrange(4):
            case 0:
                data[place] ^= 1 << random_bytes.randrange(8)
            case 1:
                del data[place : place + random_bytes.randrange(1, 200)]
            case 2:
                data[place:place] = random_bytes.randbytes(5)
            case 3:
                data = data[: max(1, place)]
    return bytes(data)


def assert_handled(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Either it still works, or one line says why not."""
    captured = capsys.readouterr()
    assert code in (0, 2, 4)
    if code == 2:
        assert captured.err.startswith("twobirds: error: ")
        assert captured.err.count("\n") == 1


def test_damaged_images_are_reported(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "face.png"
    for seed in range(25):
        path.write_bytes(damage(image.read_bytes(), seed))
        assert_handled(main(["recognize", "--aligned", str(path), model]), capsys)


@pytest.mark.parametrize("kind", ["run", "model"])
def test_damaged_models_are_reported(
    kind: str, world: Path, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(world / "run"), str(tmp_path / "model")]) == 0
    capsys.readouterr()
    names = ["checkpoint.pt"] if kind == "run" else ["model.safetensors", "config.json"]
    folder = tmp_path / "model" if kind == "model" else tmp_path / "run"
    folder.mkdir(exist_ok=True)
    for name in names:
        content = ((world / "run") if kind == "run" else folder).joinpath(name).read_bytes()
        for seed in range(12):
            (folder / name).write_bytes(damage(content, seed))
            assert_handled(
                main(["recognize", "--aligned", str(image), f"--model={folder}"]), capsys
            )
        (folder / name).write_bytes(content)


def test_a_damaged_pack_is_reported(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    contents = {path.name: path.read_bytes() for path in (world / "pack").iterdir()}
    for name, content in contents.items():
        for seed in range(4):
            for other, sound in contents.items():
                (pack / other).write_bytes(damage(content, seed) if other == name else sound)
            words = ["train", "paper", f"--data={pack}", f"--out={tmp_path}/run"]
            assert_handled(main([*words, "--minutes=1e-9", *TINY_RUN]), capsys)

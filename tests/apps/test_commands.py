"""Every command, from words to files, on a small world of drawn faces."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_run import TINY_RUN

from onnx_files import write_judge
from twobirds import FaceModel
from twobirds.apps import options
from twobirds.apps.cli import main
from twobirds.apps.progress import progress_bars
from twobirds.apps.train_command import UNFINISHED
from twobirds.checkpoint import load_run
from twobirds.config import to_dict
from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.pack import open_pack
from twobirds.models.resnet import AttributeResNet
from twobirds.recipes.paper.config import PaperConfig


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_draw_and_pack(world: Path) -> None:
    pack = open_pack(world / "pack", verify=True)
    assert (len(pack), pack.size, len(pack.attribute_names)) == (96, 32, len(DRAWN_ATTRIBUTES))
    drawn = json.loads((world / "faces/drawn.json").read_text())
    assert (drawn["count"], drawn["seed"], drawn["independent"]) == (96, 0, False)


def test_pack_takes_its_options(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = "0.1 0.2 0.9 0.2 0.5 0.5 0.2 0.8 0.8 0.8"
    words = f"--size=16 --split=random --seed=5 --landmarks {numbers} --workers=1".split()
    assert main(["pack", str(world / "faces"), str(tmp_path / "pack"), *words]) == 0
    pack = open_pack(tmp_path / "pack")
    assert pack.landmarks == ((0.1, 0.2), (0.9, 0.2), (0.5, 0.5), (0.2, 0.8), (0.8, 0.8))
    header = json.loads((tmp_path / "pack/pack.json").read_text())
    assert (header["split_rule"], header["split_seed"], pack.size) == ("random", 5, 16)
    captured = capsys.readouterr()
    assert captured.out.startswith("packed 96 faces of 16x16 pixels (")
    lines = captured.out.splitlines()
    at = lines.index("split: random (at random: about 80/10/10 % of the images)")
    assert lines[at + 1].startswith("  train: 76 images, ")
    assert re.fullmatch(r"  \d+ people are in more than one split", lines[at + 4])
    assert captured.err == "packing: 96 images ...\n"


def test_pack_skips_what_is_bad(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = tmp_path / "faces"
    shutil.copytree(world / "faces", faces)
    (faces / "img_align_celeba/000007.png").write_bytes(b"no image")
    words = ["pack", str(faces), str(tmp_path / "pack"), "--size=16", "--landmarks", "celeba-tight"]
    assert main(words) == 2
    assert main([*words, "--skip-bad"]) == 0
    assert len(open_pack(tmp_path / "pack")) == 95
    listed = tmp_path / "pack/skipped.txt"
    assert f"left out 1: {listed} says what and why\n" in capsys.readouterr().out
    assert re.fullmatch(r"undecodable image: .*000007\.png.*\n", listed.read_text())


def test_train_leaves_a_run(world: Path) -> None:
    config, state = load_run(world / "run/checkpoint.pt")
    assert (config.preset, config.train.images, config.train.batch_size) == ("paper", 48, 8)
    recipe = config.recipe
    assert isinstance(recipe, PaperConfig)
    assert (config.data.size, recipe.width, recipe.num_latents) == (32, 0.0625, 8)
    assert state["iteration"] == 6
    assert json.loads((world / "run/config.json").read_text())["train"]["batch_size"] == 8
    assert sorted(p.name for p in (world / "run/samples").iterdir()) == [
        "000000024.png",
        "000000048.png",
    ]


def test_a_run_starts_from_the_config_of_another(world: Path, tmp_path: Path) -> None:
    words = ["train", str(world / "run/config.json"), f"--data={world}/pack", f"--out={tmp_path}/r"]
    assert main([*words, "--device=cpu", "--resume"]) == 0
    again, first = (
        FaceModel.load(folder, device="cpu") for folder in (tmp_path / "r", world / "run")
    )
    assert again.weights_sha256 == first.weights_sha256


def test_a_stopped_run_says_so_and_goes_on(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, "--minutes=1e-9"]) == UNFINISHED == 4
    captured = capsys.readouterr()
    assert captured.err.endswith(
        "twobirds: saved and stopped before all 48 images were shown, with samples in "
        f"{tmp_path}/run/latest.png; to go on, give the same command with --resume\n"
    )
    assert captured.err.startswith("training: 48 images (preset paper: 9,250,000), ")
    assert (tmp_path / "run/latest.png").is_file()
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 1
    assert main([*words, "--resume"]) == 0
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 6
    assert capsys.readouterr().out == (
        f"trained {tmp_path}/run; next: twobirds evaluate {tmp_path}/run --data {world}/pack\n"
    )
    assert main([*words, "--resume"]) == 0  # nothing left to do


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_training_in_order(
    number: int, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twobirds.recipes.paper.objective import IterativeGAN

    update = IterativeGAN.update

    def interrupted(self: IterativeGAN, *arguments: object) -> dict[str, torch.Tensor]:
        os.kill(os.getpid(), number)
        return update(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(IterativeGAN, "update", interrupted)
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main(words) == UNFINISHED
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 1


def test_training_against_the_features_of_another_model(world: Path, tmp_path: Path) -> None:
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, f"--feature-network={world}/run"]) == 0
    assert (
        to_dict(load_run(tmp_path / "run/checkpoint.pt")[0])["recipe"]["feature_source"]
        == "network"
    )


def test_training_against_the_features_of_a_judge_in_an_onnx_file(
    world: Path, tmp_path: Path
) -> None:
    """A network that the paper's VGG-16 stands for; the run goes on with the same one only."""
    size = json.loads((world / "run/config.json").read_text())["data"]["size"]
    path, _ = write_judge(AttributeResNet(size, 7).eval(), tmp_path / "judge.onnx")
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    assert main([*words, f"--feature-network={path}"]) == 0
    config, state = load_run(tmp_path / "run/checkpoint.pt")
    assert to_dict(config)["recipe"]["feature_source"] == "network"
    assert state["feature_network_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    other, _ = write_judge(AttributeResNet(size, 5).eval(), tmp_path / "other.onnx")
    assert main([*words, "--resume", f"--feature-network={other}"]) == 2


@pytest.mark.slow
@pytest.mark.distributed
def test_training_under_torchrun(world: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = ["train", "paper", f"--data={world}/pack", f"--out={tmp_path}/run", *TINY_RUN]
    command = [*torchrun, "-m", "twobirds.apps.cli", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"trained {tmp_path}/run") == 1  # by one of the two
    assert load_run(tmp_path / "run/checkpoint.pt")[1]["iteration"] == 6


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


def test_generate_single_files(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "--count=3", model, "--separate=faces"]) == 0
    assert sorted(p.name for p in tmp_path.rglob("*.png")) == ["0000.png", "0001.png", "0002.png"]
    assert pixels_of(tmp_path / "faces/0001.png").shape == (32, 32, 3)
    assert main(["generate", model]) == 0
    assert (tmp_path / "generated.png").is_file()


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

"""`twobirds edit` until the recognizer agrees, and with refined codes."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from making_runs import modern_recipe, trained_run, write_pack
from onnx_files import OnnxWriter
from photos.making_photos import PlacedFaces, encoded, noise
from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.data.attributes import excluded_by


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


def test_the_layers_of_an_edit_are_written_where_there_are_any(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, layers = f"--out={tmp_path}/e.png", f"--layers={tmp_path}/layers"
    words = ["edit", "--aligned", str(image), "--set", "Bald=1", "Smiling=0", out, layers]
    assert main([*words, model]) == 2
    assert "has no layers to write; leave out --layers" in capsys.readouterr().err
    assert not (tmp_path / "layers").exists()
    run = trained_run(
        tmp_path / "run", write_pack(tmp_path / "pack"), modern_recipe(), max_seconds=0.0
    )
    assert main([*words, f"--model={run}", "--device=cpu"]) == 0
    found = {}
    for path in (tmp_path / "layers").iterdir():
        with Image.open(path) as picture:
            found[path.name] = picture.mode, picture.size
    stem = image.stem
    names = ("colour", "edited", "flow", "paint", "source")
    assert sorted(found) == [f"{stem}.1.{name}.png" for name in names]
    assert found[f"{stem}.1.paint.png"] == ("RGBA", (32, 32))
    assert found[f"{stem}.1.flow.png"] == found[f"{stem}.1.colour.png"] == ("RGB", (32, 32))
    flow = tmp_path / "layers" / f"{stem}.1.flow.png"
    assert b"compositeWithTrained" in flow.read_bytes()
    assert main([*words, f"--model={run}", "--device=cpu", "--no-metadata"]) == 2
    told = capsys.readouterr().err
    assert f"{stem}.1.source.png exists already: name another place with --layers, or" in told
    assert main([*words, f"--model={run}", "--device=cpu", "--no-metadata", "--force"]) == 0
    assert b"compositeWithTrained" not in flow.read_bytes()
    flow.unlink()
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no picture")
    several = [
        "edit",
        "--aligned",
        str(image),
        str(damaged),
        *words[3:5],
        f"--out={tmp_path}",
        layers,
    ]
    assert main([*several, f"--model={run}", "--device=cpu"]) == 2
    assert not flow.exists()  # the second photo failed
    several[3] = str(tmp_path / "other" / image.name)
    capsys.readouterr()
    assert main([*several, f"--model={run}", "--device=cpu"]) == 2
    assert f"{stem}.1.flow.png for several images" in capsys.readouterr().err


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


def test_what_is_there_already_is_named(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", "--aligned", str(image), model, "--json"]) == 0
    probabilities = json.loads(capsys.readouterr().out)[0]["attributes"]
    there = next(name for name, p in probabilities.items() if p > 0.5)
    absent = next(n for n, p in probabilities.items() if p < 0.5 and n not in excluded_by(there))
    words = ["edit", "--aligned", str(image), model, f"--out={tmp_path}/e.png", "--set"]
    assert main([*words, f"{there}=1", f"{absent}=1"]) == 0
    seen = f"predicted as {probabilities[there]:.2f}"
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{image}: {there}=1 is there already, {seen}; not edited"
    before = f"{probabilities[absent]:.2f}"
    change = (
        rf"{re.escape(str(image))}: recognized as {absent} {before} -> 0\.\d\d( \(not reached\))?"
    )
    assert re.fullmatch(change, told[1])
    assert len(told) == 2
    assert main([*words, f"{there}=0.5", f"{absent}=1"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "not edited" not in told[0]
    assert f"recognized as {there} {probabilities[there]:.2f} -> " in told[0]


def test_words_say_what_to_change(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", "--aligned", str(image), model, f"--out={tmp_path}/e.png", "--json"]
    assert main([*words, "--describe=make her bald, with no glasses and a nose ring"]) == 0
    captured = capsys.readouterr()
    (photo,) = json.loads(captured.out)
    assert photo["changes"] == {"Bald": 1, "Eyeglasses": 0}
    assert captured.err.startswith(
        "understood: bald: Bald 1; glasses: Eyeglasses 0\nnot understood: nose ring\n"
    )
    with Image.open(tmp_path / "e.png") as written:
        assert written.info["Description"].endswith(": Bald=1, Eyeglasses=0.")
    assert main([*words, "--describe=bald and smiling", "--set", "Bangs=1"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["changes"] == {"Smiling": 1, "Bangs": 1}
    assert "\noverruled by --set: Bald\n" in captured.err
    (tmp_path / "e.png").unlink()
    for more, complaint in (
        (["--describe=make it nicer"], "not understood: nicer"),
        (["--describe=her"], "nothing in it says what to change of a face; try words such as"),
        (["--describe=bald, with bangs"], "Bald=1 and Bangs=1 exclude each other"),
        ([], "nothing to change: name attributes, as in --set Eyeglasses=1, or say it in words"),
    ):
        assert main([*words, *more]) == 2
        assert complaint in capsys.readouterr().err
        assert not (tmp_path / "e.png").exists()


def test_less_never_adds_what_is_not_there(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", "--aligned", str(image), model, "--json"]) == 0
    has = json.loads(capsys.readouterr().out)[0]["attributes"]["Heavy_Makeup"] > 0.5
    said = {"more": "a bit more makeup", "less": "less makeup"}
    words = ["edit", "--aligned", str(image), model, f"--out={tmp_path}/e.png"]
    there, missing = (said["more"], said["less"]) if has else (said["less"], said["more"])
    assert main([*words, "--strength=0", "--describe=less makeup"]) == 0
    unchanged = (tmp_path / "e.png").read_bytes()
    assert main([*words, f"--describe={there}"]) == 0
    assert "is there already" in capsys.readouterr().err
    with Image.open(tmp_path / "e.png") as after, Image.open(io.BytesIO(unchanged)) as before:
        assert (np.asarray(before) == np.asarray(after)).all()
    assert main([*words, f"--describe={missing}"]) == 0
    assert "recognized as Heavy_Makeup" in capsys.readouterr().err
    with Image.open(tmp_path / "e.png") as after, Image.open(io.BytesIO(unchanged)) as before:
        assert (np.asarray(before) != np.asarray(after)).any()


def test_what_no_face_has_together_is_refused(
    image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", "--aligned", str(image), model, f"--out={tmp_path}/e.png", "--set"]
    assert main([*words, "Bangs=1", "Bald=0.75"]) == 2
    assert "Bald=0.75 and Bangs=1 exclude each other, so that no face" in capsys.readouterr().err
    assert not (tmp_path / "e.png").exists()
    assert main([*words, "Bald=1", "Bangs=0"]) == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["Bald=2"], "--set Bald must be a number from 0 to 1, not '2'"),
        (["Bald=-0.1"], "--set Bald must be a number from 0 to 1, not '-0.1'"),
        (["Bald=nan"], "--set Bald must be a number from 0 to 1, not 'nan'"),
        (["Bald=1", "Bangs=1"], "Bald=1 and Bangs=1 exclude each other"),
        (["Bald=1", "--until=2"], "--until must lie between 0 and 1, not 2"),
        (["Bald=1", "--refine=-1"], "--refine must not be negative, not -1"),
        (["Bald=1", "--face=0"], "--face counts from 1, not 0"),
        (["Bald=1", "--strength=11"], "strength must lie in [0, 10], not 11.0"),
    ],
)
def test_wrong_values_are_refused_before_a_model_is_loaded(
    wrong: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(FaceModel, "load", lambda *_, **__: pytest.fail("the model is loaded"))
    assert main(["edit", "photo.png", "--set", *wrong]) == 2
    assert told in capsys.readouterr().err


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


def test_a_mask_of_one_photo(
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda _: detector)
    pixels, protected = noise(110, 230), np.zeros((110, 230), bool)
    protected[30:60] = True
    photo, mask = tmp_path / "photo.jpg", tmp_path / "mask.png"
    photo.write_bytes(encoded(pixels, "JPEG"))
    mask.write_bytes(encoded(Image.fromarray(protected)))
    words = ["edit", str(photo), model, "--set", "Bald=1", f"--protect={mask}", "--face=all"]
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == "photo.edited.png\n"
    assert f"{photo}: 27.3% of the photo stays as it is, where {mask} is white" in captured.err
    assert "face 2: recognized as Bald " in captured.err
    with Image.open("photo.edited.png") as after, Image.open(photo) as before:
        unchanged = (np.asarray(before) == np.asarray(after)).all(axis=2)
    assert unchanged[protected].all()
    assert not unchanged.all()
    assert main([*words, "--until=1", "--out=until.png"]) == 0
    told = capsys.readouterr().err
    assert told.index("face 1: strength") < told.index("face 1: recognized as Bald ")
    for more, complaint in (
        (["--out=x.jpg"], "choose a name that ends in .png"),
        (["--aligned"], "--protect is for photos: leave out --aligned"),
        ([f"--protect={tmp_path}/none.png"], "none.png: cannot be read: No such file"),
        ([f"--protect={photo}"], f"--protect {photo}: the mask has colours"),
    ):  # fmt: skip
        assert main([*words, *more]) == 2
        assert complaint in (told := capsys.readouterr().err)
        assert told.splitlines()[-1].startswith("twobirds: error: ")
    assert main(["edit", str(mask), *words[1:]]) == 2
    assert "--protect is the mask of one photo, and 2 are given" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "mask.png", "photo.edited.png", "photo.jpg", "until.png",
    ]  # fmt: skip


def test_values_are_taken_from_another_photo(
    image: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    detector = PlacedFaces((10, 20, 60), (90, 15, 70))
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda _: detector)
    photo, other = tmp_path / "photo.png", tmp_path / "other.png"
    photo.write_bytes(encoded(noise(110, 230)))
    other.write_bytes(encoded(noise(110, 230, seed=1)))
    assert main(["recognize", str(other), model, "--json"]) == 0
    there = json.loads(capsys.readouterr().out)[1]["attributes"]
    words = ["edit", str(photo), model, f"--out={tmp_path}/e.png"]
    words += [f"--like={other}", "--like-face=2", "--take=Bald,Eyeglasses"]
    assert 0.25 < there["Bald"] < 0.75  # untrained, the recognizer is sure of nothing
    assert main(words) == 2
    told = capsys.readouterr().err
    assert f"--like {other}: the recognizer is not sure of Bald ({there['Bald']:.2f})" in told
    assert not (tmp_path / "e.png").exists()
    monkeypatch.setattr("twobirds.photos.reference.UNSURE", (0.5, 0.5))
    assert main([*words, "--set", "Male=1"]) == 0
    values = {name: float(there[name] > 0.5) for name in ("Bald", "Eyeglasses")}
    listed = ", ".join(
        f"{name}={value:g} (probability {there[name]:.2f})" for name, value in values.items()
    )
    assert f"{other}: taken: {listed}\n" in capsys.readouterr().err
    with Image.open(tmp_path / "e.png") as written:
        said = written.info["Description"]
    for name, value in {**values, "Male": 1}.items():
        assert f"{name}={value:g}" in said
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "photo.png").write_bytes(photo.read_bytes())
    words_of_folder = [*words[4:], "--set", "Male=1", f"--out={tmp_path}/results"]
    assert main(["edit", str(folder), model, *words_of_folder]) == 0
    with Image.open(tmp_path / "results/photo.png") as written:
        assert f"Bald={values['Bald']:g}" in written.info["Description"]
    aligned = ["edit", "--aligned", str(image), model, *words[3:4], f"--like={image}"]
    assert main([*aligned, "--take=Bald"]) == 0
    assert main([*aligned, "--take= Bald, Eyeglasses ,"]) == 0
    assert "Eyeglasses=" in capsys.readouterr().err
    for more, complaint in (
        (["--set", "Bald=1"], "Bald is set to 1 and to be taken from the reference"),
        (["--take=Bold"], "no attribute 'Bold': did you mean Bald"),
        (["--take=, "], "say what to take, as in --take Bangs,Smiling"),
        (["--like-face=3"], "has no face 3: 2 found"),
        ([f"--like={tmp_path}/none.png"], "none.png: cannot be read: No such file"),
    ):  # fmt: skip
        assert main([*words, *more]) == 2
        assert complaint in capsys.readouterr().err
    unchosen = [word for word in words if not word.startswith("--like-face")]
    for command, complaint in (
        (unchosen, "has 2 faces: say which one is meant, counted from the left (--like-face N)"),
        ([*words[:4], "--take=Bald"], "--take goes with --like PHOTO"),
        ([*words[:4], "--like-face=1"], "--like-face goes with --like PHOTO"),
        ([*aligned, "--take=Bald", "--like-face=1"], "--like-face is for photos"),
    ):
        assert main(command) == 2
        assert complaint in capsys.readouterr().err

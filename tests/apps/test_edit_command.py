"""`twobirds edit` of aligned faces: layers, words, and what is refused."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from making_runs import modern_recipe, trained_run, write_pack
from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.data.attributes import excluded_by


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

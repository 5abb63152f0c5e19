"""`twobirds edit` with a second picture: a reference to take values from, a mask of what stays."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.making_photos import encoded, noise
from twobirds.apps.cli import main


@pytest.mark.usefixtures("two_placed_faces")
def test_a_mask_of_one_photo(
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pixels, protected = noise(110, 230), np.zeros((110, 230), bool)
    protected[30:60] = True
    photo, mask = tmp_path / "photo.jpg", tmp_path / "mask.png"
    photo.write_bytes(encoded(pixels, "JPEG"))
    mask.write_bytes(encoded(Image.fromarray(protected)))
    plain = ["edit", str(photo), model, "--set", "Bald=1", "--face=all"]
    words = [*plain, f"--protect={mask}"]
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
    for wrong, complaint in (
        ([*words, "--out=x.jpg"], "choose a name that ends in .png"),
        ([*words, "--aligned"], "--protect is for photos: leave out --aligned"),
        ([*plain, f"--protect={tmp_path}/none.png"], "none.png: cannot be read: No such file"),
        ([*plain, f"--protect={photo}"], f"--protect {photo}: the mask has colours"),
    ):
        assert main(wrong) == 2
        assert complaint in (told := capsys.readouterr().err)
        assert told.splitlines()[-1].startswith("twobirds: error: ")
    assert main(["edit", str(mask), *words[1:]]) == 2
    assert "--protect is the mask of one photo, and 2 are given" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "mask.png", "photo.edited.png", "photo.jpg", "until.png",
    ]  # fmt: skip


@pytest.mark.usefixtures("two_placed_faces")
def test_values_are_taken_from_another_photo(
    image: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
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
    like, face, take = words[4:]
    for command, complaint in (
        ([*words, "--set", "Bald=1"], "Bald is set to 1 and to be taken from the reference"),
        ([*words[:4], like, face, "--take=Bold"], "no attribute 'Bold': did you mean Bald"),
        ([*words[:4], like, face, "--take=, "], "say what to take, as in --take Bangs,Smiling"),
        ([*words[:4], like, take, "--like-face=3"], "has no face 3: 2 found"),
        ([*words[:4], take, f"--like={tmp_path}/none.png"], "none.png: cannot be read: No such f"),
        (
            [*words[:4], like, take],
            "has 2 faces: say which one is meant, counted from the left (--",
        ),
        ([*words[:4], "--take=Bald"], "--take goes with --like PHOTO"),
        ([*words[:4], "--like-face=1"], "--like-face goes with --like PHOTO"),
        ([*aligned, "--take=Bald", "--like-face=1"], "--like-face is for photos"),
    ):
        assert main(command) == 2
        assert complaint in capsys.readouterr().err

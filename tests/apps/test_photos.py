"""The commands on photos: the astronaut of scikit-image, which is in the public domain."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.making_certificates import write_certificate
from twobirds.apps.cli import main
from twobirds.photos.credentials import has_credentials


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_edit_gives_the_photo_back(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", str(photo), model, "--set", "Bald=1", f"--out={tmp_path}/out"]
    assert main([*words, "--face=1"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/out/two.edited.png\n"
    assert "detector" not in captured.err
    edited, source = pixels_of(tmp_path / "out/two.edited.png"), pixels_of(photo)
    changed = (edited != source).any(axis=2)
    assert changed[:, :320].any()
    assert not changed[:, 320:].any()  # the other face
    assert not changed[280:].any()  # below the crop
    assert main([*words, "--strength=0"]) == 2  # the file has no name that --out gives
    assert "two.edited.png exists already" in capsys.readouterr().err
    assert main([*words, "--strength=0", "--force"]) == 0
    assert (pixels_of(tmp_path / "out/two.edited.png") == source).all()


def test_one_face_is_edited_and_all_are_named(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With and without a search for the strength it is the same face."""
    source = pixels_of(photo)
    words = ["edit", str(photo), model, "--set", "Bald=1", f"--out={tmp_path}/x.png"]
    sides = []
    for more in ([], ["--until=1"]):
        assert main([*words, *more]) == 0
        told = capsys.readouterr().err
        assert told.count("two.png: face ") == 2
        assert told.count("; left as it is: --face ") == 1
        changed = (pixels_of(tmp_path / "x.png") != source).any(axis=2)
        sides.append((bool(changed[:, :320].any()), bool(changed[:, 320:].any())))
    assert sides[0] == sides[1]
    assert sum(sides[0]) == 1
    assert main([*words, "--face=all"]) == 0
    assert "left as it is" not in capsys.readouterr().err
    changed = (pixels_of(tmp_path / "x.png") != source).any(axis=2)
    assert changed[:, :320].any()
    assert changed[:, 320:].any()


def test_edited_photos_are_marked(photo: Path, model: str, tmp_path: Path) -> None:
    words = ["edit", str(photo), model, "--set", "Bald=1", "--face=2"]
    assert main([*words, f"--out={tmp_path}/marked.png"]) == 0
    assert main([*words, f"--out={tmp_path}/plain.png", "--no-metadata"]) == 0
    assert main([*words, f"--out={tmp_path}/noted.png", "--visible-note"]) == 0
    with Image.open(tmp_path / "marked.png") as marked:
        assert "compositeWithTrainedAlgorithmicMedia" in marked.info["XML:com.adobe.xmp"]
        assert "edited by TwoBirds, model model (" in marked.info["Description"]
        assert "Bald=1" in marked.info["Description"]
    with Image.open(tmp_path / "plain.png") as plain:
        assert not {"Software", "Description", "XML:com.adobe.xmp"} & set(plain.info)
    noted = (pixels_of(tmp_path / "noted.png") != pixels_of(tmp_path / "marked.png")).any(axis=2)
    rows, columns = np.nonzero(noted)
    assert rows.min() > 270
    assert columns.max() < 120


def test_a_photo_that_no_edit_changes_is_not_called_synthetic(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", str(photo), model, "--set", "Bald=1", "--strength=0", "--visible-note"]
    assert main([*words, f"--out={tmp_path}/x.png"]) == 0
    assert f"{photo}: no pixel changes" in capsys.readouterr().err
    with Image.open(tmp_path / "x.png") as same:
        assert not {"Software", "Description", "XML:com.adobe.xmp"} & set(same.info)
    assert (pixels_of(tmp_path / "x.png") == pixels_of(photo)).all()


def test_out_may_choose_the_format(photo: Path, model: str, tmp_path: Path) -> None:
    words = ["edit", str(photo), model, "--set", "Bald=1"]
    assert main([*words, f"--out={tmp_path}/x.jpg"]) == 0
    with Image.open(tmp_path / "x.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (640, 300))
        assert b"compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]


def test_a_photo_is_what_its_content_says(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, file_format, suffix in (
        ("a.heic", "JPEG", ".jpg"),
        ("b.jpg", "WEBP", ".webp"),
        ("c", "PNG", ".png"),
        ("d.jpeg", "JPEG", ".jpeg"),
    ):
        Image.open(photo).save(tmp_path / name, format=file_format)
        words = ["edit", f"{tmp_path}/{name}", model, "--set=Bald=1", f"--out={tmp_path}/out"]
        assert main(words) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path.name == f"{Path(name).stem}.edited{suffix}"
        with Image.open(path) as image:
            assert image.format == file_format


def test_a_limit_of_the_encoder_is_told_and_nothing_is_written(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 80_000
    Image.open(photo).save(tmp_path / "long.png", exif=exif)
    words = ["edit", f"{tmp_path}/long.png", model, "--set=Bald=1", f"--out={tmp_path}/x.jpg"]
    assert main(words) == 2
    assert "long.png: its EXIF metadata have 80,0" in capsys.readouterr().err
    assert not (tmp_path / "x.jpg").exists()


def test_the_bits_that_an_edit_loses_are_said(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = np.asarray(Image.open(photo).convert("L")).astype(np.uint16) * 257
    deep = tmp_path / "deep.png"
    Image.fromarray(levels).save(deep)
    words = [str(deep), model]
    assert main(["edit", *words, "--set=Bald=1", f"--out={tmp_path}/x.png"]) == 0
    told = [
        f"{deep}: has 16 bits a channel: an edit keeps 8",
        f"{deep}: has no colours: those of an edit become grey",
    ]
    assert capsys.readouterr().err.splitlines()[:2] == told
    with Image.open(tmp_path / "x.png") as edited:
        assert edited.mode == "L"
    assert main(["recognize", *words]) == 0
    assert not set(told) & set(capsys.readouterr().err.splitlines())


def test_an_animation_is_said_to_become_a_still(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [Image.open(photo).convert("RGB").rotate(turn) for turn in (0, 1, 2)]
    animation = tmp_path / "animation.webp"
    frames[0].save(animation, save_all=True, append_images=frames[1:], lossless=True)
    words = ["edit", str(animation), model, "--set=Bald=1", f"--out={tmp_path}/x.webp"]
    assert main(words) == 0
    said = f"{animation}: is an animation of 3 frames: only the first is used\n"
    assert said in capsys.readouterr().err
    assert main([*words, "--strength=0"]) == 0  # a photo that stays as it is, is copied
    assert (tmp_path / "x.webp").read_bytes() == animation.read_bytes()
    assert main(["recognize", str(animation), model, "--json"]) == 0
    assert said in capsys.readouterr().err


def test_reconstruct_puts_reconstructed_faces_into_the_photo(
    photo: Path, model: str, tmp_path: Path
) -> None:
    words = ["reconstruct", str(photo), model, "--face=all", f"--out={tmp_path}/r.png"]
    assert main(words) == 0
    changed = (pixels_of(tmp_path / "r.png") != pixels_of(photo)).any(axis=2)
    assert changed[:, :320].any()
    assert changed[:, 320:].any()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--face=3"], "two.png: has no face 3: 2 found, counted from the left"),
        (["--face=two"], "error: --face: 'two' is neither a whole number nor all (see"),
        (["--detector=absent.onnx"], "the detector absent.onnx is not a file"),
        (["--aligned", "--face=1"], "--detector and --face are for photos: leave out --aligned"),
    ],
)
def test_wrong_options(
    photo: Path, model: str, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edit", str(photo), model, "--set", "Bald=1", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_photos_without_a_usable_face(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error_of(picture: np.ndarray) -> str:
        Image.fromarray(picture).save(tmp_path / "x.png")
        words = ["edit", f"{tmp_path}/x.png", model, "--set", "Bald=1", f"--out={tmp_path}/y.png"]
        assert main(words) == 2
        assert not (tmp_path / "y.png").exists()
        return capsys.readouterr().err.splitlines()[-1]

    nobody = error_of(np.full((200, 200, 3), 90, np.uint8))
    assert "x.png: no face is found by MTCNN" in nobody
    assert "--aligned" in nobody
    (tmp_path / "x.png").write_bytes(b"no picture")
    assert main(["recognize", f"{tmp_path}/x.png", model]) == 2
    assert "x.png: not a JPEG, PNG, WebP" in capsys.readouterr().err


def test_several_photos_are_written_together_or_not_at_all(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin, nobody = tmp_path / "twin.png", tmp_path / "nobody.png"
    twin.write_bytes(photo.read_bytes())
    Image.new("RGB", (200, 200), "grey").save(nobody)
    words = ["--set=Bald=1", model, f"--out={tmp_path}/out", "--", str(photo), str(twin)]
    assert main(["edit", *words, str(nobody)]) == 2
    assert f"{nobody}: no face is found" in (captured := capsys.readouterr()).err
    assert captured.out == ""
    assert not (tmp_path / "out").exists()
    assert main(["edit", *words]) == 0
    first, second = sorted((tmp_path / "out").iterdir())
    assert capsys.readouterr().out == f"{second}\n{first}\n"
    assert (pixels_of(first) == pixels_of(second)).all()
    assert (pixels_of(first) != pixels_of(photo)).any()


def test_content_credentials_from_the_command_line(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = write_certificate(tmp_path)
    words = ["edit", model, "--set", "Bald=1", "--face=1", "--device=cpu"]
    keys = [f"--c2pa-cert={certificate}", f"--c2pa-key={key}"]
    signed, again = tmp_path / "signed.png", tmp_path / "again.png"
    assert main([*words[:1], str(photo), *words[1:], *keys, f"--out={signed}"]) == 0
    assert has_credentials(signed.read_bytes())
    capsys.readouterr()
    assert main([*words[:1], str(signed), *words[1:], *keys, f"--out={again}"]) == 0
    assert "(C2PA) are kept, as those of an ingredient" in capsys.readouterr().err
    assert main([*words[:1], str(signed), *words[1:], f"--out={again}"]) == 0
    assert "(C2PA) are not kept: --c2pa-cert and --c2pa-key would" in capsys.readouterr().err
    for more, message in (
        (keys[:1], "--c2pa-cert and --c2pa-key go together"),
        ([*keys, "--no-metadata"], "--no-metadata leaves out what --c2pa-cert would sign"),
    ):
        assert main([*words[:1], str(photo), *words[1:], *more]) == 2
        assert message in capsys.readouterr().err


def test_faces_are_found_without_a_home(photo: Path, tmp_path: Path) -> None:
    """Neither the detector nor the model is looked for in a user's folder, or downloaded."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")
    }
    environment |= {"HF_HUB_OFFLINE": "1", "https_proxy": "http://127.0.0.1:9"}
    words = ["recognize", str(photo), "--model=drawn64", "--device=cpu", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "twobirds", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 2
    assert "download" not in done.stderr

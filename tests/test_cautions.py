"""What a model warns of, and how its faces get into files."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from twobirds import FaceModel
from twobirds.api import save_images, to_pil_images
from twobirds.api.cautions import warn_of_photos, warn_of_stage1
from twobirds.apps.cli import main
from twobirds.data.faces import Faces, to_pixels
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError, InputWarning


def image(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height))


@pytest.mark.parametrize(
    ("faces", "said"),
    [
        (image(64, 48), "64x48"),
        ([image(32, 32), image(200, 200)], "200x200"),
        (np.zeros((1, 30, 80, 3), np.uint8), "80x30"),
        (torch.zeros(2, 3, 129, 129), "129x129"),
    ],
)
def test_what_looks_like_a_photo_is_pointed_out(faces: Faces, said: str) -> None:
    with pytest.warns(InputWarning, match=rf"{said} pixels is taken for one aligned face.*edit_ph"):
        warn_of_photos(faces, 32)


@pytest.mark.parametrize(
    "faces",
    [
        image(32, 32),
        image(89, 109),
        torch.zeros(1, 3, 128, 128),
        np.zeros((0, 32, 32, 3), np.uint8),
    ],
)
def test_aligned_faces_pass(faces: Faces) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_photos(faces, 32)


@pytest.mark.parametrize(
    "use",
    [
        lambda model, photo: model.recognize(photo),
        lambda model, photo: model.edit(photo, {"Bald": 1}),
        lambda model, photo: model.edit_until(photo, {"Bald": 1}),
    ],
)
def test_every_task_warns(
    tiny_model: FaceModel, use: Callable[[FaceModel, Image.Image], object]
) -> None:
    with pytest.warns(InputWarning, match="400x300 pixels"):
        use(tiny_model, image(400, 300))


def test_a_model_of_stage_1_warns_of_its_edits(tiny_model: FaceModel) -> None:
    config = tiny_model.config
    half = config.train.images // 2
    early = dataclasses.replace(tiny_model.trained, config=config.with_images(half))
    model, face = FaceModel(early), image(32, 32)
    with pytest.warns(InputWarning, match=f"has seen {half} images of stage 1 only"):
        model.edit(face, {"Bald": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.recognize(face)
        warn_of_stage1(config)
        warn_of_stage1(config.with_images(half + 1))


def test_the_command_line_warns_in_one_line(
    tiny_model: FaceModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tiny_model.config.with_images(tiny_model.config.train.images // 2)
    FaceModel(dataclasses.replace(tiny_model.trained, config=config)).save(tmp_path / "model")
    image(32, 32).save(tmp_path / "face.png")
    words = ["edit", "--aligned", f"{tmp_path}/face.png", f"--model={tmp_path}/model"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main([*words, "--set=Bald=1", f"--out={tmp_path}/out.png"]) == 0
    lines = capsys.readouterr().err.splitlines()
    [line] = [line for line in lines if "stage 1 only" in line]
    assert line.startswith("twobirds: warning: the model has seen ")


def test_faces_are_saved_in_one_call(tmp_path: Path) -> None:
    faces = torch.rand(3, 3, 8, 8) * 2 - 1
    marks = Provenance("generated", "test")
    save_images(faces, tmp_path / "grid.png", provenance=marks)
    with Image.open(tmp_path / "grid.png") as file:
        assert file.info["Description"] == marks.sentence
        grid = np.asarray(file)
    assert grid.shape == (16, 16, 3)
    expected = to_pixels(faces)
    assert (grid[:8, :8] == expected[0]).all()
    assert (grid[:8, 8:] == expected[1]).all()
    assert (grid[8:, :8] == expected[2]).all()
    assert (grid[8:, 8:] == 255).all()
    save_images(faces[:1], str(tmp_path / "one.bmp"))
    assert (np.asarray(Image.open(tmp_path / "one.bmp")) == expected[0]).all()
    images = to_pil_images(faces)
    assert [one.size for one in images] == [(8, 8)] * 3
    assert (np.asarray(images[2]) == expected[2]).all()


@pytest.mark.parametrize(
    ("images", "name", "complaint"),
    [
        (torch.zeros(1, 3, 8, 8), "x.gif", r"x\.gif: choose a name that ends in one of \.jpg"),
        (torch.zeros(1, 3, 8, 8), "x", "choose a name"),
        (torch.zeros(3, 8, 8), "x.png", r"shape \[B, 3, H, W\], not \[3, 8, 8\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "x.png", "must be a float tensor"),
        (torch.zeros(0, 3, 8, 8), "x.png", "there is no image to write"),
    ],
)
def test_what_cannot_be_saved(
    images: torch.Tensor, name: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=complaint):
        save_images(images, tmp_path / name)
    assert list(tmp_path.iterdir()) == []

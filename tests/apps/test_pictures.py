from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twobirds.apps.pictures import (
    name_outputs,
    near_square_grid,
    read_faces,
    require_png,
    write_picture,
)
from twobirds.errors import InputError


def test_faces_are_cropped_and_resized_like_the_packers(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 5:25] = (255, 0, 0)  # the middle square is red
    Image.fromarray(pixels).save(tmp_path / "wide.bmp")
    Image.new("L", (8, 8), 7).save(tmp_path / "grey.png")
    faces = read_faces([tmp_path / "wide.bmp", tmp_path / "grey.png"], 8)
    assert (faces.shape, faces.dtype) == ((2, 8, 8, 3), np.uint8)
    assert (faces[0] == (255, 0, 0)).all()
    assert (faces[1] == 7).all()


@pytest.mark.parametrize(
    ("inputs", "out", "outputs"),
    [
        (["a/x.jpg", "b/y.png"], None, ["x.edited.png", "y.edited.png"]),
        (["x.jpg"], "y.PNG", ["y.PNG"]),
        (["a.b.jpg"], "folder", ["folder/a.b.edited.png"]),
        (["x", "y.edited.png"], "d", ["d/x.edited.png", "d/y.edited.edited.png"]),
    ],
)
def test_results_are_named_after_inputs(
    inputs: list[str], out: str | None, outputs: list[str]
) -> None:
    named = name_outputs([Path(p) for p in inputs], out and Path(out), "edited")
    assert named == [Path(p) for p in outputs]


def test_a_folder_may_end_in_png(tmp_path: Path) -> None:
    (tmp_path / "d.png").mkdir()
    [output] = name_outputs([Path("x.jpg")], tmp_path / "d.png", "edited")
    assert output == tmp_path / "d.png" / "x.edited.png"


@pytest.mark.parametrize(
    ("inputs", "out", "complaint"),
    [
        (["x.jpg", "y.jpg"], "z.png", "--out z.png is one file, for 2 images"),
        (["a/x.jpg", "b/x.png"], None, "several images would become x.edited.png"),
        (["a/../x.png"], "x.png", "x.png is an input: choose another --out"),
        (["x.edited.png", "x.jpg"], None, "x.edited.png is an input"),
    ],
)
def test_results_that_would_destroy_something_are_refused(
    inputs: list[str], out: str | None, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        name_outputs([Path(p) for p in inputs], out and Path(out), "edited")


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (3, 2, 2), (16, 4, 4), (17, 5, 4)]
)
def test_grids_are_as_square_as_can_be(count: int, columns: int, rows: int) -> None:
    faces = np.zeros((count, 8, 8, 3), np.uint8)
    grid = near_square_grid(faces)
    gaps = grid[grid.shape[0] // rows // 2, :, 0] == 255
    assert np.count_nonzero(np.diff(gaps.astype(int)) == -1) == columns
    assert (grid == 0).all(2).sum() == count * 64
    assert np.count_nonzero(np.diff((grid[:, 8, 0] == 255).astype(int)) == -1) == rows


def test_pictures_are_lossless_and_make_their_folder(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    write_picture(tmp_path / "new" / "x.png", pixels)
    assert (np.asarray(Image.open(tmp_path / "new" / "x.png")) == pixels).all()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x.png"]


@pytest.mark.parametrize("name", ["grid.jpg", "grid", ".png"])
def test_only_png_is_written(name: str) -> None:
    with pytest.raises(InputError, match=r"choose a name that ends in \.png"):
        require_png(Path(name))

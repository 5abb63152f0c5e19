"""Make the pictures of the README from any model: an edited photo, and generated faces.

Usage: `python tools/readme_pictures.py MODEL [OPTION ...]`, or `make pictures MODEL=MODEL`; options
such as `--strength 0.8` go to `twobirds edit`. The pictures go to docs/images.

The photo is scikit-image's astronaut, Eileen Collins, by NASA and in the public domain. The
generated faces are the first ones of a seed: none is chosen.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

from twobirds import FaceModel
from twobirds.apps.cli import main as twobirds
from twobirds.data.faces import to_pixels
from twobirds.evaluation.figures import grid

IMAGES = Path(__file__).parent.parent / "docs" / "images"
EDITS = {
    "Fuller brows": "Bushy_Eyebrows=1",
    "Blond hair": "Blond_Hair=1",
    "Glasses": "Eyeglasses=1",
    "Lipstick": "Wearing_Lipstick=1",
    "Older": "Young=0",
    "Makeup": "Heavy_Makeup=1",
}
"""Title of each edited photo, and the change."""
HEAD = (120, 0, 350, 230)  # left, top, right, bottom of the photo's part that is shown
PHOTO_CELL, FACE_CELL = 132, 104
COUNT, COLUMNS, SEED, TRUNCATION = 16, 8, 0, 0.7


def edited_photos(model: str, options: list[str]) -> Image.Image:
    """The photo and its edits in a row, by way of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        photo, edited = Path(folder) / "photo.png", Path(folder) / "edited.png"
        Image.fromarray(astronaut()).save(photo)
        heads = [head_of(photo)]
        for change in EDITS.values():
            words = ["edit", str(photo), "--model", model, "--out", str(edited), "--set", change]
            if code := twobirds([*words, "--face", "1", *options]):
                raise SystemExit(code)
            heads.append(head_of(edited))
    titles = ("Photo", *EDITS)
    return grid(np.stack(heads), len(heads), column_titles=titles, cell_pixels=PHOTO_CELL)


def head_of(file: Path) -> np.ndarray:
    """The part of the photo that is shown, `[H, W, 3]` uint8."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").crop(HEAD))


def generated_faces(model: str) -> Image.Image:
    """The first faces of the seed, as a grid."""
    faces = to_pixels(
        FaceModel.load(model, device="cpu").generate(COUNT, seed=SEED, truncation=TRUNCATION)
    )
    return grid(faces, COLUMNS, cell_pixels=FACE_CELL)


def main(model: str, options: list[str]) -> None:
    """Write both pictures."""
    edited_photos(model, options).save(IMAGES / "edited-photo.png", optimize=True)
    generated_faces(model).save(IMAGES / "generated-faces.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

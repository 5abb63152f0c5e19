"""Packs of drawn faces, and the landmarks of all."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making_sources import (
    celeba_files,
    names,
    write_folder,
)

from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.drawn import LANDMARKS as DRAWN_LANDMARKS
from twobirds.data.drawn import render_folder
from twobirds.data.packing import pack_source
from twobirds.data.templates import LANDMARKS
from twobirds.errors import InputError


def header_of(pack: Path) -> dict[str, Any]:
    header = json.loads((pack / "pack.json").read_text())
    assert isinstance(header, dict)
    return header


def test_landmark_templates() -> None:
    # The nose tip (88, 135.2) under the crop of 178 from row 20, and under that of 152 from
    # (12.7, 35); in 128 pixels the latter is where the tight set has it.
    np.testing.assert_allclose(LANDMARKS["celeba"][2], (88 / 178, 115.2 / 178))
    tight = np.array(LANDMARKS["celeba-tight"]) * 128
    expected = [(47.7, 64.2), (79.9, 64.2), (63.4, 84.4), (49.3, 98.4), (77.9, 98.4)]
    np.testing.assert_allclose(tight, expected, atol=0.06)


def test_landmarks_are_known_where_the_source_implies_them(tmp_path: Path) -> None:
    five = tuple((0.1 * i, 0.5) for i in range(5))
    square = write_folder(tmp_path / "square", celeba_files())
    assert pack_source(square, tmp_path / "a", size=16).landmarks is None
    assert pack_source(square, tmp_path / "b", size=16, landmarks=five).landmarks == five
    tight = pack_source(square, tmp_path / "c", size=16, landmarks="celeba-tight")
    assert tight.landmarks == LANDMARKS["celeba-tight"]
    original = celeba_files(size=(178, 218))
    rows = "".join(f"{name} {'1 ' * 20}{'-1 ' * 20}\n" for name in names())
    header = f"12\n{' '.join(CELEBA_ATTRIBUTES)}\n"
    original["list_attr_celeba.txt"] = (header + rows).encode()
    pack = pack_source(write_folder(tmp_path / "original", original), tmp_path / "d", size=16)
    assert pack.landmarks == LANDMARKS["celeba"]


def test_drawn_faces_keep_how_they_were_rendered(tmp_path: Path) -> None:
    five = [[0.1 * i, 0.5] for i in range(5)]
    drawn = {"format": 1, "seed": 4, "count": 12, "size": 32, "independent": True}
    files = celeba_files() | {"drawn.json": json.dumps(drawn).encode()}
    pack = pack_source(write_folder(tmp_path / "one", files), tmp_path / "a", size=16)
    assert (pack.drawn, pack.landmarks) == (drawn, None)
    files["drawn.json"] = json.dumps(drawn | {"landmarks": five}).encode()
    pack = pack_source(write_folder(tmp_path / "two", files), tmp_path / "b", size=16)
    assert pack.landmarks == tuple((x, y) for x, y in five)
    for text in (b"{", b"[]", b'{"landmarks": 7}'):
        files["drawn.json"] = text
        with pytest.raises(InputError, match=r"drawn\.json is damaged"):
            pack_source(write_folder(tmp_path / "two", files), tmp_path / "c", size=16)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("format", [2, None]),
        ("seed", [-1, 2**63, "4", 4.0, True, None]),
        ("count", [0, 1_000_001, True, None]),
        ("size", [16, "32", [], None]),
        ("independent", [1, "no", None]),
        ("landmarks", [7, [[0.5, 0.5]], [["0", "0"]] * 5]),
    ],
)
def test_a_wrong_description_of_drawn_faces_is_named(
    tmp_path: Path, field: str, values: list[Any]
) -> None:
    drawn = {"format": 1, "seed": 4, "count": 12, "size": 32, "independent": True}
    files = celeba_files()
    for value in values:
        files["drawn.json"] = json.dumps(drawn | {field: value}).encode()
        source = write_folder(tmp_path / "faces", files)
        with pytest.raises(InputError, match=rf"faces/drawn\.json is damaged: {field} must be"):
            pack_source(source, tmp_path / "pack", size=16)


def test_drawn_faces_know_where_their_landmarks_are(tmp_path: Path) -> None:
    folder = render_folder(tmp_path / "faces", count=16, size=32, workers=1)
    pack = pack_source(folder, tmp_path / "pack", size=32)
    assert pack.landmarks == DRAWN_LANDMARKS
    assert pack.drawn == json.loads((folder / "drawn.json").read_text())
    five = tuple((0.1 * i, 0.5) for i in range(5))
    assert pack_source(folder, tmp_path / "other", size=32, landmarks=five).landmarks == five

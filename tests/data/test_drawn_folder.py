import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twobirds.data.drawn import (
    DRAWN_ATTRIBUTES,
    LANDMARKS,
    face_index,
    face_name,
    folder,
    render,
    render_folder,
    sample_faces,
)
from twobirds.errors import InputError


def _rows(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()]


def test_the_folder_has_celebas_layout(tmp_path: Path) -> None:
    out = render_folder(tmp_path / "a" / "drawn", count=40, size=32, seed=5, workers=1)
    faces = sample_faces(5, range(40))
    names = [face_name(index) for index in range(40)]

    header, columns, *rows = _rows(out / "list_attr_celeba.txt")
    assert header == ["40"]
    assert columns == list(DRAWN_ATTRIBUTES)
    assert [row[0] for row in rows] == names
    signs = np.array([row[1:] for row in rows], dtype=int)
    assert np.array_equal(signs, 2 * faces.attributes.astype(int) - 1)

    identities = [[name, str(k // 8)] for k, name in enumerate(names)]
    assert _rows(out / "identity_CelebA.txt") == identities
    parts = dict(_rows(out / "list_eval_partition.txt"))
    assert [parts[name] for name in names[::8]] == ["0", "1", "0", "2", "0"]

    images = [np.asarray(Image.open(out / "img_align_celeba" / name)) for name in names]
    assert np.array_equal(np.stack(images), render(faces, 32))
    about = {"format": 1, "seed": 5, "count": 40, "size": 32, "independent": False}
    about["landmarks"] = [list(point) for point in LANDMARKS]
    assert json.loads((out / "drawn.json").read_text()) == about
    assert [path.name for path in out.parent.iterdir()] == ["drawn"]  # nothing left beside it


def test_partition_is_by_identity_in_parts_of_80_10_10(tmp_path: Path) -> None:
    folder._write_lists(tmp_path, sample_faces(0, range(800)))
    parts = [int(row[1]) for row in _rows(tmp_path / "list_eval_partition.txt")]
    people = [row[1] for row in _rows(tmp_path / "identity_CelebA.txt")]
    assert np.bincount(parts).tolist() == [640, 80, 80]
    assert len(set(zip(people, parts, strict=True))) == 100


def test_several_processes_write_the_same_bytes(tmp_path: Path) -> None:
    seen: list[int] = []
    alone = render_folder(tmp_path / "one", count=300, size=32, workers=1)
    several = render_folder(tmp_path / "two", count=300, size=32, workers=2, progress=seen.append)
    assert seen == [256, 300]
    for path in sorted(alone.rglob("*.*")):
        assert path.read_bytes() == (several / path.relative_to(alone)).read_bytes()


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(folder, "_write_lists", fail)
    with pytest.raises(InputError, match="disk full"):
        render_folder(tmp_path / "out", count=2, size=32)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    render_folder(out, count=1, size=32)
    before = sorted(path.name for path in out.iterdir())
    with pytest.raises(InputError, match="exists already: choose another name"):
        render_folder(out, count=1, size=32)
    assert sorted(path.name for path in out.iterdir()) == before
    with pytest.raises(InputError, match="exists already: choose another name"):
        render_folder(out / "drawn.json", count=1, size=32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count must lie between 1 and"),
        ({"count": 1, "size": 48}, "sizes 32, 64 and 128, not 48"),
        ({"count": 1, "seed": -1}, "seed must lie in"),
        ({"count": 1, "workers": 0}, "workers must be at least 1"),
    ],
)
def test_wrong_arguments_leave_nothing(
    tmp_path: Path, arguments: dict[str, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        render_folder(tmp_path / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_names_and_numbers() -> None:
    assert face_name(42) == "000042.png"
    assert face_index(face_name(1_234_567)) == 1_234_567
    for name in ("42.png", "000042.jpg", "nobody.png", "٠٠٠٠٤٢.png"):
        with pytest.raises(InputError, match="not the name of a drawn face"):
            face_index(name)

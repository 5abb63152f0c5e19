"""Recognizing the photos of a folder into a table, with and without Ray."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.apps.photo_files import SOME_REFUSED
from twobirds.data.engine import Engine, map_on_ray
from twobirds.photos import labels
from twobirds.photos.folder import list_photos
from twobirds.photos.labels import Label, LabelPlan, label_photos

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five aligned faces of noise, one of them in a subfolder; a damaged file and a text."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("a.png", "b.jpg", "d.png", "e.webp", "more/f.png"):
        pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "c.png").write_bytes(b"damaged")
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_a_table_has_a_row_for_each_face(
    tmp_path: Path, folder: Path, tiny_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out/faces.parquet"
    words = ["recognize", folder, "--aligned", "--model", tiny_run, "--out", out]
    assert main([str(word) for word in words]) == SOME_REFUSED
    model = FaceModel.load(tiny_run, device="cpu")
    rows = parquet.read_table(out).to_pylist()
    assert [row["image"] for row in rows] == [
        "a.png", "b.jpg", "c.png", "d.png", "e.webp", "more/f.png",
    ]  # fmt: skip
    expected = model.recognize(Image.open(folder / "d.png"))[0]
    assert [rows[3][name] for name in model.attributes] == pytest.approx(expected.tolist())
    assert rows[3]["face"] == 1
    assert rows[3]["problem"] is rows[3]["left"] is None
    assert "JPEG" in rows[2]["problem"]
    assert all(rows[2][name] is None for name in (*model.attributes, "face"))
    captured = capsys.readouterr()
    assert captured.out == f"recognized 5 faces of 6 photos: {out}\n"
    assert "c.png: " in captured.err
    assert "1 photos could not be used" in captured.err
    assert f"{folder}: files that are no photos are left alone: 1 .txt\n" in captured.err


def test_photos_are_found_and_placed(shared: Path, tmp_path: Path, tiny_run: Path) -> None:
    face = Image.open(next((shared / "data/celeba128").rglob("*.webp")))
    photos = tmp_path / "photos"
    photos.mkdir()
    whole = Image.new("RGB", (400, 300), "white")
    whole.paste(face.resize((200, 200)), (150, 40))
    whole.save(photos / "one.png")
    Image.new("RGB", (200, 200)).save(photos / "none.png")
    plan = LabelPlan(photos, str(tiny_run))
    [found, nothing] = sorted(
        (
            label
            for part in label_photos(plan, list_photos(photos).names, Engine())
            for label in part
        ),
        key=lambda label: label.problem is not None,
    )
    assert nothing == Label("none.png", problem="no face is found")
    assert (found.image, found.face) == ("one.png", 1)
    left, top, width, height = found.box or (0, 0, 0, 0)
    assert left > 150
    assert left + width < 350
    assert 40 < top < top + height < 240


@pytest.mark.usefixtures("ray_cluster")
def test_a_cluster_writes_the_same_table_though_a_worker_is_killed(
    tmp_path: Path, folder: Path, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "_PART", 2)
    victim = tmp_path / "victim"

    def map_deadly(work: object, plan: LabelPlan, parts: Sequence[Sequence[str]]) -> object:
        """Have the first worker that meets the photo d.png killed."""

        def label_part(plan: LabelPlan, names: Sequence[str]) -> list[Label]:
            from twobirds.photos.labels import _label_part

            if "d.png" in names and not victim.exists():
                victim.write_text("here")
                os.kill(os.getpid(), signal.SIGKILL)
            return _label_part(plan, names)

        return map_on_ray(label_part, plan, parts)

    words = ["recognize", folder, "--aligned", "--device", "cpu", "--model", tiny_run, "--out"]
    monkeypatch.setattr(labels, "map_on_ray", map_deadly)
    for engine in ("local", "ray"):
        out = tmp_path / f"{engine}.parquet"
        assert main([str(word) for word in (*words, out, "--engine", engine)]) == SOME_REFUSED
    assert victim.exists()
    tables = [parquet.read_table(tmp_path / f"{engine}.parquet") for engine in ("local", "ray")]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photos"], "is a folder: name a table for its faces with --out FILE.parquet"),
        (["photos/a.png", "--out", "f.parquet"], "name one folder and nothing else"),
        (["photos/a.png", "--engine", "ray"], "name one folder and nothing else"),
        (["photos", "--out", "f.csv"], "choose a name that ends in .parquet"),
        (["photos", "--out", "f.parquet", "--json"], "leave one of them out"),
        (["photos", "--out", "f.parquet", "--aligned", "--face", "1"], "leave out --aligned"),
        (["empty", "--out", "f.parquet"], "empty: no photo is in it: none of .jpg"),
    ],
)
def test_what_does_not_go_together_is_refused(
    folder: Path,
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder.parent / "empty").mkdir()
    assert main(["recognize", *words]) == 2
    assert message in capsys.readouterr().err
    assert not Path("f.parquet").exists()

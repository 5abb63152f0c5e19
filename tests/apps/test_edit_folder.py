"""`twobirds edit FOLDER`."""

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, coffee

from twobirds.apps import edit_folder
from twobirds.apps.cli import main
from twobirds.photos import folder_edit
from twobirds.photos.folder import LOG_FILE

FACE = Image.fromarray(astronaut()[:300, 80:400])
NAMES = ("a.jpg", "b.png", "sub/c.webp", "sub/d.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photos with a face, one without, one that is damaged, and a text."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        FACE.crop((number, 0, 300 + number, 300)).save(folder / name)
    Image.fromarray(coffee()[:200, :300]).save(folder / "coffee.png")
    (folder / "damaged.jpg").write_bytes((folder / "a.jpg").read_bytes()[:2000])
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def edit(folder: Path, model: str, tmp_path: Path) -> Callable[..., int]:
    def run(out: str, *more: str) -> int:
        words = ["edit", str(folder), model, f"--out={tmp_path}/{out}", "--device=cpu"]
        return main([*words, *(more or ("--set", "Bald=1"))])

    return run


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def log_of(out: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (out / LOG_FILE).read_text().splitlines()]
    return {line["photo"]: line for line in lines[1:]}


def test_every_photo_is_edited_or_refused_by_name(
    edit: Callable[..., int],
    folder: Path,
    model: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edit("out") == 5
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/out/{LOG_FILE}\n"
    told = captured.err.splitlines()
    assert told[0] == f"{folder}: files that are no photos are left alone: 1 .txt"
    assert "coffee.png: refused: no face is found by MTCNN; a face that is cut goes with" in told[2]
    assert told[3].startswith("damaged.jpg: refused: cannot be decoded")
    assert told[4] == f"6 photos: 4 edited, 2 refused; each by name in {tmp_path}/out/{LOG_FILE}"
    assert set(contents(tmp_path / "out")) == {*NAMES, LOG_FILE}
    log = log_of(tmp_path / "out")
    assert [log[name]["status"] for name in NAMES] == ["edited"] * 4
    assert "face 1 is at (" in log["b.png"]["notes"][0]
    assert "recognized as Bald" in "".join(log["b.png"]["notes"])
    assert log["coffee.png"]["status"] == log["damaged.jpg"]["status"] == "refused"
    # The same as one photo by itself.
    words = ["edit", str(folder / "a.jpg"), model, "--set", "Bald=1", f"--out={tmp_path}/a.jpg"]
    assert main([*words, "--device=cpu"]) == 0
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "out/a.jpg").read_bytes()


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Makes the edit of the photo with this number stop the command, as Ctrl-C does."""
    original = edit_folder._Editing.__call__
    left = [0]

    def call(*args: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(edit_folder._Editing, "__call__", call)

    def stop_at(number: int) -> None:
        left[0] = number

    return stop_at


@pytest.mark.parametrize("number", [1, 3, 5])
def test_interrupted_and_continued_equals_never_interrupted(
    edit: Callable[..., int],
    stopping: Callable[[int], None],
    number: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edit("whole") == 5
    stopping(number)
    assert edit("parts") == 130
    told = capsys.readouterr().err
    assert "of 6 photos: the same command goes on\ntwobirds: interrupted\n" in told
    parts = contents(tmp_path / "parts")
    assert len(parts) < 5
    assert edit("parts") == 5
    before = f" ({len(parts) - 1} of them before)" if len(parts) > 1 else ""
    assert f"4 edited, 2 refused{before};" in capsys.readouterr().err
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert edit("parts") == 5
    assert "(4 of them before)" in capsys.readouterr().err
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_kill_between_log_and_file_leaves_nothing_that_counts_as_done(
    edit: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edit("whole") == 5

    def kill(*_: Any) -> None:
        raise SystemExit(143)

    with monkeypatch.context() as patched:
        patched.setattr(folder_edit, "write_atomically", kill)
        with pytest.raises(SystemExit):
            edit("parts")
    assert set(contents(tmp_path / "parts")) == {LOG_FILE}
    assert "a.jpg" in log_of(tmp_path / "parts")
    assert edit("parts") == 5
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_only_what_changed_is_edited_again(
    edit: Callable[..., int],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edit("out") == 5
    before = contents(tmp_path / "out")
    (folder / "coffee.png").unlink()
    (folder / "damaged.jpg").unlink()
    (folder / "sub/c.webp").unlink()
    FACE.crop((9, 0, 309, 300)).save(folder / "b.png")
    (tmp_path / "out/sub/d.png").unlink()
    capsys.readouterr()
    assert edit("out") == 0
    told = capsys.readouterr().err
    assert "1 earlier results are of photos that are in the folder no more" in told
    assert "3 photos: 3 edited, 0 refused (1 of them before)" in told
    after = contents(tmp_path / "out")
    assert {name for name in before if before[name] != after.get(name)} == {"b.png", LOG_FILE}
    (tmp_path / "out/b.png").write_bytes(b"retouched by hand")
    assert edit("out") == 5
    assert "b.png is not what this edit has written" in capsys.readouterr().err
    assert (tmp_path / "out/b.png").read_bytes() == b"retouched by hand"


def test_a_photo_that_cannot_be_read_keeps_its_earlier_result(
    edit: Callable[..., int],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edit("out") == 5
    before = contents(tmp_path / "out")
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path == folder / "b.png":
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fail)
        assert edit("out") == 5
    assert "b.png: refused: cannot be read: Input/output error" in capsys.readouterr().err
    kept = contents(tmp_path / "out")
    assert kept["b.png"] == before["b.png"]
    assert log_of(tmp_path / "out")["b.png"]["status"] == "edited"
    assert edit("out") == 5
    assert "4 edited, 2 refused (4 of them before)" in capsys.readouterr().err


def test_options_that_do_not_go_with_a_folder(
    edit: Callable[..., int],
    folder: Path,
    model: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dark = tmp_path / "dark.png"
    Image.new("L", (300, 300)).save(dark)
    for more, message in (
        (["--set", "Bald=1", f"--layers={tmp_path}/layers"], "--layers is for single photos"),
        (["--set", "Bald=1", f"--protect={folder}/sub/d.png"], "edited as one of its photos: move"),
        (["--set", "Bald=1", f"--protect={dark}"], "the mask protects nothing"),
        (["--set", "Bald=1", f"--protect={dark}", "--aligned"], "leave out --aligned"),
        (["--set", "Bald=1", "--force"], "whose results are never replaced: name another --out"),
        (["--describe=nicer"], "nothing in it says what to change of a face"),
        (["--set", "Hat=1"], "Wearing_Hat, Wearing_Lipstick"),
        (["--set", "Bald=1", "--strength=-1"], "strength must"),
    ):
        assert edit("out", *more) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
    assert main(["edit", str(folder), str(folder / "a.jpg"), model, "--set", "Bald=1"]) == 2
    assert "is a folder, which goes alone" in capsys.readouterr().err
    assert main(["edit", str(folder), model, "--set", "Bald=1"]) == 2
    assert "name another one for its results with --out" in capsys.readouterr().err
    assert edit("photos/out") == 2
    assert "lie in each other" in capsys.readouterr().err
    assert edit("out") == 5
    capsys.readouterr()
    assert edit("out", "--set", "Bald=0") == 2
    assert 'another edit, with changes {"Bald": 1.0} and not' in capsys.readouterr().err
    assert edit("out", "--describe=bald") == 5  # the same edit in words
    assert "4 edited, 2 refused (4 of them before)" in capsys.readouterr().err


def test_a_mask_holds_for_every_photo(
    edit: Callable[..., int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FACE.crop((0, 0, 290, 300)).save(folder / "smaller.png")
    white = np.zeros((300, 300), bool)
    white[:, :150] = True
    mask = tmp_path / "mask.png"
    Image.fromarray(white.astype(np.uint8) * 255).save(mask)
    assert edit("out.v2", "--set", "Bald=1", f"--protect={mask}") == 5
    told = capsys.readouterr().err
    assert f"smaller.png: refused: --protect {mask}: the mask has 300x300 pixels, and" in told
    results = {name: Path(name).with_suffix(".png").as_posix() for name in NAMES}
    assert set(contents(tmp_path / "out.v2")) == {*results.values(), LOG_FILE}
    for name, result in results.items():
        before = np.asarray(Image.open(folder / name).convert("RGB"))
        after = np.asarray(Image.open(tmp_path / "out.v2" / result).convert("RGB"))
        assert (before[white] == after[white]).all()
        assert (before[~white] != after[~white]).any()
    notes = log_of(tmp_path / "out.v2")["a.jpg"]["notes"]
    assert f"a.jpg: 50.0% of the photo stays as it is, where {mask} is white" in notes
    Image.fromarray(~white).save(mask)
    assert edit("out.v2", "--set", "Bald=1", f"--protect={mask}") == 2
    assert "another edit, with protect_sha256" in capsys.readouterr().err


def test_faces_that_are_cut_already_become_png(
    edit: Callable[..., int], folder: Path, tmp_path: Path
) -> None:
    (folder / "damaged.jpg").unlink()
    assert edit("out", "--set", "Bald=1", "--aligned") == 0
    names = {"a.png", "b.png", "coffee.png", "sub/c.png", "sub/d.png"}
    assert set(contents(tmp_path / "out")) == {*names, LOG_FILE}
    with Image.open(tmp_path / "out/a.png") as face:
        assert np.asarray(face).shape == (32, 32, 3)

"""Which photos a folder has, where their results go, and the log of the results."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from photos.making_photos import encoded, noise
from twobirds.data.files import Folder
from twobirds.errors import InputError
from twobirds.photos.edit_log import EditLog, LogEntry
from twobirds.photos.folder import LOG_FILE, list_photos, name_edits

PNG = encoded(noise(20, 20))
JPEG = encoded(noise(20, 20), "JPEG")
EDIT = {"changes": {"Bald": 1.0}, "strength": 1.0}


def write(path: Path, content: bytes = PNG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_subfolders_belong_to_a_folder_and_hidden_files_do_not(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("b.PNG", "a/c.jpg", "a/.d.png", ".e/f.png", "notes.txt", "a/video.mp4"):
        write(folder / name)
    (folder / "a/link").symlink_to(folder)
    (folder / "file.png").symlink_to(folder / "b.PNG")
    found = list_photos(folder)
    assert found.names == ("a/c.jpg", "b.PNG", "file.png")
    photos = name_edits(found, out, as_png=False)
    assert [photo.name for photo in photos] == list(found.names)
    # The content says that a/c.jpg is PNG.
    assert [photo.output_name for photo in photos] == ["a/c.png", "b.png", "file.png"]
    assert [photo.output for photo in photos][:2] == [out / "a/c.png", out / "b.png"]
    assert found.others == {".txt": 1, ".mp4": 1}
    assert list(found.left_out()) == [
        f"{folder}: files that are no photos are left alone: 1 .mp4, 1 .txt",
        f"{folder}: links to folders are not followed: a/link",
    ]


def test_every_extension_of_photos_counts(tmp_path: Path) -> None:
    for name in ("a.jfif", "b.JPE", "c.heic", "d.gif"):
        (tmp_path / name).touch()
    found = list_photos(tmp_path)
    assert found.names == ("a.jfif", "b.JPE", "c.heic")
    assert found.others == {".gif": 1}


@pytest.mark.parametrize(
    ("names", "as_png"),
    [
        (("a.jpg", "a.png"), True),
        (("A.png", "a.png"), False),
        (("B/a.png", "b/a.png"), False),
        (("caf\u00e9.png", "cafe\u0301.png"), False),
        (("x/y.jpeg", "x/y.JPEG"), False),
    ],
)
def test_results_of_one_name_are_refused_with_both_photos(
    tmp_path: Path, names: tuple[str, str], as_png: bool
) -> None:
    for name in names:
        write(tmp_path / "in" / name, JPEG if name.lower().endswith("jpeg") else PNG)
    with pytest.raises(InputError) as caught:
        name_edits(list_photos(tmp_path / "in"), tmp_path / "out", as_png=as_png)
    assert all(name in str(caught.value) for name in names)
    assert "would both become" in str(caught.value)


def test_photos_of_one_stem_and_other_formats_do_not_collide(tmp_path: Path) -> None:
    write(tmp_path / "in/a.png")
    write(tmp_path / "in/a.jpg", JPEG)
    photos = name_edits(list_photos(tmp_path / "in"), tmp_path / "out", as_png=False)
    assert [photo.output_name for photo in photos] == ["a.jpg", "a.png"]


@pytest.mark.parametrize("out", ["in", "in/edited", ".", "in/../in", "link"])
def test_neither_folder_may_lie_in_the_other(tmp_path: Path, out: str) -> None:
    write(tmp_path / "in/a.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(InputError, match="lie in each other"):
        name_edits(list_photos(tmp_path / "in"), tmp_path / out, as_png=False)


def test_links_in_the_results_do_not_lead_back(tmp_path: Path) -> None:
    write(tmp_path / "in/a/b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").symlink_to(tmp_path / "in/a")
    with pytest.raises(InputError, match="leads back into"):
        name_edits(list_photos(tmp_path / "in"), tmp_path / "out", as_png=False)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "in/a.txt")
    with pytest.raises(InputError, match=r"no photo is in it: none of \.jpg"):
        list_photos(tmp_path / "in")
    write(tmp_path / "in/a.png")
    write(tmp_path / "out")
    with pytest.raises(InputError, match="is a file, for a folder of photos"):
        name_edits(list_photos(tmp_path / "in"), tmp_path / "out", as_png=False)


def entry(photo: str, content: bytes = PNG) -> LogEntry:
    digest = hashlib.sha256(content).hexdigest()
    return LogEntry(photo, "edited", "5" * 64, photo, digest)


def test_the_log_is_sorted_and_refused_photos_are_looked_at_again(tmp_path: Path) -> None:
    with EditLog.opened(tmp_path, EDIT) as log:
        for name in ("b.png", "a.png"):
            log.add(entry(name))
            write(tmp_path / name)
        log.add(LogEntry("c.png", "refused", reason="no face"))
    lines = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert lines[0] == {"edit": EDIT}
    assert [line["photo"] for line in lines[1:]] == ["a.png", "b.png", "c.png"]
    assert lines[3] == {"photo": "c.png", "status": "refused", "reason": "no face"}
    with EditLog.opened(tmp_path, EDIT) as log:
        assert list(log.entries) == ["a.png", "b.png"]
        assert log.is_done("a.png", "5" * 64, "a.png")
        assert not log.is_done("a.png", "6" * 64, "a.png")  # the photo has changed
        (tmp_path / "b.png").unlink()
        assert not log.is_done("b.png", "5" * 64, "b.png")
        write(tmp_path / "c.png")
        write(tmp_path / "a.png", JPEG)
        for name in ("a.png", "c.png"):
            with pytest.raises(InputError, match="is not what this edit has written"):
                log.is_done(name, "5" * 64, name)


def test_the_result_of_a_photo_that_changed_goes(tmp_path: Path) -> None:
    with EditLog.opened(tmp_path, EDIT) as log:
        log.add(entry("a.png"))
        write(tmp_path / "a.png")
        log.add(LogEntry("a.png", "refused", "6" * 64, reason="no face"))
        assert not (tmp_path / "a.png").exists()


def test_a_log_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    with EditLog.opened(tmp_path, EDIT) as log:
        for name in ("a.png", "b.png"):
            log.add(entry(name))
    path = tmp_path / LOG_FILE
    path.write_text(path.read_text()[:-9])
    write(tmp_path / f".{LOG_FILE}.123.tmp")
    write(tmp_path / "sub/.b.png.123.tmp")
    with EditLog.opened(tmp_path, EDIT) as log:
        assert list(log.entries) == ["a.png"]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [LOG_FILE]


def test_results_of_another_edit_are_never_mixed(tmp_path: Path) -> None:
    with (
        EditLog.opened(tmp_path, EDIT),
        pytest.raises(InputError, match="another process is writing there"),
        EditLog.opened(tmp_path, EDIT),
    ):
        pass
    with (
        pytest.raises(InputError, match=r"another edit, with strength 1\.0 and not 2\.0"),
        EditLog.opened(tmp_path, {**EDIT, "strength": 2.0}),
    ):
        pass
    for content, message in ((b"{}\n", "is no log of an edit"), (b"\xff\n", "cannot be read")):
        write(tmp_path / LOG_FILE, content)
        with pytest.raises(InputError, match=message), EditLog.opened(tmp_path, EDIT):
            pass
    (tmp_path / LOG_FILE).unlink()
    write(tmp_path / "holiday.png")
    with pytest.raises(InputError, match="holds other files"), EditLog.opened(tmp_path, EDIT):
        pass
    assert (tmp_path / "holiday.png").read_bytes() == PNG


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
@pytest.mark.timeout(60)
def test_pipes_are_no_photos(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "gone.png").symlink_to("nowhere")  # is refused by name
    os.mkfifo(tmp_path / "pipe.png")
    listing = list_photos(tmp_path)
    assert listing.names == ("a.png", "gone.png")
    assert listing.others == {"pipe or device": 1}
    with pytest.raises(InputError, match="not a regular file"):
        Folder(tmp_path).read("pipe.png")

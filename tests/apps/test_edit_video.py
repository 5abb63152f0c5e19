"""`twobirds edit VIDEO`."""

import json
import subprocess
import sys
import time
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest
from PIL import Image

from photos.making_videos import moved_astronaut, sound_of, times_of, write_video
from twobirds.apps.cli import main
from twobirds.photos.video_writer import VideoWriter


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video.mp4", moved_astronaut(7, 320, 240), has_sound=True)


def test_a_video_is_edited(
    video: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["edit", str(video), model, "--set", "Bald=1", f"--out={tmp_path}/out.mp4"]
    assert main([*words, "--device=cpu"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/out.mp4\n"
    assert f"{video}: face 1 is in frames 0 to 6 of 7; Bald predicted as 0." in captured.err
    assert times_of(tmp_path / "out.mp4") == times_of(video)
    assert sound_of(tmp_path / "out.mp4") == sound_of(video)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert "Synthetic image: edited by TwoBirds, model model (" in container.metadata["comment"]
    (tmp_path / "video.edited.mp4").write_text("an earlier result")
    in_words = ["edit", str(video), model, "--describe=bald", f"--out={tmp_path}"]
    assert main(in_words) == 2
    assert "video.edited.mp4 exists already: name another" in capsys.readouterr().err
    assert main([*in_words, "--no-metadata", "--visible-note", "--force"]) == 0
    assert capsys.readouterr().err.startswith("understood: bald: Bald 1\n")
    with av.open(str(tmp_path / "video.edited.mp4")) as container:
        assert "comment" not in container.metadata
        last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
    note = last[-12:, 4:30]  # in the lower left corner, where the video is of one grey
    assert note.min() < 50
    assert note.max() > 150


def test_json_of_a_video_with_a_mask_and_a_brief_face(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [np.pad(frame, ((0, 0), (0, 320), (0, 0))) for frame in moved_astronaut(7, 320, 240)]
    for frame in frames[:3]:
        frame[:, 320:] = moved_astronaut(1, 320, 240)[0]
    video = write_video(tmp_path / "video.mp4", frames)
    mask = np.zeros((240, 640), np.uint8)
    mask[:, 320:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / ".out.mp4.99999999.tmp").write_bytes(b"left by a kill")
    words = ["edit", str(video), model, "--device=cpu", f"--out={tmp_path}/out.mp4", "--json"]
    assert main([*words, "--set", "Bald=1", f"--protect={tmp_path}/mask.png"]) == 0
    captured = capsys.readouterr()
    (result,) = json.loads(captured.out)
    schema = Path(__file__).parents[2] / "docs/reference/schemas/edit-video.json"
    jsonschema.validate([result], json.loads(schema.read_text()))
    assert result["num_frames"] == 7
    assert result["num_brief_faces"] == 1
    assert result["changes"] == {"Bald": 1}
    (face,) = result["faces"]
    assert (face["first_frame"], face["last_frame"], face["status"]) == (0, 6, "edited")
    assert 0 < face["before"]["Bald"] < 1
    told = f"{video}: faces found in fewer than 5 frames, which stay as they are: 1"
    assert told in captured.err
    assert f"50.0% of each frame stays as it is, where {tmp_path}/mask.png" in captured.err
    names = ["mask.png", "out.mp4", "video.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_what_a_video_does_not_take(
    video: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grey = [np.full((120, 160, 3), 128, np.uint8)] * 6
    empty = write_video(tmp_path / "empty.mp4", grey)
    other = tmp_path / "other.mp4"
    other.write_text("no video")
    small, corner = tmp_path / "small.png", tmp_path / "corner.png"
    for path, size in ((small, (32, 32)), (corner, (320, 240))):
        mask = np.zeros(size[::-1], np.uint8)
        mask[-4:] = 255
        Image.fromarray(mask).save(path)
    for words, message in (
        ([str(video), str(other)], "is a video, which goes alone"),
        ([str(video), "--face=2"], "--face 2 is for photos"),
        ([str(video), "--aligned"], "--aligned is for photos"),
        ([str(video), "--refine=5"], "--refine is for photos"),
        ([str(video), f"--layers={tmp_path}/x"], "--layers is for photos"),
        ([str(video), f"--protect={small}"], "small.png: the mask has 32x32 pixels, and the"),
        ([str(video), f"--protect={corner}", "--visible-note"], "would cover a protected part"),
        ([str(video), f"--out={tmp_path}/x.gif"], "choose a name that ends in one of .mp4"),
        ([str(video), f"--out={video}"], "is the video itself"),
        ([str(other)], "other.mp4: is no video, or damaged"),
        ([str(tmp_path / "none.mp4")], "none.mp4: cannot be read"),
        ([str(empty)], "empty.mp4: no face is found in any frame"),
    ):
        assert main(["edit", *words, model, "--device=cpu", "--set", "Bald=1"]) == 2
        told = capsys.readouterr().err
        assert message in told.splitlines()[-1]
    videos = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".png")
    assert videos == ["empty.mp4", "other.mp4", "video.mp4"]


def test_a_stop_leaves_no_video(
    video: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(VideoWriter, "write", stop)
    words = ["edit", str(video), model, "--device=cpu", f"--out={tmp_path}/out.mp4"]
    assert main([*words, "--set", "Bald=1"]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_a_process_that_is_ended_leaves_the_video_that_was_there(
    model: str, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "video.mp4", moved_astronaut(100, 320, 240), has_sound=True)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"before")
    words = ["edit", str(video), model, "--device=cpu", "--set", "Bald=1", f"--out={out}"]
    process = subprocess.Popen([sys.executable, "-m", "twobirds", *words], stderr=subprocess.PIPE)
    try:
        for _ in range(1200):
            if list(tmp_path.glob(".out.mp4.*.tmp")) or process.poll() is not None:
                break
            time.sleep(0.05)
        assert list(tmp_path.glob(".out.mp4.*.tmp")), "it was not ended while it wrote"
        process.terminate()
        assert process.wait(60) == 143
    finally:
        process.kill()
        process.communicate()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "video.mp4"]
    assert out.read_bytes() == b"before"


def test_sound_is_refused_before_faces_are_looked_for(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = moved_astronaut(7, 320, 240)
    video = write_video(tmp_path / "video.mkv", frames, sound_codec="flac")
    words = ["edit", str(video), model, "--device=cpu", "--set", "Bald=1"]
    assert main([*words, f"--out={tmp_path}/out.mov"]) == 2
    told = capsys.readouterr().err
    assert "its sound, in flac, does not fit into .mov: choose a name that ends in .mkv" in told
    assert "find faces" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["video.mkv"]

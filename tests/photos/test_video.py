"""Videos decoded and written anew."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from photos.making_videos import (
    frames_of,
    moved_astronaut,
    sound_of,
    times_of,
    write_video,
)
from twobirds.atomic import write_atomically
from twobirds.errors import InputError
from twobirds.photos import video_writer
from twobirds.photos.video import Video
from twobirds.photos.video_writer import VideoWriter, require_sound_fits

FRAMES = moved_astronaut(8, 160, 120, 0.6)
BOX = np.s_[40:60, 60:100]


def rewrite(path: Path, out: Path, change: Callable[[np.ndarray], None]) -> Path:
    """Write a video with all pictures changed."""
    video = Video(path)

    def write(file: Any) -> None:
        writer = VideoWriter(file, out.suffix, video, "edited")
        for frame in video.frames(on_packet=writer.copy):
            pixels = frame.pixels.copy()
            change(pixels)
            writer.write(frame, pixels)
        writer.close()

    write_atomically(out, write)
    return out


def assert_alike(before: np.ndarray, after: np.ndarray) -> None:
    """Only the encoder's loss lies between two pictures, and no shift of colours."""
    change = after.astype(float) - before
    assert np.abs(change).mean() < 3.5
    assert np.abs(change.mean(axis=(0, 1))).max() < 2


def whiten(pixels: np.ndarray) -> None:
    pixels[BOX] = 255


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_times_and_sound_stay_and_so_do_pixels(tmp_path: Path, suffix: str) -> None:
    times = [0, 40, 50, 200, 210, 400, 480, 500]  # milliseconds
    path = write_video(tmp_path / f"a{suffix}", FRAMES, times=times, has_sound=True)
    out = rewrite(path, tmp_path / f"b{suffix}", whiten)
    assert times_of(out) == times_of(path) == [time / 1000 for time in times]
    assert sound_of(out) == sound_of(path)
    assert len(sound_of(out)) > 2
    with av.open(str(out)) as container:
        names = {name.lower(): text for name, text in container.metadata.items()}
        assert names["title"] == "a test"
        assert names["comment"] == "edited"
    for before, after in zip(frames_of(path), frames_of(out), strict=True):
        assert after[45:55, 66:94].min() > 235
        assert_alike(before[70:], after[70:])


def test_without_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    out = rewrite(path, tmp_path / "b.webm", whiten)
    with av.open(str(out)) as container:
        assert not container.streams.audio
        assert container.streams.video[0].codec_context.name == "vp9"
    assert len(times_of(out)) == len(FRAMES)


def test_pictures_that_change_their_size_are_refused(tmp_path: Path) -> None:
    parts = []
    for width, height in ((160, 120), (320, 240)):
        with av.open(str(tmp_path / "part.ts"), "w", format="mpegts") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number in range(4):
                pixels = np.full((height, width, 3), 40 * number, np.uint8)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append((tmp_path / "part.ts").read_bytes())
    (tmp_path / "a.mkv").write_bytes(b"".join(parts))
    with pytest.raises(InputError, match="pictures change from 160x120 to 320x240 pixels"):
        list(Video(tmp_path / "a.mkv").frames())


def test_sound_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES, has_sound=True)
    with pytest.raises(InputError, match=r"its sound, in aac, does not fit into \.webm"):
        rewrite(path, tmp_path / "b.webm", whiten)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(("codec", "rate"), [("flac", 8000), ("libopus", 48_000)])
def test_sound_that_only_the_header_refuses_is_named(tmp_path: Path, codec: str, rate: int) -> None:
    path = write_video(tmp_path / "a.mkv", FRAMES, sound_codec=codec, sound_rate=rate)
    name = codec.removeprefix("lib")
    complaint = rf"a.mkv: its sound, in (lib)?{name}, does not fit into \.mov: choose .* \.mkv$"
    with pytest.raises(InputError, match=complaint):
        rewrite(path, tmp_path / "b.mov", whiten)
    with pytest.raises(InputError, match=complaint):
        require_sound_fits(Video(path), ".mov")
    require_sound_fits(Video(path), ".mkv")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_sound_that_cannot_be_copied_is_named(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES, has_sound=True)
    video = Video(path)
    writer = VideoWriter(io.BytesIO(), ".mkv", video, None)

    def copy_backwards(packet: Any) -> None:
        packet.dts = packet.pts = -packet.dts
        writer.copy(packet)

    with pytest.raises(InputError, match=r"its sound, in aac, .* into \.mkv: convert it first"):
        list(video.frames(on_packet=copy_backwards))


def test_pictures_that_cannot_be_encoded_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES, has_sound=True)
    with monkeypatch.context() as patched:
        patched.setattr(video_writer, "_ENCODER", ("libx264", {"preset": "none of them"}))
        with pytest.raises(InputError, match=r"its pictures do not fit into \.mkv: convert it fir"):
            rewrite(path, tmp_path / "b.mkv", whiten)

    monkeypatch.setattr(VideoWriter, "_time_of", lambda *_: 7)  # two pictures at one time
    with pytest.raises(InputError, match=r"a picture does not fit into \.mp4: choose a name"):
        rewrite(path, tmp_path / "b.mp4", whiten)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Let an MP4 file say that its pictures are to be turned: its matrix in `tkhd`."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value.to_bytes(4, "big", signed=True) for value in matrix)
    content[start : start + 8], content[start + 12 : start + 20] = a + b, c + d
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("matrix", "quarter_turns"),
    [((0, 1, -1, 0), 3), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)],
)
def test_a_video_that_is_to_be_turned_is_written_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], quarter_turns: int
) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    turned(path, tuple(value << 16 for value in matrix))  # type: ignore[arg-type]
    video = Video(path)
    expected = [np.rot90(frame, quarter_turns) for frame in frames_of(path)]
    seen = [frame.pixels for frame in video.frames()]
    assert (video.facts.height, video.facts.width) == expected[0].shape[:2]
    assert all(np.array_equal(a, b) for a, b in zip(seen, expected, strict=True))
    out = rewrite(path, tmp_path / "b.mp4", whiten)
    again = Video(out)
    assert (again.facts.height, again.facts.width) == expected[0].shape[:2]
    assert np.abs(frames_of(out)[3][:30].astype(int) - expected[3][:30]).mean() < 3


def test_odd_sizes_and_ten_bits_are_written_with_a_note(tmp_path: Path) -> None:
    odd = [np.ascontiguousarray(frame[:119, :159]) for frame in FRAMES]
    path = write_video(tmp_path / "a.mp4", odd, pix_fmt="yuv444p")
    assert "an odd size, 159x119: it is written in H.264 High 4:4:4" in Video(path).facts.notes[0]
    out = rewrite(path, tmp_path / "b.mp4", whiten)
    assert frames_of(out)[0].shape == (119, 159, 3)
    path = write_video(tmp_path / "c.mkv", FRAMES, codec="ffv1", pix_fmt="yuv420p10le")
    assert Video(path).facts.notes == ("has 10 bits a channel, of which 8 are kept",)
    out = rewrite(path, tmp_path / "d.mp4", whiten)
    assert_alike(frames_of(path)[2][:30], frames_of(out)[2][:30])


def test_videos_that_would_come_out_wrong_are_refused(tmp_path: Path) -> None:
    def wrong(name: str, message: str, **arguments: Any) -> None:
        path = write_video(tmp_path / name, FRAMES[:2], codec="ffv1", **arguments)
        with pytest.raises(InputError, match=message):
            Video(path)

    wrong("hdr.mkv", r"is HDR \(PQ\)", pix_fmt="yuv420p10le", colours={"color_trc": 16})
    wrong("alpha.mkv", "has transparency", pix_fmt="yuva420p")
    whole = write_video(tmp_path / "whole.mp4", FRAMES, has_sound=True).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("half.mp4", "text.mp4"):
        with pytest.raises(InputError, match=f"{name}: is no video, or damaged"):
            Video(tmp_path / name)
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.float32), "fltp", "mono")
        wave.sample_rate = 8000
        container.mux(sound.encode(wave))
        container.mux(sound.encode(None))
    with pytest.raises(InputError, match="has sound, but no picture"):
        Video(tmp_path / "sound.mp4")


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    (tmp_path / "b.mp4").write_bytes(b"before")

    def stop(_: np.ndarray) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrite(path, tmp_path / "b.mp4", stop)
    assert (tmp_path / "b.mp4").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_pictures_are_shrunk_to_be_looked_at(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / "a.mp4", FRAMES))
    assert next(video.frames(max_side=80)).pixels.shape == (60, 80, 3)
    assert (video.facts.num_frames, video.facts.rate) == (8, 25)

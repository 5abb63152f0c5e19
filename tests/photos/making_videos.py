"""Videos for tests, made in a temporary folder."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from skimage.data import astronaut

SOUND_RATE = 8000


def moved_astronaut(count: int, width: int, height: int, scale: float = 1.0) -> list[np.ndarray]:
    """Frames `[H, W, 3]` uint8 of the astronaut's face, moved by `motion`."""
    return [
        cv2.warpAffine(
            astronaut(),
            motion(number, width, height, scale),
            (width, height),
            flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(90, 100, 110),
        )
        for number in range(count)
    ]


def motion(number: int, width: int, height: int, scale: float = 1.0) -> np.ndarray:
    """`[2, 3]`: from scikit-image's picture to a frame: the face goes right, and turns."""
    angle = 0.1 * math.sin(number / 5)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    centre = np.array([width * 0.4 + number, height * 0.5])
    return np.hstack([turn, (centre - turn @ (224, 130))[:, None]])


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    times: Sequence[int] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    has_sound: bool = False,
    sound_codec: str | None = None,
    sound_rate: int = SOUND_RATE,
    colours: Mapping[str, int] | None = None,
) -> Path:
    """A video of `[H, W, 3]` uint8; times are in milliseconds, else 25 frames a second."""
    with av.open(str(path), "w") as container:
        options = {"crf": "8"} if codec.startswith("lib") else {}
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in (colours or {}).items():
            setattr(stream.codec_context, name, value)
        sound = None
        if has_sound or sound_codec is not None:
            sound = container.add_stream(sound_codec or "aac", rate=sound_rate, layout="mono")
        container.metadata["title"] = "a test"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = times[number] if times else number * 40, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            steps = np.arange(len(frames) * sound_rate // 25, dtype=np.float32)
            wave = av.AudioFrame.from_ndarray(
                0.1 * np.sin(steps / 3)[None], format="fltp", layout="mono"
            )
            wave.sample_rate, wave.pts = sound_rate, 0
            container.mux(sound.encode(wave))
            container.mux(sound.encode(None))
    return path


def times_of(path: Path) -> list[float]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as container:
        return [round(float(frame.time), 4) for frame in container.decode(video=0)]


def frames_of(path: Path) -> list[np.ndarray]:
    """`[H, W, 3]` uint8 as they are coded, not turned upright."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sound_of(path: Path) -> list[bytes]:
    """The packets of the sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

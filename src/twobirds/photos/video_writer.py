"""Videos written anew, with their sound."""

import contextlib
import errno
import io
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twobirds.errors import InputError
from twobirds.photos.video import Frame, Video

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""FFmpeg's names of the formats that are written, by the end of a file's name."""
_ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "webm": ("libvpx-vp9", {"crf": "24", "b": "0", "row-mt": "1", "deadline": "good"}),
}
_ENCODER: tuple[str, dict[str, str]] = ("libx264", {"crf": "17", "preset": "medium"})
_TRY_MATROSKA = "choose a name that ends in .mkv"
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc", "sample_aspect_ratio")
_KEPT_METADATA = ("title", "artist", "date", "creation_time", "comment", "description", "copyright")


class VideoWriter:
    """Writes pictures as a video with the times, the colours and the sound of another.

    Args:
        file: Opened for writing; can be sought in.
        suffix: End of the file's name, which chooses the format.
        source: The video that the pictures are from.
        comment: What the file says of itself; None says nothing.

    Raises:
        InputError: If the format cannot hold the sound.
    """

    def __init__(self, file: Any, suffix: str, source: Video, comment: str | None) -> None:
        self._format = CONTAINERS[suffix.lower()]
        self._suffix, self._source = suffix, source
        self._container: OutputContainer = av.open(file, "w", format=self._format)
        self._copies: dict[int, Stream] = {}
        self._sound = "it does"
        with source.opened() as container:
            stream = container.streams.video[0]
            self._video = self._new_stream(stream)
            self._copies = {s.index: self._copy_of(s) for s in container.streams.audio}
            self._container.metadata.update(_metadata(container.metadata, comment))
        self._last: int | None = None
        with self._naming("its pictures do"):
            self._video.codec_context.open()
        with self._naming(self._sound):
            self._container.start_encoding()  # writes the header, which some sound does not suit

    def copy(self, packet: "Packet[Any]") -> None:
        """Take a packet of another stream; sound is kept as it is, the rest is left out."""
        copy = self._copies.get(packet.stream.index)
        if copy is not None:
            packet.stream = copy
            with self._naming(self._sound):
                self._container.mux(packet)

    def write(self, frame: Frame, pixels: np.ndarray) -> None:
        """Encode a picture.

        Args:
            frame: What it was made of; where pixels are the same, its samples are.
            pixels: `[H, W, 3]` uint8 RGB.
        """
        encoded = self._samples(frame, pixels)
        encoded.time_base = frame.source.time_base
        encoded.pts = self._time_of(frame.source)
        with self._naming("a picture does"):
            self._container.mux(self._video.encode(encoded))

    def close(self) -> None:
        """Write what the encoder holds back, and the end of the file."""
        with self._naming("a picture does"):
            self._container.mux(self._video.encode(None))
            self._container.close()

    def _new_stream(self, stream: VideoStream) -> VideoStream:
        facts = self._source.facts
        name, options = _ENCODERS.get(self._format, _ENCODER)
        made = self._container.add_stream(name, rate=facts.rate, options=options)
        assert isinstance(made, VideoStream)
        made.width, made.height = facts.width, facts.height
        made.pix_fmt = "yuv444p" if facts.width % 2 or facts.height % 2 else "yuv420p"
        made.codec_context.time_base = stream.time_base or 1 / facts.rate
        for name in _COLOURS:
            value = getattr(stream.codec_context, name)
            if value:
                setattr(made.codec_context, name, value)
        return made

    def _copy_of(self, stream: Stream) -> Stream:
        self._sound = f"its sound, in {stream.codec_context.name}, does"
        with self._naming(self._sound):
            return self._container.add_stream_from_template(stream)

    @contextlib.contextmanager
    def _naming(self, what: str) -> Iterator[None]:
        """Turn what FFmpeg raises of the new file into a sentence that says what does not fit."""
        try:
            yield
        except (av.error.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
                raise
            fix = "convert it first" if self._format == "matroska" else _TRY_MATROSKA
            raise InputError(
                f"{self._source.path}: {what} not fit into {self._suffix}: {fix}"
            ) from error

    def _samples(self, frame: Frame, pixels: np.ndarray) -> VideoFrame:
        """A picture in the samples of the encoder."""
        source = frame.source
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        made = picture.reformat(
            format=self._video.pix_fmt,
            dst_colorspace=source.colorspace,
            dst_color_range=source.color_range,
        )
        if source.format.name != "yuv420p" or made.format.name != "yuv420p" or source.rotation:
            return made
        changed = (pixels != frame.pixels).any(axis=2)  # [H, W]
        height, width = changed.shape
        blocks = changed.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
        # `[3 H / 2, W]`: the rows of Y, then all samples of U, then all of V.
        masks = (changed.ravel(), blocks.ravel(), blocks.ravel())
        mask = np.concatenate(masks).reshape(height * 3 // 2, width)
        kept = np.where(mask, made.to_ndarray(), source.to_ndarray())
        mixed = VideoFrame.from_ndarray(kept, format="yuv420p")
        mixed.colorspace, mixed.color_range = made.colorspace, made.color_range
        return mixed

    def _time_of(self, source: VideoFrame) -> int:
        """When a picture is shown: as in the source, and after the picture before it."""
        time = source.pts
        if time is None or (self._last is not None and time <= self._last):
            step = 1 / (self._source.facts.rate * (source.time_base or Fraction(1)))
            time = 0 if self._last is None else self._last + max(1, round(step))
        self._last = time
        return time


def require_sound_fits(source: Video, suffix: str) -> None:
    """Refuse a format that cannot hold a video's sound, before any work is done.

    Args:
        source: The video.
        suffix: End of the new file's name.

    Raises:
        InputError: If it cannot.
    """
    VideoWriter(io.BytesIO(), suffix, source, None).close()


def _metadata(source: Mapping[str, str], comment: str | None) -> dict[str, str]:
    """A video's metadata, with a comment added to its own."""
    kept = {name: text for name, text in source.items() if name in _KEPT_METADATA}
    if comment is not None:
        kept["comment"] = " ".join(filter(None, [kept.get("comment"), comment]))
    return kept

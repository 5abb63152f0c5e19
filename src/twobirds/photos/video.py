"""Videos: their frames decoded upright one after the other, and written anew with their sound."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twobirds.errors import InputError

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""FFmpeg's names of the formats that are written, by the end of a file's name."""
_ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "webm": ("libvpx-vp9", {"crf": "24", "b": "0", "row-mt": "1", "deadline": "good"}),
}
_ENCODER: tuple[str, dict[str, str]] = ("libx264", {"crf": "17", "preset": "medium"})
_HDR_CURVES = {16: "PQ", 18: "HLG"}
_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc", "sample_aspect_ratio")


class Frame(NamedTuple):
    """A picture of a video."""

    pixels: np.ndarray
    """`[H, W, 3]` uint8 RGB, upright."""
    source: VideoFrame
    """As it was decoded: not upright perhaps, and with its time."""


@dataclass(frozen=True)
class VideoFacts:
    """What a video is, by its file."""

    width: int
    """Upright, in pixels."""
    height: int
    num_frames: int
    """As the file says, or its length and rate; 0 where neither is known."""
    rate: Fraction
    """Mean number of frames a second."""
    notes: tuple[str, ...]
    """What of it is lost, in words."""


class Video:
    """A video's file, which is decoded as often as it is asked for.

    Args:
        path: The file.

    Raises:
        InputError: If it is no video, or of a kind that would come out wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as container, _reporting(path):
            stream = container.streams.video[0]
            first = next(container.decode(stream), None)
            if first is None:
                raise InputError(f"{path}: no picture in it can be decoded")
            _require_plain(path, first)
            self.facts = _facts_of(container, stream, first)
            self._size = (first.width, first.height)

    def frames(
        self,
        *,
        max_side: int | None = None,
        on_packet: "Callable[[Packet[Any]], None] | None" = None,
    ) -> Iterator[Frame]:
        """Decode the pictures in their order.

        Args:
            max_side: Shrink them to this longest side, in pixels.
            on_packet: Called with the packets of other streams, as they lie between the pictures.

        Raises:
            InputError: If the file is damaged, or its pictures change their size.
        """
        facts = self.facts
        scale = min(1.0, (max_side or 1_000_000) / max(facts.width, facts.height))
        with self._opened() as container, _reporting(self.path):
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for packet in container.demux():
                if packet.stream is stream:
                    for frame in packet.decode():
                        assert isinstance(frame, VideoFrame)
                        self._require_size(frame)
                        yield Frame(_upright(frame, scale), frame)
                elif on_packet is not None and packet.dts is not None:
                    on_packet(packet)

    def _require_size(self, frame: VideoFrame) -> None:
        if (frame.width, frame.height) != self._size:
            raise InputError(
                f"{self.path}: its pictures change from {self._size[0]}x{self._size[1]} to "
                f"{frame.width}x{frame.height} pixels: bring it to one size first"
            )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[InputContainer]:
        with _reporting(self.path):
            container = av.open(str(self.path))
        with container:
            if not container.streams.video:
                raise InputError(f"{self.path}: has sound, but no picture")
            yield container


class VideoWriter:
    """Writes pictures as a video with the times, the colours and the sound of another.

    Args:
        file: Opened for writing; can be sought in.
        suffix: End of the file's name, which chooses the format.
        source: The video that the pictures are from.
        comment: What the file says of itself; None says nothing.
    """

    def __init__(self, file: Any, suffix: str, source: Video, comment: str | None) -> None:
        self._format = CONTAINERS[suffix.lower()]
        self._suffix, self._source = suffix, source
        self._container: OutputContainer = av.open(file, "w", format=self._format)
        self._copies: dict[int, Stream] = {}
        with source._opened() as container:
            stream = container.streams.video[0]
            self._video = self._new_stream(stream)
            self._copies = {s.index: self._copy_of(s) for s in container.streams.audio}
            self._container.metadata.update(_metadata(container.metadata, comment))
        self._last: int | None = None

    def copy(self, packet: "Packet[Any]") -> None:
        """Take a packet of another stream; sound is kept as it is, the rest is left out."""
        copy = self._copies.get(packet.stream.index)
        if copy is not None:
            packet.stream = copy
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
        self._container.mux(self._video.encode(encoded))

    def close(self) -> None:
        """Write what the encoder holds back, and the end of the file."""
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
        try:
            return self._container.add_stream_from_template(stream)
        except ValueError as error:
            raise InputError(
                f"{self._source.path}: its sound, in {stream.codec_context.name}, does not fit "
                f"into {self._suffix}: choose a name that ends in .mkv"
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


def _upright(frame: VideoFrame, scale: float) -> np.ndarray:
    """`[H, W, 3]` uint8 RGB."""
    width, height = round(frame.width * scale), round(frame.height * scale)
    filtering = "AREA" if scale < 1 else "BICUBIC"
    rgb = frame.reformat(width, height, "rgb24", interpolation=filtering)
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), _quarter_turns(frame)))


def _quarter_turns(frame: VideoFrame) -> int:
    """By how many quarters a picture is turned counter-clockwise to be upright."""
    return round(frame.rotation / 90) % 4


def _facts_of(container: InputContainer, stream: VideoStream, first: VideoFrame) -> VideoFacts:
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    seconds = (container.duration or 0) / 1_000_000
    size = (first.width, first.height)
    width, height = size[::-1] if _quarter_turns(first) % 2 else size
    notes = []
    bits = max(component.bits for component in first.format.components)
    if bits > 8:
        notes.append(f"has {bits} bits a channel, of which 8 are kept")
    if width % 2 or height % 2:
        notes.append(
            f"has an odd size, {width}x{height}: it is written in H.264 High 4:4:4, which some "
            "players lack"
        )
    others = [s for s in container.streams if s.type != "audio" and s is not stream]
    if others:
        kinds = ", ".join(sorted({str(s.type) for s in others}))
        notes.append(f"has further streams, which are left out: {kinds}")
    num_frames = stream.frames or round(seconds * rate)
    return VideoFacts(width, height, num_frames, rate, tuple(notes))


def _require_plain(path: Path, first: VideoFrame) -> None:
    """Refuse videos that would come out wrong.

    Raises:
        InputError: If there is one.
    """
    curve = _HDR_CURVES.get(first.color_trc)
    if curve is not None:
        raise InputError(
            f"{path}: is HDR ({curve}), whose colours no model here knows: convert it to SDR first"
        )
    if any(component.is_alpha for component in first.format.components):
        raise InputError(f"{path}: has transparency, which would be lost: remove it first")
    if first.rotation % 90:
        raise InputError(
            f"{path}: is turned by {first.rotation} degrees: only 90, 180, 270 will do"
        )


def _metadata(source: Mapping[str, str], comment: str | None) -> dict[str, str]:
    """A video's metadata, with a comment added to its own."""
    kept = {name: text for name, text in source.items() if name in _KEPT_METADATA}
    if comment is not None:
        kept["comment"] = " ".join(filter(None, [kept.get("comment"), comment]))
    return kept


_KEPT_METADATA = ("title", "artist", "date", "creation_time", "comment", "description", "copyright")


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn what FFmpeg raises into one sentence."""
    try:
        yield
    except av.error.FFmpegError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: is no video, or damaged: {reason}") from error

"""Videos: their frames decoded upright one after the other."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twobirds.errors import InputError

_HDR_CURVES = {16: "PQ", 18: "HLG"}


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
        with self.opened() as container, _reporting(path):
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
        with self.opened() as container, _reporting(self.path):
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
    def opened(self) -> Iterator[InputContainer]:
        """The file's streams, while it is open.

        Raises:
            InputError: If it is no video.
        """
        with _reporting(self.path):
            container = av.open(str(self.path))
        with container:
            if not container.streams.video:
                raise InputError(f"{self.path}: has sound, but no picture")
            yield container


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


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn what FFmpeg raises into one sentence."""
    try:
        yield
    except av.error.FFmpegError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: is no video, or damaged: {reason}") from error

"""A video edited: how steady the edit is, how fast, and in how much memory.

Usage: `python benchmarks/video.py --out benchmarks/results/video-cpu.json`. The video is
scikit-image's astronaut, moved, turned and scaled by a known motion, as H.264 of 1280x720 pixels.
"""

import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
import tyro
from skimage.data import astronaut

from hardware import write_results
from twobirds.api import FaceModel
from twobirds.machine import describe_machine
from twobirds.photos import EditRequest, Marks, PhotoSession
from twobirds.photos.detectors import find_detector
from twobirds.photos.video import Video
from twobirds.photos.video_edit import SteadyEdit, decide, edited_frames, write_edited_video
from twobirds.photos.video_faces import choose_video_faces, find_video_faces

WIDTH, HEIGHT, RATE = 1280, 720, 30
FACE = (224, 130)
"""Where the astronaut's face is, (x, y)."""


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    model: str = "celeba128"
    """Which edits."""
    attribute: str = "Blond_Hair"
    """Which is set to 1."""
    seconds: float = 10.0
    """Length of the video."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    session = PhotoSession(FaceModel.load(settings.model, device="cpu"), find_detector())
    request = EditRequest({settings.attribute: 1.0})
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name) / "video.mp4", Path(name) / "edited.mp4"
        write_video(path, settings.seconds)
        video, started, cpu = Video(path), time.perf_counter(), time.process_time()
        found, count, _ = find_video_faces(video, session, lambda _: None)
        edits = [decide(face, request) for face in choose_video_faces(found, None)]
        between = time.perf_counter()
        marks = Marks("edited", request.details)
        write_edited_video(out, video, edits, session.model, marks, lambda _: None)
        ended, cpu = time.perf_counter(), time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        results = {
            "benchmark": "video",
            "hardware": describe_machine(torch.device("cpu")),
            "usable_cores": len(os.sched_getaffinity(0)),
            "model": session.model.name,
            "edit": request.details,
            "frames": count,
            "find_faces_frames_per_second": count / (between - started),
            "edit_frames_per_second": count / (ended - between),
            "frames_per_second": count / (ended - started),
            "cpu_seconds_per_frame": cpu / count,
            "peak_memory_bytes": peak,
            "landmark_error": landmark_errors(edits, count),
            "flicker": measure_flicker(video, edits, session.model),
        }
    print(results)
    write_results(settings.out, results)
    return 0


def motion(second: float) -> np.ndarray:
    """`[2, 3]`: from the picture to the frame of a time; it pans, turns and zooms."""

    def swing(period: float) -> float:
        return math.sin(2 * math.pi * second / period)

    scale, angle = 1.7 * (1 + 0.12 * swing(7)), 0.12 * swing(5)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    centre = np.array([WIDTH / 2 + 180 * swing(6), HEIGHT / 2 + 30 + 40 * swing(4)])
    return np.hstack([turn, (centre - turn @ FACE)[:, None]])


def write_video(path: Path, seconds: float) -> None:
    """Write the video."""
    picture = astronaut()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(seconds * RATE)):
            pixels: Any = cv2.warpAffine(
                picture,
                motion(number / RATE),
                (WIDTH, HEIGHT),
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REFLECT_101,
            )
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def landmark_errors(edits: Sequence[SteadyEdit], count: int) -> dict[str, float]:
    """How far landmarks lie from where the motion brings their mean, in eye distances."""
    landmarks = edits[0].face.landmarks
    frames = sorted(landmarks)
    placed = []
    for number in frames:
        matrix = motion(number / RATE)
        placed.append((landmarks[number] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
    stacked = np.stack(placed)  # [T, 5, 2] in the picture
    eyes = np.linalg.norm(stacked[:, 1] - stacked[:, 0], axis=1).mean()
    errors = np.linalg.norm(stacked - stacked.mean(axis=0), axis=2).mean(axis=1) / eyes
    steps = np.linalg.norm(np.diff(stacked, axis=0), axis=2).mean() / eyes
    return {
        "frames_with_face": len(frames) / count,
        "mean": float(errors.mean()),
        "largest": float(errors.max()),
        "mean_step": float(steps),
    }


def measure_flicker(
    video: Video, edits: Sequence[SteadyEdit], model: FaceModel
) -> dict[str, float]:
    """Mean change between neighbouring frames where the edit is, of the edit and of the source.

    Once as the frames are; and once with the known motion undone, where what is left of the
    source's change is its noise.
    """
    sums: dict[str, list[float]] = {}

    def note(name: str, values: np.ndarray, where: np.ndarray) -> None:
        sums.setdefault(name, []).append(float(np.abs(values)[where].mean()))

    for (layer, source, at), (next_layer, next_source, next_at) in pairwise(
        layers_of(video, edits, model)
    ):
        where = (layer != 0) | (next_layer != 0)
        note("edit", layer, where)
        note("edit_change", next_layer - layer, where)
        note("source_change", next_source - source, where)
        still = [undone(values, at) for values in (layer, source)]
        next_still = [undone(values, next_at) for values in (next_layer, next_source)]
        where = (still[0] != 0) | (next_still[0] != 0)
        note("still_edit_change", next_still[0] - still[0], where)
        note("still_source_change", next_still[1] - still[1], where)
    means = {name: float(np.mean(values)) for name, values in sums.items()}
    return means | {
        "ratio": means["edit_change"] / means["source_change"],
        "still_ratio": means["still_edit_change"] / means["still_source_change"],
    }


def layers_of(
    video: Video, edits: Sequence[SteadyEdit], model: FaceModel
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What the edit adds to each frame, the frame, and its motion."""
    for number, (frame, pixels) in enumerate(edited_frames(video.frames(), edits, model)):
        source = frame.pixels.astype(np.float32)
        yield pixels - source, source, motion(number / RATE)


def undone(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A frame with the motion undone, in the coordinates of the picture."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    still: Any = cv2.warpAffine(values, matrix, astronaut().shape[1::-1], flags=flags)
    return np.asarray(still)


if __name__ == "__main__":
    sys.exit(main())

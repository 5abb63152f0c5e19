"""A folder of photos: its overlapping edit beside the same photos one after another.

Usage: `python benchmarks/folder.py --out benchmarks/results/folder-cpu.json`. The photos are made
of scikit-image's astronaut, each moved and lit a little differently. The two ways take turns, a few
photos at a time, so that other work on the machine slows both.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image, ImageEnhance
from skimage.data import astronaut

from hardware import write_results
from twobirds.api import FaceModel
from twobirds.apps.pictures import write_bytes
from twobirds.machine import describe_machine
from twobirds.photos import EditRequest, Marks, OpenPhoto, PhotoSession
from twobirds.photos.detectors import find_detector
from twobirds.photos.edit_log import EditLog
from twobirds.photos.folder import FolderPhoto, list_photos, name_edits
from twobirds.photos.folder_edit import FolderEdit, PhotoEdits, edit_photos

REQUEST = EditRequest({"Smiling": 0.0})
MARKS = Marks("edited", REQUEST.details)


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    model: str = "celeba128"
    """Which edits."""
    photos: int = 100
    """How many photos."""
    turn: int = 20
    """Photos that each way edits before the other has its turn."""
    size: tuple[int, int] = (2000, 1500)
    """Width and height of the photos in pixels."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    session = PhotoSession(FaceModel.load(settings.model, device="cpu"), find_detector())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "photos", settings)
        photos = name_edits(list_photos(folder / "photos"), folder / "out", as_png=False)
        overlapping, alone = measure(photos, session, settings.turn, folder)
        for photo in photos:
            one_by_one = folder / "one-by-one" / photo.output_name
            assert one_by_one.read_bytes() == photo.output.read_bytes(), photo.name
    results = {
        "benchmark": "folder",
        "hardware": describe_machine(torch.device("cpu")),
        "usable_cores": len(os.sched_getaffinity(0)),
        "photos": settings.photos,
        "size": settings.size,
        "overlapping_photos_per_second": settings.photos / sum(overlapping),
        "one_by_one_photos_per_second": settings.photos / sum(alone),
        "median_ratio": statistics.median(b / a for a, b in zip(overlapping, alone, strict=True)),
    }
    print(results)
    write_results(settings.out, results)
    return 0


def make_photos(folder: Path, settings: Settings) -> None:
    """Write photos of a face, all different."""
    folder.mkdir()
    picture = Image.fromarray(astronaut()[:384])
    rng = np.random.default_rng(0)
    for number in range(settings.photos):
        left, top = rng.integers(0, 40, 2)
        photo = picture.crop((left, top, left + 470, top + 340)).resize(settings.size)
        lit = ImageEnhance.Brightness(photo).enhance(rng.uniform(0.8, 1.2))
        lit.save(folder / f"{number:03d}.jpg", quality=92)


def measure(
    photos: Sequence[FolderPhoto], session: PhotoSession, turn: int, folder: Path
) -> tuple[list[float], list[float]]:
    """Seconds of each turn, overlapping and one by one."""
    job = FolderEdit(session, edit, MARKS)
    session.open(photos[0].source.read_bytes())  # the first pass is slower
    overlapping, alone = [], []
    with EditLog.opened(folder / "out", {}) as log:
        for start in range(0, len(photos), turn):
            part = photos[start : start + turn]
            started = time.perf_counter()
            assert all(outcome.entry.output for outcome in edit_photos(part, job, log))
            between = time.perf_counter()
            for photo in part:
                content = session.edit(photo.source.read_bytes(), REQUEST, marks=MARKS)
                place = folder / "one-by-one" / photo.output_name
                write_bytes(place, content)
            overlapping.append(between - started)
            alone.append(time.perf_counter() - between)
    return overlapping, alone


def edit(
    name: str,  # noqa: ARG001
    photo: OpenPhoto,
) -> PhotoEdits:
    """The edit of each photo."""
    return PhotoEdits(photo, photo.edit(REQUEST, photo.indices(None, for_edits=True)))


if __name__ == "__main__":
    sys.exit(main())

"""Memory that a photo takes from file to file, in a process that does nothing else (Linux).

Of the command `twobirds edit`; and of a program that edits it thrice, as a whole and by step.

Usage: `python benchmarks/photo_memory.py PHOTO`. `benchmarks/photos.py` runs it on its photos.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tyro

from twobirds.api import FaceModel
from twobirds.photos import EditRequest, Marks, PhotoSession
from twobirds.photos.detectors import find_detector

T = TypeVar("T")
_REPEATS = 3  # the C library keeps some of what the first edit frees


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    photo: tyro.conf.Positional[Path]
    """A photo with a face."""
    model: str = "celeba128"
    """Which edits it."""
    detector: Path | None = None
    """A YuNet file; else MTCNN."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the most memory of the process in MiB as JSON, as a whole and by step."""
    settings = tyro.cli(Settings, args=arguments)
    peaks = {"twobirds edit": memory_of_command(settings)}
    session = PhotoSession(
        FaceModel.load(settings.model, device="cpu"), find_detector(settings.detector)
    )
    data, request = settings.photo.read_bytes(), EditRequest({"Smiling": 0.0})
    peaks["loaded"] = most_memory()
    for _ in range(_REPEATS):
        session.edit(data, request, face=1)
    peaks["file to file"] = most_memory()

    def measured(step: str, function: Callable[[], T]) -> T:
        forget_most_memory()
        result = function()
        peaks[step] = most_memory()
        return result

    photo = measured("decode", lambda: session.decode(data))
    opened = measured("detect and recognize", lambda: session.find(data, photo))
    edits = opened.edit(request, opened.indices(1, for_edits=True)).by_index
    measured("composite and encode", lambda: opened.encode(edits, Marks("edited", "")))
    print(json.dumps(peaks))
    return 0


def memory_of_command(settings: Settings) -> int:
    """The most memory of the command on the photo, in MiB; to be called first of all.

    The system counts what this process has when it starts the command, too.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "twobirds", "edit", str(settings.photo), "--out", folder]
        command += ["--set", "Smiling=0", "--model", settings.model, "--device", "cpu"]
        if settings.detector is not None:
            command += ["--detector", str(settings.detector)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024  # KiB


def most_memory() -> int:
    """The most memory of this process since it began or last forgot, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024  # KiB


def forget_most_memory() -> Any:
    """Let `most_memory` begin anew at what the process has now; see proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    sys.exit(main())

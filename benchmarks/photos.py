"""Loose photos found and aligned, beside the same faces aligned by their listed landmarks.

Usage: `python benchmarks/photos.py FOLDER --out benchmarks/results/photos.json`. FOLDER holds
photos in CelebA's layout: img_celeba, list_attr_celeba.txt, list_landmarks_celeba.txt. Without it
only the photos of 12 megapixels and the slider are timed.
"""

import io
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image
from skimage.data import astronaut

from hardware import seconds_of, write_results
from twobirds.api import FaceModel
from twobirds.apps.web.service import FaceService
from twobirds.data.similarity import apply
from twobirds.machine import describe_machine
from twobirds.photos import EditRequest, Marks, PhotoSession, read_photo
from twobirds.photos.align import cut_face, place
from twobirds.photos.detectors import find_detector
from twobirds.photos.faces import Detector
from twobirds.photos.found import cut_faces
from twobirds.photos.template import template_of

MEGAPIXELS_12 = (3000, 4000)
CLOSE = astronaut()[20:245, 120:320]
"""A face and little else."""
_GRAIN = 6  # levels


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    folder: tyro.conf.Positional[Path | None] = None
    """The loose photos."""
    model: str = "celeba128"
    """Whose recognizer predicts the attributes."""
    detector: Path | None = None
    """A YuNet file; else MTCNN."""
    max_photos: int = 1000
    """Maximum number of photos."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    model = FaceModel.load(settings.model, device="cpu")
    detector = find_detector(settings.detector)
    results: dict[str, Any] = {
        "benchmark": "photos",
        "hardware": describe_machine(torch.device("cpu")),
        "model": model.name,
        "detector": detector.name,
        "12 megapixels": measure_large(astronaut()[:384], settings, model, detector),
        "12 megapixels, all face": measure_large(CLOSE, settings, model, detector),
        "slider": measure_slider(model, detector),
    }
    if settings.folder is not None:
        results["loose"] = measure_loose(settings.folder, settings, model, detector)
    for part in ("12 megapixels", "12 megapixels, all face", "slider"):
        print(part, results[part])
    write_results(settings.out, results)
    return 0


def measure_loose(
    folder: Path, settings: Settings, model: FaceModel, detector: Detector
) -> dict[str, Any]:
    """How many faces are found, where their landmarks lie, and how well they are recognized."""
    listed = read_landmarks(folder / "list_landmarks_celeba.txt")
    labels = read_labels(folder / "list_attr_celeba.txt", model.attributes)
    template = template_of(model)
    eyes = float(np.linalg.norm(np.subtract(template[0], template[1]))) * model.size
    found, aligned, truth, distances = [], [], [], []
    names = list(listed)[: settings.max_photos]
    for name in names:
        photo = read_photo((folder / "img_celeba" / name).read_bytes())
        landmarks = listed[name]
        faces = [
            face
            for face in cut_faces(photo, detector, model)
            if np.linalg.norm(face.face.landmarks.mean(0) - landmarks.mean(0))
            < np.linalg.norm(landmarks[0] - landmarks[1])
        ]
        if not faces:
            print(f"{name}: its face is not found")
            continue
        lie = apply(faces[0].placement.matrix, landmarks)
        distances.append(
            np.linalg.norm(lie - np.array(template) * model.size, axis=1).mean() / eyes
        )
        found.append(faces[0].crop)
        aligned.append(cut_face(photo.opaque, place(landmarks, template, model.size)))
        truth.append(labels[name])
    losses = {
        "hamming_loss": hamming_loss(model, found, truth),
        "hamming_loss_aligned": hamming_loss(model, aligned, truth),
    }
    return {
        "photos": len(names),
        "found": len(found),
        "landmark_distance_median": float(np.median(distances)),
        "landmark_distance_90": float(np.quantile(distances, 0.9)),
        **losses,
    }


def hamming_loss(model: FaceModel, crops: list[np.ndarray], truth: list[np.ndarray]) -> float:
    """Share of attributes predicted wrongly."""
    predicted = model.recognize(np.stack(crops)).numpy() > 0.5
    return float((predicted != np.stack(truth)).mean())


def measure_large(
    pixels: np.ndarray, settings: Settings, model: FaceModel, detector: Detector
) -> dict[str, Any]:
    """A JPEG of 12 megapixels to the edited one: seconds by step, and memory of a process for it.

    Of a step the median counts. The grain is a camera's: JPEG files of smooth photos are faster.
    """
    picture = np.asarray(Image.fromarray(pixels).resize(MEGAPIXELS_12[::-1])).astype(np.int16)
    picture += np.random.default_rng(0).integers(-_GRAIN, _GRAIN + 1, picture.shape, np.int16)
    data = encoded(Image.fromarray(picture.clip(0, 255).astype(np.uint8)))
    del picture
    session, request = PhotoSession(model, detector), EditRequest({"Smiling": 0.0})
    device = torch.device("cpu")
    photo = session.decode(data)
    opened = session.find(data, photo)
    edits = opened.edit(request, opened.indices(1, for_edits=True)).by_index
    marks = Marks("edited", request.details)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        steps: dict[str, Callable[[], Any]] = {
            "file to file": lambda: session.edit(data, request, face=1),
            "decode": lambda: session.decode(data),
            "detect and recognize": lambda: session.find(data, photo),
            "composite": lambda: opened.composite(edits),
            "composite and encode": lambda: opened.encode(edits, marks),
            "JPEG decoder alone": lambda: Image.open(io.BytesIO(data)).load(),
            "JPEG encoder alone": lambda: image.save(io.BytesIO(), "JPEG", qtables="keep"),
        }
        seconds = {
            name: statistics.median(seconds_of(step, device, repeats=5))
            for name, step in steps.items()
        }
    figures: dict[str, Any] = {f"{name} (s)": value for name, value in seconds.items()}
    return figures | {"most memory of the process (MiB)": measure_memory(data, settings)}


def measure_memory(data: bytes, settings: Settings) -> dict[str, int]:
    """Run `photo_memory.py` on a photo; nothing where there is no Linux."""
    if not Path("/proc/self/clear_refs").exists():
        return {}
    script = Path(__file__).with_name("photo_memory.py")
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        command = [sys.executable, str(script), file.name, "--model", settings.model]
        if settings.detector is not None:
            command += ["--detector", str(settings.detector)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    peaks: dict[str, int] = json.loads(output)
    return peaks


def measure_slider(model: FaceModel, detector: Detector) -> dict[str, float]:
    """Seconds from a slider's move to the new picture, without the browser."""
    service = FaceService(model, detector)
    photo = service.open(encoded(Image.fromarray(astronaut())))
    device = torch.device("cpu")
    request = EditRequest({"Smiling": 0.0})
    seconds = seconds_of(lambda: service.edit(photo, 0, request), device, repeats=20)
    return {"median_seconds": statistics.median(seconds), "slowest_seconds": max(seconds)}


def encoded(picture: Image.Image) -> bytes:
    """A picture as a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=92)
    return buffer.getvalue()


def read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """Landmarks `[5, 2]` by file, from CelebA's list."""
    rows = [line.split() for line in path.read_text().splitlines()[2:] if line]
    return {name: np.array(values, float).reshape(5, 2) for name, *values in rows}


def read_labels(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Attributes `[K]` bool by file, in the order of `names`, from CelebA's list."""
    _, header, *lines = path.read_text().splitlines()
    columns = [header.split().index(name) for name in names]
    rows = [line.split() for line in lines if line]
    return {name: np.array(values)[columns] == "1" for name, *values in rows}


if __name__ == "__main__":
    sys.exit(main())

"""Face detectors compared: faces found, landmarks, false faces, time (ADR 27).

Usage: `python benchmarks/detectors.py --out benchmarks/results/detectors.json`. The folder that
TWOBIRDS_SHARED names (default ../shared) has photos in CelebA's layout in data/celeba_unaligned and
YuNet's file in models; without it nothing is measured. Landmark errors are of the photos of odd
rank: the detectors' constant bias was taken from the others.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
import torch
import tyro
from PIL import Image, ImageDraw, ImageFont

from hardware import write_results
from photos import Settings as PhotoSettings
from photos import measure_loose, read_landmarks
from twobirds.api import FaceModel
from twobirds.machine import describe_machine
from twobirds.photos.detectors import find_detector
from twobirds.photos.faces import Detector
from twobirds.photos.pyramid import rotation

WRONG_LIST = {"194304.jpg"}
"""Photos whose listed landmarks are wrong: they count as found, not as measured."""
WITH_PEOPLE = {"astronaut", "camera"}
"""Of scikit-image's pictures."""
MATCH = 0.5
"""Mean landmark error below which a detection is the listed face, in eye distances."""
MEGAPIXELS_12 = (4000, 3000)
Scene = tuple[np.ndarray, np.ndarray]
"""Pixels `[H, W, 3]` uint8 and the landmarks `[5, 2]` of the face in them."""


@dataclass(frozen=True)
class Settings:
    """What to measure."""

    model: str = "celeba128"
    """Whose recognizer predicts the attributes."""
    max_photos: int = 1000
    """Maximum number of photos."""
    out: Path | None = None
    """Where the results go, as JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    settings = tyro.cli(Settings, args=arguments)
    shared = Path(os.environ.get("TWOBIRDS_SHARED", "../shared"))
    folder = shared / "data/celeba_unaligned"
    if not folder.is_dir():
        print(f"nothing is measured: no photos in {folder}; set TWOBIRDS_SHARED")
        return 0
    model = FaceModel.load(settings.model, device="cpu")
    files = {"mtcnn": None, "yunet": shared / "models/face_detection_yunet_2023mar.onnx"}
    photos = PhotoSettings(folder, model=settings.model, max_photos=settings.max_photos)
    results: dict[str, Any] = {
        "benchmark": "detectors",
        "hardware": describe_machine(torch.device("cpu")),
        "opencv": cv2.__version__,
    }
    for name, file in files.items():
        detector = find_detector(file)
        results[name] = {
            "variants": measure_variants(folder, detector, settings.max_photos),
            "without_faces": count_false(detector),
            "recognition": measure_loose(folder, photos, model, detector),
            "12_megapixels_cpu_seconds": measure_large(detector),
        }
        print(name, results[name])
    write_results(settings.out, results)
    return 0


def measure_variants(folder: Path, detector: Detector, max_photos: int) -> dict[str, Any]:
    """Faces found and landmark errors on the photos as they are, and changed in several ways."""
    listed = read_landmarks(folder / "list_landmarks_celeba.txt")
    measured = {}
    for name, change in VARIANTS.items():
        scenes = []
        for file in list(listed)[:max_photos]:
            pixels = np.asarray(Image.open(folder / "img_celeba" / file).convert("RGB"))
            scenes.append((file, *change(pixels, listed[file])))
        measured[name] = measure(detector, scenes)
        print(f"{detector.name}, {name}: {measured[name]}", flush=True)
    return measured


def measure(detector: Detector, scenes: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Any:
    """Detect in scenes with one listed face each."""
    errors: dict[str, np.ndarray] = {}
    scores, others, seconds = [], 0, 0.0
    for file, pixels, landmarks in scenes:
        started = time.process_time()
        faces = detector.detect(pixels)
        seconds += time.process_time() - started
        match = MATCH * (4 if file in WRONG_LIST else 1)
        hits = [
            (face.score, error)
            for face in faces
            if distance(error := in_eye_distances(face.landmarks, landmarks)) < match
        ]
        others += len(faces) - len(hits[:1])
        if hits:
            score, errors[file] = max(hits, key=lambda hit: hit[0])
            scores.append(score)
    names = [name for name, _, _ in scenes]
    exact = [name for name in errors if name not in WRONG_LIST]
    reported = [distance(errors[name]) for name in exact if names.index(name) % 2]
    calibration = [errors[name] for name in exact if not names.index(name) % 2]
    return {
        "photos": len(scenes),
        "found": len(errors),
        "missed": sorted(set(names) - set(errors)),
        "lowest_score": round(min(scores), 3),
        "other_faces": others,
        "landmark_error_median": round(float(np.median(reported)), 4),
        "landmark_error_90": round(float(np.quantile(reported, 0.9)), 4),
        "bias_of_the_other_half": np.median(calibration, axis=0).round(3).tolist(),
        "cpu_ms": round(1000 * seconds / len(scenes), 1),
    }


def in_eye_distances(found: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """Errors `[5, 2]` along and across the line of the listed eyes."""
    eyes = listed[1] - listed[0]
    turned = ((found - listed) @ [1, 1j]) / (eyes @ [1, 1j])  # points as complex numbers
    return np.stack([turned.real, turned.imag], axis=1)


def distance(errors: np.ndarray) -> float:
    """Mean length of errors `[5, 2]`."""
    return float(np.linalg.norm(errors, axis=1).mean())


def turned(degrees: float) -> Callable[[np.ndarray, np.ndarray], Scene]:
    """Turns a photo about its middle; its edge pixels fill the corners."""

    def turn(pixels: np.ndarray, landmarks: np.ndarray) -> Scene:
        height, width = pixels.shape[:2]
        side, matrix = int(np.hypot(height, width)), rotation(np.radians(degrees))
        shift = np.full(2, side / 2) - matrix @ [width / 2, height / 2]
        centres = np.hstack([matrix, (shift + matrix @ [0.5, 0.5] - 0.5)[:, None]])
        image = cv2.warpAffine(pixels, centres, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return image, landmarks @ matrix.T + shift

    return turn


def with_eyes_apart(distance_pixels: float) -> Callable[[np.ndarray, np.ndarray], Scene]:
    """Shrinks a photo until the eyes are so many pixels apart."""

    def shrink(pixels: np.ndarray, landmarks: np.ndarray) -> Scene:
        extent = np.array(pixels.shape[1::-1])
        size = np.maximum(1, np.rint(extent * (distance_pixels / eye_distance(landmarks))))
        image = cv2.resize(pixels, tuple(size.astype(int)), interpolation=cv2.INTER_AREA)
        return image, landmarks * size / extent

    return shrink


def dark(pixels: np.ndarray, landmarks: np.ndarray) -> Scene:
    """A seventh of the light, and noise."""
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return (pixels * 0.15 + noise).clip(0, 255).astype(np.uint8), landmarks


def blurred(pixels: np.ndarray, landmarks: np.ndarray) -> Scene:
    """By a Gaussian of a fifteenth of the eye distance."""
    return cv2.GaussianBlur(pixels, (0, 0), eye_distance(landmarks) / 15), landmarks


def cut_off(left: float, top: float, right: float, bottom: float) -> Any:
    """Cuts a photo at so many eye distances from the landmarks' bounding box."""

    def cut(pixels: np.ndarray, landmarks: np.ndarray) -> Scene:
        margins = np.array([left, top, right, bottom]) * eye_distance(landmarks)
        x0, y0 = np.maximum(landmarks.min(axis=0) - margins[:2], 0).astype(int)
        x1, y1 = np.minimum(landmarks.max(axis=0) + margins[2:], pixels.shape[1::-1]).astype(int)
        return np.ascontiguousarray(pixels[y0:y1, x0:x1]), landmarks - (x0, y0)

    return cut


def eye_distance(landmarks: np.ndarray) -> float:
    """In pixels."""
    return float(np.linalg.norm(landmarks[1] - landmarks[0]))


VARIANTS: dict[str, Callable[[np.ndarray, np.ndarray], Scene]] = {
    "plain": lambda pixels, landmarks: (pixels, landmarks),
    "turned by 40 degrees": turned(40),
    "turned by -40 degrees": turned(-40),
    "dark": dark,
    "14 px between the eyes": with_eyes_apart(14),
    "10 px between the eyes": with_eyes_apart(10),
    "blurred": blurred,
    "cut beside an eye": cut_off(0.3, 9, 9, 9),
    "cut above the eyes": cut_off(9, 0.5, 9, 9),
    "cut below the mouth": cut_off(9, 9, 9, 0.25),
    "nothing but face": cut_off(0.5, 0.5, 0.5, 0.5),
}


def without_faces() -> dict[str, np.ndarray]:
    """scikit-image's pictures without people, and a drawn name badge, by name."""
    folder = Path(skimage.data.__file__).parent
    files = [f for f in sorted(folder.iterdir()) if f.suffix in (".png", ".jpg")]
    pictures = {
        file.stem: np.asarray(Image.open(file).convert("RGB"))
        for file in files
        if file.stem not in WITH_PEOPLE
    }
    return pictures | {"name badge": name_badge()}


def name_badge() -> np.ndarray:
    """A badge `[640, 480, 3]` uint8 with text and a smiley."""
    image = Image.new("RGB", (480, 640), (30, 60, 120))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((60, 120, 420, 520), 24, fill=(250, 250, 245))
    pen.rectangle((60, 120, 420, 200), fill=(200, 30, 40))
    for place, text, size, ink in (
        ((110, 140), "HELLO", 40, "white"),
        ((110, 230), "Sam Doe", 56, "black"),
        ((110, 460), "No. 48213", 28, "grey"),
    ):
        pen.text(place, text, font=ImageFont.load_default(size), fill=ink)
    pen.ellipse((190, 330, 290, 430), fill=(225, 180, 150))
    for left in (215, 255):
        pen.ellipse((left, 365, left + 10, 375), fill="black")
    pen.arc((220, 380, 260, 410), 20, 160, fill=(120, 20, 20), width=4)
    return np.asarray(image)


def count_false(detector: Detector) -> dict[str, Any]:
    """Faces found in pictures that have none, as they are and changed in eight ways."""
    pictures = without_faces()
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as they are": lambda p: p,
        "mirrored": lambda p: p[:, ::-1],
        "turned by 90 degrees": np.rot90,
        "turned by 180 degrees": lambda p: np.rot90(p, 2),
        "half as large": lambda p: resized(p, 0.5),
        "0.7 times as large": lambda p: resized(p, 0.7),
        "twice as large": lambda p: resized(p, 2),
        "dark": lambda p: (p * 0.3).astype(np.uint8),
        "a part": lambda p: p[p.shape[0] // 4 :, p.shape[1] // 5 :],
    }
    found = {
        name: {
            picture: [round(face.score, 3) for face in faces]
            for picture, pixels in pictures.items()
            if (faces := detector.detect(np.ascontiguousarray(change(pixels))))
        }
        for name, change in changes.items()
    }
    return {"pictures": len(pictures), "scores": found}


def resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    """`[H, W, 3]` uint8 with other height and width."""
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=kind)


def measure_large(detector: Detector) -> dict[str, float]:
    """Median CPU seconds to search photos of 12 megapixels."""
    astronaut = skimage.data.astronaut()
    scenes = {"a face in the middle": astronaut[:384], "without a face": skimage.data.coffee()}
    measured = {}
    for name, pixels in scenes.items():
        photo = cv2.resize(pixels, MEGAPIXELS_12)
        detector.detect(photo)
        seconds = []
        for _ in range(5):
            started = time.process_time()
            detector.detect(photo)
            seconds.append(time.process_time() - started)
        measured[name] = round(statistics.median(seconds), 3)
    return measured


if __name__ == "__main__":
    sys.exit(main())

"""Small sources of random faces for the tests of the import path."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from twobirds.data.source import Source

ATTRIBUTES = ("Bald", "Male", "Smiling")
SIGNS = np.random.default_rng(0).choice([-1, 1], size=(12, 3))
SIGNS[0] = (-1, 1, -1)


def image_bytes(number: int, size: tuple[int, int] = (16, 16), kind: str = "png") -> bytes:
    """A file with random pixels, a pure function of its arguments."""
    width, height = size
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind.upper().replace("JPG", "JPEG"), lossless=True)
    return buffer.getvalue()


def names(count: int = 12, kind: str = "png") -> list[str]:
    return [f"{i:06d}.{kind}" for i in range(1, count + 1)]


def attribute_text(count: int = 12, end: str = "\n") -> str:
    rows = [
        f"{name} " + " ".join(f"{sign:2d}" for sign in SIGNS[i])
        for i, name in enumerate(names(count))
    ]
    return end.join([str(count), " ".join(ATTRIBUTES) + " ", *rows, ""])


def attribute_csv(count: int = 12) -> str:
    rows = [f"{name}," + ",".join(map(str, SIGNS[i])) for i, name in enumerate(names(count))]
    return "\n".join([f"image_id,{','.join(ATTRIBUTES)}", *rows, ""])


def identity_text(count: int = 12) -> str:
    """Three images of each person."""
    return "".join(f"{name} {100 + i // 3}\n" for i, name in enumerate(names(count)))


def partition_text(count: int = 12) -> str:
    """By identity: the last person tests, the one before validates."""
    return "".join(f"{name} {max(0, i // 3 - 1)}\n" for i, name in enumerate(names(count)))


def celeba_files(count: int = 12, size: tuple[int, int] = (16, 16)) -> dict[str, bytes]:
    """CelebA's layout, as paths and contents."""
    return {
        "list_attr_celeba.txt": attribute_text(count).encode(),
        "identity_CelebA.txt": identity_text(count).encode(),
        "list_eval_partition.txt": partition_text(count).encode(),
        **{f"img_align_celeba/{n}": image_bytes(i, size) for i, n in enumerate(names(count))},
    }


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes], prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(prefix + name, content)
    return path


def mutate(data: bytes, generator: np.random.Generator) -> bytes:
    """Damage a file: flip, overwrite, delete, repeat or cut off bytes."""
    changed = bytearray(data)
    for _ in range(int(generator.integers(1, 5))):
        at = int(generator.integers(0, max(1, len(changed))))
        length = int(generator.integers(1, 9))
        match int(generator.integers(5)):
            case 0:
                changed[at : at + 1] = bytes([int(generator.integers(256))])
            case 1:
                changed[at : at + length] = generator.bytes(length)
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + 4 * length]
            case 4:
                del changed[at + len(changed) // 2 :]
    return bytes(changed)


def problems_by_kind(source: Source) -> dict[str, list[str]]:
    """Problems of a source, as `where: what`."""
    found: dict[str, list[str]] = {}
    for problem in source.problems:
        found.setdefault(problem.kind, []).append(f"{problem.where}: {problem.what}")
    return found

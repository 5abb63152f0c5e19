"""The files in which a pack is carried: each has faces as image files, and their labels."""

import io
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from twobirds.atomic import new_folder
from twobirds.data.pack import ARRAYS, FORMAT, HEADER_FILE, Pack, hash_file, open_pack, seal_header
from twobirds.data.writing import RowWriter
from twobirds.errors import InputError

_CHUNK = 256  # faces decoded at a time


def decode(data: bytes) -> np.ndarray:
    """Pixels `[H, W, 3]` uint8 of an image file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def write_piece(
    path: Path, header: dict[str, Any], faces: Sequence[bytes], pack: Pack, rows: Sequence[int]
) -> None:
    """Write a file.

    Args:
        path: The file.
        header: `size`, `attributes`, `landmarks` and `drawn` of the pack, `names` of the faces,
            `piece` and `pieces`, and `carry`, which pieces of one pack have in common.
        faces: Image files, of one face each.
        pack: Where the labels are from.
        rows: Of the faces, in the pack.
    """
    labels = io.BytesIO()
    np.savez_compressed(
        labels,
        lengths=np.array([len(face) for face in faces]),
        attributes=np.packbits(pack.attributes[rows], axis=1),
        split=pack.split[rows],
        identity=pack.identity[rows],
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("piece.json", json.dumps(header), zipfile.ZIP_DEFLATED)
        archive.writestr("labels.npz", labels.getvalue())
        archive.writestr("faces.bin", b"".join(faces))


def unpack(pieces: Path, out: Path) -> Pack:
    """Make a pack of all pieces in a folder.

    Raises:
        InputError: If one is missing, damaged, or of another carry.
    """
    paths = sorted(pieces.glob("faces-*-of-*.zip"))
    headers = [_load_header(path) for path in paths]
    _require_all(pieces, headers)
    order = sorted(range(len(paths)), key=lambda i: int(headers[i]["piece"]))
    names = [name for i in order for name in headers[i]["names"]]
    first, labels = headers[order[0]], [_load_labels(paths[i]) for i in order]
    size, num_attributes = first["size"], len(first["attributes"])
    with new_folder(out) as temporary:
        with RowWriter(temporary / "images.npy", (size, size, 3), len(names)) as writer:
            for i, label in zip(order, labels, strict=True):
                for face in _decode_all(paths[i], label["lengths"]):
                    writer.append(face)
        packed = np.concatenate([label["attributes"] for label in labels])
        np.save(temporary / "attributes.npy", np.unpackbits(packed, axis=1, count=num_attributes))
        for name in ("split", "identity"):
            np.save(temporary / f"{name}.npy", np.concatenate([label[name] for label in labels]))
        header = {key: first[key] for key in ("size", "attributes", "landmarks", "drawn")}
        header |= {"format": FORMAT, "count": len(names), "names": names}
        header |= {"source": {"kind": "carried", "name": first["carry"][:12]}, "skipped": 0}
        header["sha256"] = {name: hash_file(temporary / name) for name in ARRAYS}
        seal_header(header)
        (temporary / HEADER_FILE).write_text(json.dumps(header) + "\n", encoding="utf-8")
    return open_pack(out)


def _load_header(path: Path) -> dict[str, Any]:
    """What `piece.json` says, the whole file's checksums verified."""
    try:
        with zipfile.ZipFile(path) as archive:
            if (damaged := archive.testzip()) is not None:
                raise InputError(f"{path}: {damaged} in it is damaged: carry it again")
            header: dict[str, Any] = json.loads(archive.read("piece.json"))
            return header
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no piece of a pack: {error}") from error


def _load_labels(path: Path) -> dict[str, np.ndarray]:
    with (
        zipfile.ZipFile(path) as archive,
        np.load(io.BytesIO(archive.read("labels.npz"))) as arrays,
    ):
        return dict(arrays)


def _require_all(folder: Path, headers: Sequence[dict[str, Any]]) -> None:
    if not headers:
        raise InputError(f"{folder}: has no pieces (faces-1-of-N.zip and so on)")
    if len({header["carry"] for header in headers}) > 1:
        raise InputError(f"{folder}: has pieces of different packs: leave those of one there")
    missing = set(range(1, headers[0]["pieces"] + 1)) - {header["piece"] for header in headers}
    if missing:
        listed = ", ".join(map(str, sorted(missing)))
        raise InputError(f"{folder}: piece {listed} of {headers[0]['pieces']} is missing")


def _decode_all(path: Path, lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Faces `[H, W, 3]` in order, decoded by as many threads as there are cores."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read("faces.bin")
    ends = np.cumsum(lengths)
    faces = [content[end - n : end] for n, end in zip(lengths, ends, strict=True)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(faces), _CHUNK):
            yield from pool.map(decode, faces[start : start + _CHUNK])

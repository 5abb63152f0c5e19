"""A pack: faces as one memory-mapped array, with their attributes, splits and identities."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twobirds.atomic import json_sha256
from twobirds.data.shards import ONE_FILE, PackImages, ShardedImages, shard_file
from twobirds.data.splits import SPLITS
from twobirds.errors import InputError

FORMAT = 1
"""Version of the layout of packs whose images are in one file."""
SHARDED_FORMAT = 2
"""Version of the layout of packs whose images are in several files."""
HEADER_FILE = "pack.json"
"""Names, splits and hashes."""
LABEL_ARRAYS: tuple[str, ...] = ("attributes.npy", "split.npy", "identity.npy")
"""The files beside `pack.json` and the images."""
ARRAYS: tuple[str, ...] = (ONE_FILE, *LABEL_ARRAYS)
"""The files beside `pack.json`, where the images are in one."""

Landmarks = tuple[tuple[float, float], ...]
"""Left eye, right eye, nose tip, left and right mouth corner, as fractions (x, y) of the image."""


@dataclass(frozen=True, eq=False)
class Pack:
    """An open pack of N faces with K attributes."""

    path: Path
    """Its folder."""
    images: PackImages
    """`[N, size, size, 3]` uint8 RGB, mapped from disk, read-only."""
    attributes: np.ndarray
    """`[N, K]` uint8 0/1."""
    split: np.ndarray
    """`[N]` uint8: 0 train, 1 valid, 2 test."""
    identity: np.ndarray
    """`[N]` int64 labels of people, -1 where unknown."""
    names: tuple[str, ...]
    """The N file names."""
    attribute_names: tuple[str, ...]
    """The K names."""
    size: int
    """Height and width of the images in pixels."""
    landmarks: Landmarks | None
    """Where the faces have their landmarks; None where unknown or unaligned."""
    drawn: dict[str, Any] | None
    """How the faces were drawn; None for photos."""
    sha256: str
    """Hash of everything but the pack's place and source."""

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[Callable[[Path], "Pack"], tuple[Path]]:
        """Another process opens the folder itself, instead of being sent a copy."""
        return open_pack, (self.path,)

    def rows(self, split: str) -> np.ndarray:
        """Rows of a split, in order, `[M]` int64.

        Raises:
            InputError: If `split` is none of train, valid, test.
        """
        if split not in SPLITS:
            raise InputError(f"no split {split!r}: choose one of {', '.join(SPLITS)}")
        return np.flatnonzero(self.split == SPLITS[split]).astype(np.int64)

    def people(self) -> np.ndarray:
        """Who is shown, counted from 0 over those with two faces or more in the train split.

        Returns:
            `[N]` int64; -1 for all others.
        """
        rows = self.rows("train")
        labels, places, counts = np.unique(
            self.identity[rows], return_inverse=True, return_counts=True
        )
        counted = (counts > 1) & (labels >= 0)
        numbers = np.where(counted, counted.cumsum() - 1, -1)
        people = np.full(len(self), -1, np.int64)
        people[rows] = numbers[places]
        return people


def open_pack(path: Path | str, *, verify: bool = False) -> Pack:
    """Open a pack, and check that its files fit together.

    Args:
        path: The folder.
        verify: Also compare every file with its hash, which reads all of it.

    Raises:
        InputError: If there is no pack, or it is damaged.
    """
    folder = Path(path)
    header = load_header(folder)
    count, size, num_attributes = header["count"], header["size"], len(header["attributes"])
    images = _open_images(folder, header)
    attributes = _open_array(folder / "attributes.npy", (count, num_attributes), np.uint8)
    split = _open_array(folder / "split.npy", (count,), np.uint8)
    identity = _open_array(folder / "identity.npy", (count,), np.int64)
    if attributes.size and attributes.max() > 1:
        raise _damaged(folder / "attributes.npy", "it has values other than 0 and 1")
    if split.max() > max(SPLITS.values()):
        raise _damaged(folder / "split.npy", "it has values above 2")
    if identity.min() < -1:
        raise _damaged(folder / "identity.npy", "it has values below -1")
    if verify:
        for name, expected in header["sha256"].items():
            if hash_file(folder / name) != expected:
                raise _damaged(folder / name, "it does not match its hash")
    landmarks = header["landmarks"]
    return Pack(
        path=folder,
        images=images,
        attributes=np.array(attributes),
        split=np.array(split),
        identity=np.array(identity),
        names=tuple(header["names"]),
        attribute_names=tuple(header["attributes"]),
        size=size,
        landmarks=landmarks and tuple((float(x), float(y)) for x, y in landmarks),
        drawn=header["drawn"],
        sha256=header["pack_sha256"],
    )


def load_header(folder: Path) -> dict[str, Any]:
    """Load and check `pack.json`.

    Raises:
        InputError: If it is absent, unreadable, malformed, or was changed after packing.
    """
    path = folder / HEADER_FILE
    try:
        header = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        what = "does not exist" if not folder.exists() else "is not a pack: it has no pack.json"
        raise InputError(f"{folder} {what}; make one with twobirds pack") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise _damaged(path, "it is not an object")
    for fault in _header_faults(header):
        raise _damaged(path, fault)
    return header


def image_files(header: dict[str, Any]) -> dict[str, int]:
    """The files of a pack that hold its images, in order, and how many are in each."""
    if header["format"] == FORMAT:
        return {ONE_FILE: header["count"]}
    return {shard_file(number): count for number, count in enumerate(header["shards"])}


def _hash_content(header: dict[str, Any]) -> str:
    """Hash what defines a pack's content, as hexadecimal SHA-256; its source is left out."""
    keys = ["format", "size", "count", "attributes", "landmarks", "drawn", "names", "sha256"]
    if "shards" in header:
        keys.append("shards")
    return json_sha256({key: header[key] for key in keys})


def seal_header(header: dict[str, Any]) -> None:
    """Add to a header the hash of the content, and one of all that is written in it."""
    header["pack_sha256"] = _hash_content(header)
    header["header_sha256"] = _hash_all(header)


def _hash_all(header: dict[str, Any]) -> str:
    return json_sha256({key: value for key, value in header.items() if key != "header_sha256"})


def hash_file(path: Path) -> str:
    """Hash a file, as hexadecimal SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_landmarks(landmarks: Any) -> bool:
    """Whether `landmarks` are five pairs of numbers from -1 to 2 (a point may lie outside)."""
    return (
        isinstance(landmarks, list | tuple)
        and len(landmarks) == 5
        and all(isinstance(point, list | tuple) and len(point) == 2 for point in landmarks)
        and all(
            isinstance(x, int | float) and not isinstance(x, bool) and -1 <= x <= 2
            for point in landmarks
            for x in point
        )
    )


def _header_faults(header: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with `pack.json`; a check may rely on those before it."""
    if header.get("format") not in (FORMAT, SHARDED_FORMAT):
        yield f"it is of none of the formats {FORMAT} and {SHARDED_FORMAT}"
    for key in ("count", "size"):
        if type(header.get(key)) is not int or not 1 <= header[key] < 2**31:
            yield f"{key} must be a positive number"
    for key in ("attributes", "names"):
        values = header.get(key)
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            yield f"{key} must be a list of names"
    if len(header["names"]) != header["count"]:
        yield f"it has {len(header['names'])} names for {header['count']} images"
    if len(set(header["attributes"])) != len(header["attributes"]):
        yield "an attribute is named twice"
    if header["format"] == SHARDED_FORMAT:
        yield from _shard_faults(header)
    hashes, files = header.get("sha256"), [*image_files(header), *LABEL_ARRAYS]
    if not isinstance(hashes, dict) or set(hashes) != set(files):
        yield f"sha256 must have {', '.join(files[:5])}{' ...' if len(files) > 5 else ''}"
    if not isinstance(header.get("drawn", 0), dict | None):
        yield "drawn must be an object or null"
    landmarks = header.get("landmarks", 0)
    if landmarks is not None and not check_landmarks(landmarks):
        yield "landmarks must be five [x, y] pairs or null"
    is_whole = header.get("header_sha256", _hash_all(header)) == _hash_all(header)  # old: without
    if header.get("pack_sha256") != _hash_content(header) or not is_whole:
        yield "it was changed after packing"


def _shard_faults(header: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the shards in `pack.json`."""
    counts = header.get("shards")
    if not isinstance(counts, list) or not all(type(n) is int and n >= 1 for n in counts):
        yield "shards must be a list of positive numbers"
    elif sum(counts) != header["count"]:
        yield f"its shards have {sum(counts)} of {header['count']} images"


def _open_images(folder: Path, header: dict[str, Any]) -> PackImages:
    """Map the images of a pack from disk."""
    size = header["size"]
    arrays = [
        _open_array(folder / name, (count, size, size, 3), np.uint8)
        for name, count in image_files(header).items()
    ]
    return arrays[0] if header["format"] == FORMAT else ShardedImages(arrays)


def _open_array(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Map an array from disk, read-only, and check what it is."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise _damaged(path, "it is missing") from error
    except Exception as error:  # numpy's header parser raises anything on damaged files
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the file's
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        raise _damaged(path, "it is not an array") from error  # numpy's words name its own objects
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        have = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive"
        raise _damaged(path, f"it is {have} instead of {np.dtype(dtype)} {shape}")
    if not array.flags.c_contiguous:
        raise _damaged(path, "it is not in C order")
    return array


def _damaged(path: Path, what: str) -> InputError:
    """The error for a pack that cannot be used."""
    return InputError(f"{path} is damaged: {what}; make the pack again with twobirds pack")

"""Pictures of four colours, of which it is known how every decoder must show them."""

import io
import itertools
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from campaign.observe import Action, WrongResultError
from twobirds.data.images import decode_image
from twobirds.photos.encode import encode_photo
from twobirds.photos.photo import read_photo

_HEIGHT, _WIDTH = 32, 48
_FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 97, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
}
_D50 = np.array([0.9642, 1.0, 0.8249])
_SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
_ADOBE_RGB = ((0.6097, 0.2053, 0.1492), (0.3111, 0.6257, 0.0632), (0.0195, 0.0609, 0.7446))
_PROPHOTO = ((0.7977, 0.1352, 0.0313), (0.288, 0.7119, 0.0001), (0.0, 0.0, 0.8249))
_P3 = ((0.5151, 0.292, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841))
_SPACES = ((_ADOBE_RGB, 2.2), (_PROPHOTO, 1.8), (_P3, 1.0))
"""From linear RGB to XYZ under D50, and the gamma."""


@dataclass(frozen=True)
class Known:
    """A file, and what it shows."""

    data: bytes
    colors: np.ndarray
    """`[2, 2, 3]` uint8: left and right, above and below."""
    height: int = _HEIGHT
    width: int = _WIDTH
    tolerance: int = 2
    """Levels."""
    of_jpeg: int = 3
    """Levels that a JPEG made of it may differ besides."""


def known_picture(rng: random.Random, folder: Path) -> Action:
    """A picture that packs, photos and photos written again must show alike."""
    known = rng.choice(_MAKERS)(rng)

    def act() -> str:
        _compare(np.asarray(decode_image(known.data)), known, "decoded to pack")
        photo = read_photo(known.data)
        _compare(photo.opaque, known, "decoded as a photo")
        for suffix in ("", ".png", ".jpg"):
            again = read_photo(encode_photo(photo, photo.pixels, None, suffix))
            what = f"written again{suffix and ' as ' + suffix}"
            _compare(again.opaque, known, what, more=known.of_jpeg)
        return "done"

    return act


def _compare(pixels: np.ndarray, known: Known, what: str, *, more: int = 0) -> None:
    """Compare the middles of the four parts.

    Raises:
        WrongResultError: If size or colours differ by more than is allowed.
    """
    if pixels.shape != (known.height, known.width, 3):
        raise WrongResultError(f"{what}: {pixels.shape}, not {known.height}x{known.width}")
    rows, columns = (known.height // 4, 3 * known.height // 4), (
        known.width // 4, 3 * known.width // 4,
    )  # fmt: skip
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            seen = pixels[row - 1 : row + 2, column - 1 : column + 2].mean(axis=(0, 1))
            if np.abs(seen - known.colors[i, j]).max() > known.tolerance + more:
                raise WrongResultError(
                    f"{what}: {seen.round().astype(int).tolist()} at ({i}, {j}), not "
                    f"{known.colors[i, j].tolist()}"
                )


def _colors(rng: random.Random, channels: int = 3, most: int = 255) -> np.ndarray:
    generator = np.random.default_rng(rng.getrandbits(32))
    return generator.integers(0, most + 1, (2, 2, channels))


def _spread(values: np.ndarray) -> np.ndarray:
    """`[2, 2, C]` as four parts of a picture `[H, W, C]`."""
    return values.repeat(_HEIGHT // 2, axis=0).repeat(_WIDTH // 2, axis=1)


def _saved(pixels: np.ndarray, rng: random.Random, **options: Any) -> bytes:
    file_format = rng.choice(list(_FORMATS))
    buffer = io.BytesIO()
    image = Image.fromarray(pixels.astype(np.uint8))
    image.save(buffer, format=file_format, **_FORMATS[file_format], **options)
    return buffer.getvalue()


_ORIENTATIONS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}
"""How the rows of a file lie whose EXIF orientation is that."""


def _oriented(rng: random.Random) -> Known:
    number, colors = rng.choice(list(_ORIENTATIONS)), _colors(rng)
    exif = Image.Exif()
    exif[0x0112] = number
    stored = np.ascontiguousarray(_ORIENTATIONS[number](_spread(colors)))
    return Known(_saved(stored, rng, exif=exif.tobytes()), colors)


def _profiled(rng: random.Random) -> Known:
    """In the colours of a profile, by the equation of its matrix and gamma."""
    matrix, gamma = rng.choice(_SPACES)
    samples = _colors(rng)
    to_srgb = np.array(matrix).T @ np.linalg.inv(_SRGB).T

    def shown(samples: np.ndarray) -> np.ndarray:
        return _encoded((samples.clip(0, 255) / 255) ** gamma @ to_srgb).astype(int)

    seen = shown(samples)
    # Where dark colours are differences of bright ones, a level of a sample is many levels of them.
    errors = [shown(samples + error) - seen for error in itertools.product((-2, 2), repeat=3)]
    data = _saved(_spread(samples), rng, icc_profile=_profile(np.array(matrix), gamma))
    return Known(data, seen, tolerance=5, of_jpeg=max(3, int(np.abs(errors).max())))


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear sRGB in [0, 1] as uint8 (IEC 61966-2-1)."""
    linear = linear.clip(0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (curve * 255).round().astype(np.uint8)


def _profile(matrix: np.ndarray, gamma: float) -> bytes:
    """An ICC profile (version 2) of three primaries, the columns of a matrix, and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    points = dict(zip((b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"), (_D50, *matrix.T), strict=True))
    tags = {name: b"XYZ " + bytes(4) + _fixed(xyz) for name, xyz in points.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x02400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + table + body


def _fixed(values: np.ndarray) -> bytes:
    return b"".join(struct.pack(">i", round(float(value) * 65_536)) for value in values)


def _cmyk(rng: random.Random) -> Known:
    inks = _colors(rng, channels=4)
    buffer = io.BytesIO()
    image = Image.fromarray(_spread(inks).astype(np.uint8), "CMYK")
    image.save(buffer, format="JPEG", **_FORMATS["JPEG"])
    seen = (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255
    return Known(buffer.getvalue(), seen.round().astype(np.uint8), tolerance=4)


def _png16(rng: random.Random) -> Known:
    """16 bits a channel: grey or colours, with or without transparency."""
    channels = rng.choice((1, 2, 3, 4))
    samples = _colors(rng, channels, most=65_535)
    rows = _spread(samples).astype(">u2")
    data = _png(
        rows.tobytes(), {1: 0, 2: 4, 3: 2, 4: 6}[channels], 16, rows.shape[1] * 2 * channels
    )
    colors = samples if channels > 2 else samples[..., :1].repeat(3, axis=-1)
    shown = colors[..., :3] / 257
    if channels in (2, 4):
        cover = samples[..., -1:] / 65_535
        shown = shown * cover + 255 * (1 - cover)
    return Known(data, shown.round().astype(np.uint8))


def _palette(rng: random.Random) -> Known:
    """A palette of 1 to 8 bits, of which some entries are transparent."""
    bits = rng.choice((1, 2, 4, 8))
    count = 2**bits
    palette = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (count, 3), np.uint8)
    covers = bytes(rng.choice((0, 128, 255)) for _ in range(rng.randrange(count + 1)))
    places = np.array([[rng.randrange(count) for _ in range(2)] for _ in range(2)])
    bit_rows = np.unpackbits(
        _spread(places[..., None]).astype(np.uint8)[..., 0][..., None], axis=2
    )[..., 8 - bits :].reshape(_HEIGHT, -1)
    rows = np.packbits(bit_rows, axis=1).tobytes()
    chunks = [(b"PLTE", palette.tobytes()), *([(b"tRNS", covers)] if covers else [])]
    data = _png(rows, 3, bits, len(rows) // _HEIGHT, chunks)
    cover = np.array([*covers, *[255] * (count - len(covers))])[places][..., None] / 255
    shown = palette[places] * cover + 255 * (1 - cover)
    return Known(data, shown.round().astype(np.uint8))


def _gamma(rng: random.Random) -> Known:
    """A PNG that says nothing of its colours but a gamma."""
    gamma, samples = rng.choice((1.0, 0.55, 1 / 1.8, 1 / 2.2)), _colors(rng)
    chunk = (b"gAMA", struct.pack(">I", round(gamma * 100_000)))
    rows = _spread(samples).astype(np.uint8)
    seen = samples if gamma == 1 / 2.2 else _encoded((samples / 255) ** (1 / gamma))
    return Known(_png(rows.tobytes(), 2, 8, rows.shape[1] * 3, [chunk]), seen)


def _bmp32(rng: random.Random) -> Known:
    """A BMP of 32 bits, of which 8 mean nothing."""
    colors = _colors(rng)
    rows = np.zeros((_HEIGHT, _WIDTH, 4), np.uint8)
    rows[..., :3] = _spread(colors)[::-1, :, ::-1]
    head = struct.pack("<IiiHHIIiiII", 40, _WIDTH, _HEIGHT, 1, 32, 0, rows.nbytes, 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", 54 + rows.nbytes, 0, 0, 54) + head + rows.tobytes()
    return Known(data, colors)


def _png(
    rows: bytes,
    color_type: int,
    bits: int,
    stride: int,
    chunks: list[tuple[bytes, bytes]] | None = None,
) -> bytes:
    """A PNG of rows without filters."""
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, bits, color_type, 0, 0, 0)
    lines = b"".join(b"\0" + rows[i : i + stride] for i in range(0, len(rows), stride))
    parts = [(b"IHDR", head), *(chunks or []), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


_MAKERS = (_oriented, _profiled, _cmyk, _png16, _palette, _gamma, _bmp32)

KNOWN_PICTURES = {"known picture": known_picture}

"""Image files of every format and mode: sound, damaged, and made to deceive."""

import io
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from campaign.damage import damaged
from campaign.observe import Action, WrongResultError
from twobirds.data.images import decode_image, face_from_bytes
from twobirds.errors import InputError
from twobirds.photos.encode import encode_photo
from twobirds.photos.photo import read_photo

_MODES = {
    "JPEG": ("L", "RGB", "CMYK", "YCbCr"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("L", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "GIF": ("L", "P"),
    "TIFF": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "ICO": ("RGBA",),
    "PPM": ("L", "RGB"),
    "TGA": ("RGB", "RGBA"),
}
_TAKEN = ("JPEG", "PNG", "WEBP", "BMP")


def sound_image(rng: random.Random, folder: Path) -> Action:
    """A whole file of a mode at random, which must decode as OpenCV decodes it, or be refused."""
    file_format = rng.choice(list(_MODES))
    mode = rng.choice(_MODES[file_format])
    data = _encoded(file_format, mode, rng)
    has_reference = file_format in _TAKEN and mode in ("L", "RGB")

    def act() -> str:
        photo = read_photo(data)
        face_from_bytes(data, 64)
        if has_reference:
            _compare(photo.pixels, data, tolerance=0 if file_format in ("PNG", "BMP") else 4)
            _compare(np.asarray(decode_image(data)), data, tolerance=4)
        again = read_photo(encode_photo(photo, 255 - photo.pixels, None))
        if again.pixels.shape != photo.pixels.shape:
            raise WrongResultError(f"{photo.pixels.shape} was written as {again.pixels.shape}")
        return "done"

    return act


def damaged_image(rng: random.Random, folder: Path) -> Action:
    """A file that was damaged: refused, or a picture of what is left."""
    file_format = rng.choice(_TAKEN)
    data = damaged(_encoded(file_format, rng.choice(_MODES[file_format]), rng), rng)
    return lambda: _try_all(data)


def any_image(rng: random.Random) -> tuple[str, bytes]:
    """A file that is sound or damaged, with an ending that may be another format's."""
    file_format = rng.choice(_TAKEN)
    data = _encoded(file_format, rng.choice(_MODES[file_format]), rng)
    ending = rng.choice((".jpg", ".png", ".webp", ".bmp", ".heic", "", ".txt"))
    return ending, damaged(data, rng) if rng.random() < 0.5 else data


def deceiving_image(rng: random.Random, folder: Path) -> Action:
    """A bomb, two files in one, or one format behind the head of another."""
    other, another = rng.sample(_TAKEN, 2)
    first, second = (_encoded(f, _MODES[f][1], rng) for f in (other, another))
    match rng.randrange(8):
        case 0:
            side = rng.choice((9_500, 20_000, 65_535, 2**31 - 1))
            data = _png(side, side, rng.choice((0, 2, 3, 6)), b"\0" * rng.choice((0, 10, 10**6)))
        case 1:
            data = _huge_bmp(rng)
        case 2:
            data = first + second
        case 3:
            data = first[: rng.randrange(2, 40)] + second
        case 4:
            data = first + b"PK\x03\x04" + rng.randbytes(200)
        case 5:
            data = _png(64, 64, 2, zlib.decompress(zlib.compress(b"\0" * 50_000_000)))
        case 6:
            data = _with_text(second if another == "PNG" else _encoded("PNG", "RGB", rng), rng)
        case _:
            data = _animation(rng)
    return lambda: _try_all(data)


def _try_all(data: bytes) -> str:
    """Decode as a face to pack and as a photo, and write the photo again."""
    ends = []
    for decode in (lambda: face_from_bytes(data, 64), lambda: _decoded_again(data)):
        try:
            decode()
        except InputError as error:
            if not str(error).strip():
                raise WrongResultError("refused without a sentence") from error
            ends.append("refused")
        else:
            ends.append("done")
    return "done" if "done" in ends else "refused"


def _decoded_again(data: bytes) -> None:
    photo = read_photo(data)
    encode_photo(photo, 255 - photo.pixels, None)


def _encoded(file_format: str, mode: str, rng: random.Random) -> bytes:
    """A small smooth picture, with metadata in some files."""
    width, height = rng.randrange(16, 90), rng.randrange(16, 90)
    values = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (4, 4, 3), np.uint8)
    image = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
    if mode == "I;16":
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
        image = Image.fromarray(grey)
    else:
        image = image.convert(mode)
    options: dict[str, object] = {}
    if file_format == "JPEG":
        options |= {"quality": rng.randrange(60, 96), "progressive": rng.random() < 0.5}
    if file_format == "WEBP":
        options |= {"lossless": rng.random() < 0.5}
    if file_format in ("JPEG", "PNG", "WEBP") and rng.random() < 0.2:
        exif = Image.Exif()
        exif[0x0131] = "a" * rng.choice((1, 1000))
        options["exif"] = exif.tobytes()
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()


def _compare(pixels: np.ndarray, data: bytes, tolerance: int) -> None:
    """Compare with OpenCV's decoder, which shares no code with Pillow's PNG and BMP readers."""
    reference = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if reference is None:
        raise WrongResultError("the reference decoder refused a whole file")
    expected = reference[..., ::-1]
    if pixels.shape != expected.shape:
        raise WrongResultError(f"decoded as {pixels.shape}, not {expected.shape}")
    difference = int(np.abs(pixels.astype(int) - expected.astype(int)).max())
    if difference > tolerance:
        raise WrongResultError(f"differs from the reference decoder by {difference} levels")


def _png(width: int, height: int, color_type: int, rows: bytes) -> bytes:
    """A PNG that claims a size, with whatever rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _huge_bmp(rng: random.Random) -> bytes:
    """A BMP of a hundred bytes that claims any size, bit depth and compression."""
    side = rng.choice((1, 1000, 60_000, -1, 2**31 - 1))
    depth, compression = rng.choice((1, 4, 8, 16, 24, 32, 99)), rng.choice((0, 1, 2, 3, 9))
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, depth, compression, 0, 0, 0, 2**31, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 46, 0, 0, 54) + info + rng.randbytes(46)


def _with_text(png: bytes, rng: random.Random) -> bytes:
    """A PNG with a compressed text or profile that unpacks to many megabytes."""
    kind = rng.choice((b"zTXt", b"iCCP", b"iTXt"))
    packed = zlib.compress(b"a" * rng.choice((10**5, 5 * 10**7)))
    language = b"\0\1\0\0\0" if kind == b"iTXt" else b"\0\0"
    return png[:33] + _chunk(kind, b"key" + language + packed) + png[33:]


def _animation(rng: random.Random) -> bytes:
    """An animated WebP or PNG."""
    frames = [Image.new("RGB", (32, 32), (i, 0, 0)) for i in range(rng.randrange(2, 30))]
    buffer = io.BytesIO()
    file_format = rng.choice(("WEBP", "PNG"))
    frames[0].save(buffer, format=file_format, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


IMAGES = {
    "sound image": sound_image,
    "damaged image": damaged_image,
    "deceiving image": deceiving_image,
}

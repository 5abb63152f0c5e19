"""Colours through their profiles, and back."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from photos.making_photos import decoded, encoded
from twobirds.data.colors import srgb_of
from twobirds.photos.encode import encode_photo
from twobirds.photos.photo import Photo, read_aligned_face, read_photo


def s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def rgb_profile(gamma: float, primaries: tuple[tuple[float, ...], ...]) -> bytes:
    """An ICC profile of three primaries (XYZ) and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"wtpt": (0.9642, 1.0, 0.8249)}
    tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True))
    content = {name: b"XYZ " + bytes(4) + b"".join(map(s15, xyz)) for name, xyz in tags.items()}
    content |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile_of(b"mntr", b"RGB ", b"XYZ ", content)


def profile_of(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 with some tags."""
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        content = tag + bytes(-len(tag) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x02400000) + kind + space + pcs
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += s15(0.9642) + s15(1.0) + s15(0.8249)
    return head.ljust(128, b"\0") + table + body


def cmyk_profile() -> bytes:
    """From ink to Lab only: a printer whose inks are warmer and paler than Pillow thinks."""
    levels = np.linspace(0, 1, 5)
    c, m, y, k = np.meshgrid(levels, levels, levels, levels, indexing="ij")
    light = 95 * (1 - 0.5 * c) * (1 - 0.6 * m) * (1 - 0.1 * y) * (1 - 0.95 * k)
    a = (-40 * c + 60 * m - 5 * y) * (1 - k) * (1 - 0.3 * c * m) + 4
    b = (-45 * c - 5 * m + 80 * y) * (1 - k) * (1 - 0.3 * m * y) + 6
    lab = np.stack([light / 100 * 0xFF00, (a + 128) * 256, (b + 128) * 256], axis=-1)
    grid = lab.round().clip(0, 65535).astype(">u2").tobytes()
    ramp = struct.pack(">2H", 0, 65535)
    identity = b"".join(s15(float(i == j)) for i in range(3) for j in range(3))
    table = b"mft2" + bytes(4) + bytes([4, 3, 5, 0]) + identity + struct.pack(">2H", 2, 2)
    table += ramp * 4 + grid + ramp * 3
    return profile_of(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


WIDE = rgb_profile(1.8, ((0.7977, 0.288, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)))
"""ProPhoto's primaries."""


def waves(channels: int, height: int = 64, width: int = 48) -> np.ndarray:
    """`[H, W, C]` uint8 of slow waves."""
    y, x = np.mgrid[:height, :width] / 11
    parts = [np.sin(x + i) * np.cos(y - i) for i in range(channels)]
    return (110 + 80 * np.stack(parts, axis=-1)).astype(np.uint8)


def edited(photo: Photo) -> np.ndarray:
    """The photo's pixels, darker within a square."""
    pixels = photo.pixels.copy()
    pixels[20:40, 10:30] = (pixels[20:40, 10:30] * 0.8).astype(np.uint8)
    return pixels


def seen(image: Image.Image) -> np.ndarray:
    """An image as colour management shows it, `[H, W, 3]` int."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    srgb = ImageCms.createProfile("sRGB")
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    shown = ImageCms.profileToProfile(image, profile, srgb, 1, "RGB", flags=flags)
    return np.asarray(shown).astype(int)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_a_wide_profile_is_kept_and_its_colours_too(file_format: str) -> None:
    options = {"quality": 98, "subsampling": 0} if file_format == "JPEG" else {}
    data = encoded(waves(3), file_format, icc_profile=WIDE, **options)
    photo, image = read_photo(data), decoded(data)
    assert (photo.pixels == seen(image)).all()
    assert np.abs(photo.pixels.astype(int) - np.asarray(image)).max() > 20  # it is no sRGB
    written = decoded(encode_photo(photo, edited(photo), None))
    assert written.info["icc_profile"] == WIDE
    change = np.abs(seen(written) - edited(photo)).max(axis=2)
    assert np.median(change[20:40, 10:30]) <= 2
    if file_format == "PNG":
        outside = np.ones(change.shape, bool)
        outside[20:40, 10:30] = False
        assert (np.asarray(written) == waves(3))[outside].all()


def test_cmyk_keeps_its_inks_and_its_profile() -> None:
    profile = cmyk_profile()
    image = Image.fromarray(waves(4), "CMYK")
    data = encoded(image, "JPEG", icc_profile=profile, quality=97, subsampling=0)
    photo = read_photo(data)
    assert (photo.pixels == seen(decoded(data))).all()
    assert np.abs(photo.pixels.astype(int) - np.asarray(image.convert("RGB"))).mean() > 10
    written = decoded(encode_photo(photo, edited(photo), None))
    assert (written.mode, written.info["icc_profile"]) == ("CMYK", profile)
    inks = np.abs(np.asarray(written).astype(int) - np.asarray(decoded(data))).max(axis=2)
    assert inks[48:].max() <= 2  # blocks of a JPEG that the edit does not touch
    change = np.abs(seen(written) - edited(photo)).max(axis=2)
    assert np.median(change[22:38, 12:28]) <= 3
    as_png = decoded(encode_photo(photo, edited(photo), None, ".png"))
    assert (as_png.mode, "icc_profile" in as_png.info) == ("RGB", False)
    assert (np.asarray(as_png) == edited(photo)).all()


def test_cmyk_without_a_profile_stays_cmyk() -> None:
    image = Image.fromarray(waves(4), "CMYK")
    photo = read_photo(encoded(image, "JPEG", quality=97, subsampling=0))
    written = decoded(encode_photo(photo, edited(photo), None))
    assert written.mode == "CMYK"
    shown = np.asarray(written.convert("RGB")).astype(int)
    assert np.abs(shown - edited(photo))[22:38, 12:28].mean() < 2
    assert np.abs(shown - photo.pixels)[48:].max() <= 4


def test_grey_with_a_profile() -> None:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(1.2 * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + s15(0.9642) + s15(1.0) + s15(0.8249)
    profile = profile_of(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": curve})
    data = encoded(Image.fromarray(waves(1)[..., 0]), icc_profile=profile)
    photo = read_photo(data)
    assert photo.pixels.mean() > waves(1).mean() + 15  # a gamma of 1.2 is brighter
    written = decoded(encode_photo(photo, edited(photo), None))
    assert (written.mode, written.info["icc_profile"]) == ("L", profile)
    assert (np.asarray(written)[:20] == waves(1)[:20, :, 0]).all()
    as_webp = decoded(encode_photo(photo, photo.pixels, None, ".webp"))
    assert "icc_profile" not in as_webp.info


def test_a_profile_that_cannot_be_used_changes_nothing() -> None:
    for profile in (b"no profile at all", cmyk_profile(), WIDE[:200]):
        photo = read_photo(encoded(waves(3), icc_profile=profile))
        assert (photo.pixels == waves(3)).all()
        encode_photo(photo, photo.pixels, None)


def test_aligned_faces_go_through_their_profile() -> None:
    data = encoded(waves(3, 48, 48), icc_profile=WIDE)
    face = read_aligned_face(data, 48)
    assert (face.pixels == read_photo(data).pixels).all()
    assert (face.pixels != waves(3, 48, 48)).any()


@pytest.mark.parametrize("height", [1, 63, 64, 65, 200])
def test_pixels_are_pillows(height: int) -> None:
    levels = np.random.default_rng(height).integers(0, 256, (height, 7, 3), np.uint8)
    pixels, colors = srgb_of(Image.fromarray(levels), None)
    assert np.array_equal(pixels, levels)
    assert colors is None
    assert not pixels.flags.writeable

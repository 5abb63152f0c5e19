"""Photos in and out."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from photos.making_photos import decoded, encoded
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError
from twobirds.photos.encode import encode_photo
from twobirds.photos.photo import MAX_PHOTO_PIXELS, format_of, read_photo

PROVENANCE = Provenance("edited", "celeba128 (abc)", "Smiling=1")


def smooth(height: int = 60, width: int = 40) -> np.ndarray:
    """`[H, W, 3]` uint8 of slow waves, which JPEG keeps."""
    y, x = np.mgrid[:height, :width] / 9
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    return (127 + 100 * waves).astype(np.uint8)


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_lossless_formats_come_back_as_they_were(file_format: str) -> None:
    pixels = smooth()
    photo = read_photo(encoded(pixels, file_format))
    assert (photo.format, photo.alpha, photo.is_grey) == (file_format, None, False)
    assert (photo.pixels == pixels).all()
    again = read_photo(encode_photo(photo, photo.pixels, PROVENANCE))
    assert again.format == file_format
    assert (again.pixels == pixels).all()


def test_a_lossless_webp_stays_lossless() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    photo = read_photo(encoded(pixels, "WEBP", lossless=True))
    again = read_photo(encode_photo(photo, photo.pixels, PROVENANCE))
    assert again.format == "WEBP"
    assert (again.pixels == pixels).all()


@pytest.mark.parametrize(("quality", "subsampling"), [(60, 2), (92, 0), (95, 1)])
def test_a_jpeg_is_written_with_its_own_tables(quality: int, subsampling: int) -> None:
    noise = np.random.default_rng(0).integers(0, 40, (64, 64, 3), np.uint8)
    source = Image.fromarray(smooth(64, 64) // 2 + noise)
    photo = read_photo(encoded(source, "JPEG", quality=quality, subsampling=subsampling))
    again = read_photo(encode_photo(photo, photo.pixels, None))
    change = again.pixels.astype(int) - photo.pixels
    assert np.abs(change).mean() < 1  # of 255; colours are averaged over pixels once more
    assert again.encoding["qtables"] == photo.encoding["qtables"]
    assert again.encoding["subsampling"] == subsampling


def test_a_turned_photo_is_upright_and_stays_so_when_written() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top is at the right
    exif[0x010F] = "Maker"
    data = encoded(smooth(), "JPEG", exif=exif, quality=100)
    photo = read_photo(data)
    assert photo.pixels.shape == (40, 60, 3)
    assert np.abs(photo.pixels.astype(int) - np.rot90(smooth(), -1)).mean() < 2
    written = decoded(encode_photo(photo, photo.pixels, PROVENANCE))
    assert written.size == (60, 40)
    assert written.getexif().get(0x0112) in (None, 1)
    assert written.getexif()[0x010F] == "Maker"


def exif_with_thumbnail(thumbnail: bytes) -> bytes:
    """EXIF as cameras write it: a maker in the first directory, a thumbnail in the second."""
    maker = struct.pack("<HHI4s", 0x010F, 2, 4, b"Abc\0")
    first = struct.pack("<H", 1) + maker + struct.pack("<I", 26)
    tags = struct.pack("<HHIHHHHII", 0x0103, 3, 1, 6, 0, 0x0201, 4, 1, 68)
    tags += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    second = struct.pack("<H", 3) + tags + struct.pack("<I", 0)
    content = b"II*\0" + struct.pack("<I", 8) + first + second
    return b"Exif\0\0" + content + thumbnail


def test_the_thumbnail_of_the_photo_as_it_was_is_dropped() -> None:
    thumbnail = encoded(smooth(24, 24), "JPEG")
    exif = exif_with_thumbnail(thumbnail)
    data = encoded(smooth(), "JPEG", exif=exif)
    assert thumbnail[:40] in data
    photo = read_photo(data)
    written = encode_photo(photo, photo.pixels, None)
    assert thumbnail[:40] not in written
    assert decoded(written).getexif()[0x010F] == "Abc"


def test_a_jpeg_of_best_quality_and_much_detail_is_written() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    photo = read_photo(encoded(noise, "JPEG", quality=100, subsampling=0))
    assert decoded(encode_photo(photo, photo.pixels, PROVENANCE)).size == (600, 600)


def test_a_jpeg_of_several_pictures_is_a_jpeg() -> None:
    pictures = [Image.fromarray(smooth()), Image.fromarray(smooth() // 2)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, format="MPO", save_all=True, append_images=pictures[1:])
    photo = read_photo(buffer.getvalue())
    assert photo.format == "JPEG"
    assert "qtables" in photo.encoding
    assert (
        b"compositeWithTrained"
        in decoded(encode_photo(photo, photo.pixels, PROVENANCE)).info["xmp"]
    )


def test_a_lossless_webp_with_a_profile_is_told_by_its_chunks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for lossless in (True, False):
        data = encoded(pixels, "WEBP", lossless=lossless, icc_profile=profile)
        photo = read_photo(data)
        assert photo.encoding.get("lossless", False) == lossless
        assert photo.encoding["icc_profile"] == profile


def test_transparency_is_kept_and_seen_on_white() -> None:
    layers = np.dstack([smooth(), np.full((60, 40), 255, np.uint8)])
    layers[:10, :, 3] = 0
    photo = read_photo(encoded(Image.fromarray(layers, "RGBA"), "PNG"))
    assert photo.alpha is not None
    assert (photo.opaque[:10] == 255).all()
    assert (photo.opaque[10:] == layers[10:, :, :3]).all()
    written = decoded(encode_photo(photo, photo.pixels, PROVENANCE))
    assert (np.asarray(written) == layers).all()
    as_jpeg = decoded(encode_photo(photo, photo.pixels, PROVENANCE, ".jpg"))
    assert (as_jpeg.format, as_jpeg.mode) == ("JPEG", "RGB")
    assert np.asarray(as_jpeg)[:8].min() > 240


def test_sixteen_bits_and_grey() -> None:
    levels = (np.arange(60 * 40).reshape(60, 40) * 25).astype(np.uint16)
    deep = read_photo(encoded(levels, "PNG"))
    assert deep.is_grey
    assert np.abs(deep.pixels[..., 0] - levels / 257.0).max() <= 0.5
    assert decoded(encode_photo(deep, deep.pixels, None)).mode == "L"
    palette = Image.fromarray(smooth()).convert("P")
    assert (read_photo(encoded(palette, "PNG")).pixels == np.asarray(palette.convert("RGB"))).all()
    inks = Image.fromarray(smooth()).convert("CMYK")
    assert read_photo(encoded(inks, "JPEG")).pixels.shape == (60, 40, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_edited_files_say_so(file_format: str) -> None:
    photo = read_photo(encoded(smooth(), file_format))
    image = decoded(encode_photo(photo, photo.pixels, PROVENANCE))
    xmp = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    assert b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in xmp
    assert b"edited by TwoBirds, model celeba128 (abc): Smiling=1." in xmp
    silent = decoded(encode_photo(photo, photo.pixels, None)).info
    assert not {"xmp", "XML:com.adobe.xmp", "Software"} & set(silent)


def test_what_is_no_photo_is_refused() -> None:
    def complaint(data: bytes) -> str:
        with pytest.raises(InputError) as caught:
            read_photo(data)
        return str(caught.value)

    assert complaint(b"") == "empty file"
    assert complaint(b"GIF89a").startswith("not a JPEG, PNG, WebP")
    assert complaint(encoded(smooth(), "PNG")[:300]).startswith("cannot be decoded")
    small = encoded(Image.new("L", (15, 100)), "PNG")
    assert complaint(small) == "15x100 pixels are too few: at least 16 a side"
    side = int(MAX_PHOTO_PIXELS**0.5) + 1
    large = encoded(Image.new("1", (side, side)), "PNG")
    assert complaint(large) == f"{side}x{side} pixels are too many: at most 50 megapixels"


def test_heic_is_read_upright_and_written() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x010E] = "a test"
    data = encoded(smooth(), "HEIF", quality=95, exif=exif.tobytes())
    photo = read_photo(data)
    assert format_of(data[:16]) == photo.format == "HEIF"
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert photo.suffix(".HEIC") == ".heic"
    written = read_photo(encode_photo(photo, photo.pixels, PROVENANCE))
    assert written.format == "HEIF"
    assert np.abs(written.pixels.astype(int) - photo.pixels).mean() < 2
    assert written.metadata.xmp is not None
    assert PROVENANCE.sentence in written.metadata.xmp
    assert written.metadata.exif is not None
    assert b"a test" in written.metadata.exif
    with pytest.raises(InputError, match=r"cannot be decoded|not a JPEG"):
        read_photo(data[: len(data) // 2])


def test_heic_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twobirds.photos.photo._register_heif", lambda: None)
    monkeypatch.setattr("twobirds.photos.photo._FORMATS", ("JPEG", "PNG"))
    with pytest.raises(InputError, match="to read HEIC, install the package pillow-heif"):
        read_photo(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(InputError, match="not a JPEG"):
        read_photo(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1")  # a video


def test_mutated_files_are_decoded_or_refused() -> None:
    rng = np.random.default_rng(0)
    files = [encoded(smooth(), name) for name in ("JPEG", "PNG", "WEBP", "BMP")]
    outcomes, complaints = set(), []
    for number in range(120):
        data = bytearray(files[number % len(files)])
        for _ in range(int(rng.integers(1, 8))):
            data[rng.integers(len(data))] = rng.integers(256)
        if number % 3 == 0:
            data = data[: rng.integers(1, len(data))]
        try:
            photo = read_photo(bytes(data))
        except InputError as error:
            outcomes.add("refused")
            complaints.append(str(error))
        else:
            assert photo.pixels.dtype == np.uint8
            encode_photo(photo, photo.pixels, PROVENANCE)
            outcomes.add("decoded")
    assert outcomes == {"decoded", "refused"}
    assert not any("\n" in complaint for complaint in complaints)

"""What a mask protects is the same in the file after an edit, byte for byte."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from photos.making_photos import PlacedFaces, decoded, encoded, noise
from photos.test_colors import WIDE
from twobirds.api import FaceModel
from twobirds.errors import InputError
from twobirds.photos import EditRequest, Marks, OpenPhoto, PhotoSession
from twobirds.photos.align import Placement
from twobirds.photos.protection import read_mask, require_mask, restore

HEIGHT, WIDTH = 110, 230
FACES = ((10, 20, 60), (90, 15, 70))
REQUEST = EditRequest({"Bald": 1.0, "Male": 1.0}, strength=3.0)
PROTECTED = np.zeros((HEIGHT, WIDTH), bool)
PROTECTED[40:70, 20:130] = True  # a part of both faces, and of what lies between them


def mask_of(protected: np.ndarray) -> bytes:
    return encoded(Image.fromarray(protected.astype(np.uint8) * 255))


@pytest.fixture
def session(tiny_model: FaceModel) -> PhotoSession:
    for weights in tiny_model.networks.generator.parameters():
        weights.mul_(8)  # untrained, its faces are all grey
    return PhotoSession(tiny_model, PlacedFaces(*FACES))


def edited(photo: OpenPhoto) -> bytes:
    edits = photo.edit(REQUEST, (0, 1)).by_index
    return photo.encode(edits, Marks("edited"), ".png").content


def a_photo(mode: str) -> bytes:
    """A PNG of a mode; one with a profile has colours that are not sRGB."""
    image = Image.fromarray(noise(HEIGHT, WIDTH))
    if mode == "profile":
        return encoded(image, icc_profile=WIDE)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(noise(HEIGHT, WIDTH, seed=1)[..., 0]))
    return encoded(image if mode in ("RGB", "RGBA") else image.convert(mode))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "profile"])
def test_no_byte_of_a_protected_pixel_changes(session: PhotoSession, mode: str) -> None:
    data = a_photo(mode)
    content = edited(session.open(data).protect(mask_of(PROTECTED)))
    before, after = decoded(data), decoded(content)
    if mode == "P":
        before, after = before.convert("RGB"), after.convert("RGB")
    assert before.mode == after.mode
    old, new = np.asarray(before), np.asarray(after)
    assert (old[PROTECTED] == new[PROTECTED]).all()
    free = ~PROTECTED
    assert (old[free] != new[free]).mean() > 0.05


def test_without_the_mask_these_pixels_change(session: PhotoSession) -> None:
    new = np.asarray(decoded(edited(session.open(a_photo("RGB")))))
    assert (noise(HEIGHT, WIDTH)[PROTECTED] != new[PROTECTED]).mean() > 0.1


def test_a_jpeg_becomes_a_png_of_its_decoded_pixels(session: PhotoSession) -> None:
    data = encoded(noise(HEIGHT, WIDTH), "JPEG", quality=90)
    photo = session.open(data).protect(mask_of(PROTECTED))
    assert photo.suffix(".jpg") == ".png"
    assert (
        np.asarray(decoded(edited(photo)))[PROTECTED] == np.asarray(decoded(data))[PROTECTED]
    ).all()
    edits = photo.edit(REQUEST, (0,)).by_index
    for suffix in ("", ".jpg", ".webp", ".bmp"):
        with pytest.raises(InputError, match=r"written as PNG.*a name that ends in \.png"):
            photo.encode(edits, Marks("edited"), suffix)


def test_the_mask_belongs_to_the_upright_photo(session: PhotoSession) -> None:
    upright = noise(HEIGHT, WIDTH)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    data = encoded(np.rot90(upright).copy(), exif=exif)
    photo = session.open(data).protect(mask_of(PROTECTED))
    after = np.asarray(decoded(edited(photo)))
    assert (upright[PROTECTED] == after[PROTECTED]).all()
    assert (upright != after).any()
    with pytest.raises(
        InputError, match=r"110x230 pixels, .* upright, 230x110; it lies on its side"
    ):
        session.open(data).protect(mask_of(np.rot90(PROTECTED).copy()))
    turned = Image.fromarray(np.rot90(PROTECTED).astype(np.uint8) * 255)
    own = session.open(data).protect(encoded(turned, exif=exif))  # a mask with an orientation, too
    assert own.protected is not None
    assert (own.protected == PROTECTED).all()


def test_an_edit_comes_in_outside_the_mask_alone() -> None:
    before, after = np.zeros((40, 100, 3), np.uint8), np.full((40, 100, 3), 200, np.uint8)
    protected = np.zeros((40, 100), bool)
    protected[:, :30] = True
    crop = Placement(np.array([[0.32, 0, 0], [0, 0.32, 0]]), 64)  # 200 pixels of the photo
    row = restore(before, after, protected, crop)[20, :, 0]
    assert (row[:30] == 0).all()
    assert (row[30:34] == [40, 80, 120, 160]).all()  # 2 % of 200 pixels
    assert (row[34:] == 200).all()
    nothing = np.zeros_like(protected)
    assert (restore(before, after, nothing, crop) == after).all()
    assert (restore(before, before, protected, crop) == before).all()


def test_large_parts_are_restored_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = noise(60, 50, seed=1), noise(60, 50, seed=2)
    protected = np.hypot(*np.indices((60, 50)) - np.array([30, 20])[:, None, None]) < 15
    crop = Placement(np.array([[0.2, 0, 0], [0, 0.2, 0]]), 64)
    whole = restore(before, after, protected, crop)
    monkeypatch.setattr("twobirds.photos.protection._STRIP_PIXELS", 350)
    assert (restore(before, after, protected, crop) == whole).all()
    assert (whole[protected] == before[protected]).all()


def as_16_bits(mask: np.ndarray) -> bytes:
    return encoded(Image.fromarray(mask.astype(np.uint16) * 65535))


@pytest.mark.parametrize(
    "save",
    [
        lambda m: encoded(Image.fromarray(m)),  # 1 bit
        as_16_bits,
        lambda m: encoded(Image.fromarray(m.astype(np.uint8) * 255).convert("RGB")),
        lambda m: encoded(Image.fromarray(m.astype(np.uint8) * 255).convert("RGBA")),
        lambda m: encoded(Image.fromarray(m.astype(np.uint8) * 255).convert("P")),
        lambda m: encoded(Image.fromarray(m.astype(np.uint8) * 255), "JPEG", quality=60),
        lambda m: encoded(Image.fromarray(m.astype(np.uint8) * 255).convert("RGB"), "WEBP"),
    ],
    ids=["1 bit", "16 bits", "RGB", "opaque RGBA", "palette", "JPEG", "WebP"],
)
def test_white_is_protected_in_any_format(save: Callable[[np.ndarray], bytes]) -> None:
    assert (read_mask(save(PROTECTED)) == PROTECTED).all()


def of_level(level: int) -> bytes:
    return encoded(Image.new("L", (WIDTH, HEIGHT), level))


def transparent() -> bytes:
    image = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (20, 20, 60, 60))
    return encoded(image)


def red() -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.paste((255, 0, 0), (20, 20, 60, 60))
    return encoded(image)


def animation() -> bytes:
    frame = Image.fromarray(PROTECTED.astype(np.uint8) * 255).convert("RGB")
    return encoded(frame, "WEBP", save_all=True, append_images=[Image.new("RGB", frame.size)])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (mask_of(PROTECTED[:50]), "230x50 pixels, .* 230x110; it could be meant scaled, or for a"),
        (of_level(0), "protects nothing: white is what stays, .* level 0 of 255"),
        (of_level(1), "lightest pixel has level 1 of 255"),
        (of_level(255), "protects the whole photo: black is what may change, .* level 255"),
        (transparent(), "its opaque part could be meant, or its white part"),
        (red(), "all that is painted could be meant, or only what is light"),
        (
            encoded(Image.linear_gradient("L").resize((WIDTH, HEIGHT))),
            r"49% of the mask are grey: that could mean protected in part, or by a threshold",
        ),
        (animation(), "is an animation of 2 frames: save it as a single picture"),
        (b"no image", "the mask: not a JPEG"),
        (b"", "the mask: empty file"),
    ],
)
def test_what_could_mean_two_things_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        require_mask(read_mask(data), HEIGHT, WIDTH)


def heic_of_10_bits() -> bytes:
    samples = noise(HEIGHT, WIDTH).astype(np.uint16) << 8
    deep = pillow_heif.from_bytes("RGB;16", (WIDTH, HEIGHT), samples.tobytes())
    buffer = io.BytesIO()
    deep.save(buffer, quality=90)
    return buffer.getvalue()


def test_a_heic_of_8_bits_becomes_a_png_of_its_decoded_pixels(session: PhotoSession) -> None:
    pillow_heif.register_heif_opener()
    data = encoded(noise(HEIGHT, WIDTH), "HEIF", quality=90)
    photo = session.open(data).protect(mask_of(PROTECTED))
    assert photo.suffix(".heic") == ".png"
    before, after = np.asarray(decoded(data)), np.asarray(decoded(edited(photo)))
    assert (before[PROTECTED] == after[PROTECTED]).all()
    assert (before != after).any()
    assert session.open(heic_of_10_bits()).photo.num_bits == 10  # without a mask it is taken


def test_photos_that_cannot_stay_as_they_are(session: PhotoSession) -> None:
    deep = encoded(Image.fromarray(noise(HEIGHT, WIDTH)[..., 0].astype(np.uint16) * 257))
    with pytest.raises(InputError, match="16 bits a channel and would be written with 8"):
        session.open(deep).protect(mask_of(PROTECTED))
    with pytest.raises(InputError, match="10 bits a channel and would be written with 8"):
        session.open(heic_of_10_bits()).protect(mask_of(PROTECTED))
    linear = PngInfo()
    linear.add(b"gAMA", struct.pack(">I", 100_000))
    with pytest.raises(InputError, match="gamma of its own and would be written as sRGB"):
        session.open(encoded(noise(HEIGHT, WIDTH), pnginfo=linear)).protect(mask_of(PROTECTED))
    aligned = session.open(encoded(noise(32, 32)), is_aligned=True)
    with pytest.raises(InputError, match="not of faces that are cut already"):
        aligned.protect(mask_of(PROTECTED[:32, :32]))
    photo = session.open(a_photo("RGB"))
    for mask in (PROTECTED[..., None], PROTECTED.astype(np.uint8) * 255):
        with pytest.raises(InputError, match="the mask must be bool"):
            photo.protect(mask)
    with pytest.raises(InputError, match="the mask has 230x109 pixels, and the photo, upright, 2"):
        photo.protect(PROTECTED[1:])
    corner = np.zeros_like(PROTECTED)
    corner[-5:, :5] = True
    photo = session.open(a_photo("RGB")).protect(mask_of(corner))
    edits = photo.edit(REQUEST, (0,)).by_index
    with pytest.raises(InputError, match="the visible note would cover a protected part"):
        photo.encode(edits, Marks("edited", is_visible=True), ".png")


def test_the_recognizer_is_asked_about_the_face_with_its_protected_part(
    session: PhotoSession,
) -> None:
    photo = session.open(a_photo("RGB"))
    (edit,) = photo.edit(REQUEST, (0,)).by_index.values()
    assert (photo.edited_face(0, edit) == edit.face).all()
    everything = PROTECTED.copy()
    everything[:, :80] = True
    kept = photo.protect(mask_of(everything)).edited_face(0, edit)
    assert (kept == photo.found[0].crop).all()


def test_from_python(
    session: PhotoSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.photos.detectors.find_detector", lambda: session.detector)
    (tmp_path / "mask.png").write_bytes(mask_of(PROTECTED))
    data = a_photo("RGB")
    for mask in (tmp_path / "mask.png", mask_of(PROTECTED)):
        edit = session.model.edit_photo(data, {"Bald": 1}, face="all", strength=3, protect=mask)
        edit.save(tmp_path / "edited.png")
        after = np.asarray(Image.open(io.BytesIO((tmp_path / "edited.png").read_bytes())))
        assert (after[PROTECTED] == noise(HEIGHT, WIDTH)[PROTECTED]).all()
        assert (after == np.asarray(edit.image)).all()
    with pytest.raises(InputError, match=r"a name that ends in \.png"):
        edit.save(tmp_path / "edited.jpg")
    with pytest.raises(InputError, match=r"none\.png: cannot be read: No such file"):
        session.model.edit_photo(data, {"Bald": 1}, protect=tmp_path / "none.png")
    with pytest.raises(InputError, match="the photo: the mask protects nothing"):
        session.model.edit_photo(data, {"Bald": 1}, protect=of_level(0))

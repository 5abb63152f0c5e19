"""What a file says beside its pixels, and what an encoder can take."""

import sys
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from photos.making_photos import decoded, encoded, noise
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError
from twobirds.photos.encode import encode_photo, require_encoder
from twobirds.photos.metadata import merged_xmp, with_texts
from twobirds.photos.photo import format_of, read_photo

PROVENANCE = Provenance("edited", "m (abc)", "Smiling=1")
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RIGHTS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"'
    ' xmp:CreatorTool="A camera"><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">All mine'
    '</rdf:li></rdf:Alt></dc:rights><dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the'
    " sea</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def test_a_packet_keeps_what_it_says_and_says_what_was_edited() -> None:
    merged = merged_xmp(RIGHTS, PROVENANCE)
    parts = ElementTree.fromstring(merged).findall(f".//{RDF}Description")
    types = [part.get(f"{IPTC}DigitalSourceType") for part in parts]
    assert [kind.rsplit("/", 1)[1] for kind in types if kind] == [
        "compositeWithTrainedAlgorithmicMedia"
    ]
    texts = [item.text for part in parts for item in part.iter(f"{RDF}li")]
    assert texts == ["All mine", f"At the sea {PROVENANCE.sentence}"]
    assert merged.count("CreatorTool") == 1


@pytest.mark.parametrize("source", [None, "", "<x:xmpmeta/>", "not XML </rdf:RD"])
def test_without_a_packet_there_is_a_new_one(source: str | None) -> None:
    assert merged_xmp(source, PROVENANCE) == PROVENANCE.xmp


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_metadata_are_kept(file_format: str) -> None:
    texts = PngInfo()
    texts.add_text("Title", "Evening")
    texts.add_itxt("Author", "Zoë")
    texts.add_itxt("XML:com.adobe.xmp", RIGHTS)
    options = {
        "JPEG": {"xmp": RIGHTS.encode(), "comment": b"from the attic", "dpi": (300, 150)},
        "PNG": {"pnginfo": texts, "dpi": (300, 150)},
        "WEBP": {"xmp": RIGHTS.encode()},
    }[file_format]
    photo = read_photo(encoded(noise(40, 40), file_format, **options))
    for provenance in (None, PROVENANCE):
        info = decoded(encode_photo(photo, photo.pixels, provenance)).info
        packet = info.get("xmp") or info["XML:com.adobe.xmp"].encode()
        assert b"All mine" in packet
        assert (b"compositeWithTrained" in packet) == (provenance is not None)
        if file_format != "WEBP":
            assert [round(x) for x in info["dpi"]] == [300, 150]
        if file_format == "JPEG":
            assert info["comment"] == b"from the attic"
        if file_format == "PNG":
            assert (info["Title"], info["Author"]) == ("Evening", "Zoë")


def test_what_an_encoder_cannot_take_is_told_in_a_sentence() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 66_000
    photo = read_photo(encoded(noise(40, 40), exif=exif))
    with pytest.raises(InputError, match=r"EXIF metadata have 66,0\d\d bytes, and JPEG holds"):
        encode_photo(photo, photo.pixels, None, ".jpg")
    assert decoded(encode_photo(photo, photo.pixels, None, ".png")).getexif()[0x010E] == "x" * 66000
    wide = read_photo(encoded(np.zeros((20, 16_384, 3), np.uint8)))
    with pytest.raises(InputError, match=r"16384x20 pixels do not fit into WEBP"):
        encode_photo(wide, wide.pixels, None, ".webp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        long = read_photo(encoded(np.zeros((16, 65_501, 3), np.uint8)))
    with pytest.raises(InputError, match=r"65501x16 pixels do not fit into JPEG"):
        encode_photo(long, long.pixels, None, ".jpeg")


def test_heic_cannot_be_written_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in (".jpg", ".heic"):
        require_encoder(suffix)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    require_encoder(".jpg")
    with pytest.raises(InputError, match=r"to write \.heic, install the package pillow-heif"):
        require_encoder(".heic")


TEXTS = {
    "Title": "A < B",
    "Author": "somebody",
    "Copyright": "nobody & all",
    "Description": "a test",
    "Comment": "two\nlines \x01",
    "parameters": "steps: 3",
}


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".heic"])
@pytest.mark.parametrize("provenance", [None, Provenance("edited", "m", "Bald=1")])
def test_texts_of_a_png_file_reach_other_formats(
    suffix: str, provenance: Provenance | None
) -> None:
    info = PngInfo()
    for keyword, text in TEXTS.items():
        info.add_itxt(keyword, text)
    photo = read_photo(encoded(noise(40, 40), pnginfo=info))
    written = decoded(encode_photo(photo, photo.pixels, provenance, suffix))
    xmp = written.info["xmp"]
    root = ElementTree.fromstring(xmp.decode().rstrip("\0").removeprefix("\ufeff"))
    found = {
        element.tag.split("}")[1]: " ".join("".join(element.itertext()).split())
        for element in root.iter()
        if "dc/elements" in element.tag
    }
    assert found["title"] == "A < B"
    assert found["creator"] == "somebody"
    assert found["rights"] == "nobody & all"
    expected = "a test Comment: two lines parameters: steps: 3"
    if provenance is not None:
        expected = f"{expected} {provenance.sentence}"
    assert found["description"] == expected


def test_texts_are_added_to_a_packet_that_has_its_own() -> None:
    packet = with_texts(RIGHTS, {"Copyright": "Yours", "Title": "A", "parameters": "x"})
    root = ElementTree.fromstring(packet)
    found = {element.tag: "".join(element.itertext()) for element in root.iter()}
    assert found[f"{DC}rights"] == "All mine"
    assert found[f"{DC}title"] == "A"
    assert found[f"{DC}description"] == "At the sea parameters: x"
    assert with_texts(RIGHTS, {"Copyright": "Yours"}) == RIGHTS


def test_the_comment_of_a_jpeg_file_reaches_other_formats() -> None:
    photo = read_photo(encoded(noise(40, 40), "JPEG", comment=b"by hand"))
    assert decoded(encode_photo(photo, photo.pixels, None, ".png")).info["Comment"] == "by hand"
    webp = decoded(encode_photo(photo, photo.pixels, None, ".webp"))
    assert b"Comment: by hand" in webp.info["xmp"]
    jpeg = decoded(encode_photo(photo, photo.pixels, None, ".jpg"))
    assert jpeg.info["comment"] == b"by hand"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_format_is_known_by_its_content(file_format: str) -> None:
    data = encoded(noise(20, 20), file_format)
    assert format_of(data[:16]) == file_format
    photo = read_photo(data)
    assert photo.suffix(".heic") == {"JPEG": ".jpg"}.get(file_format, f".{file_format.lower()}")
    assert photo.suffix(".JPEG") == (".jpeg" if file_format == "JPEG" else photo.suffix(""))
    assert format_of(b"no picture") is None

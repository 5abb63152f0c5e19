"""What a photo's file says beside its pixels: EXIF, XMP, comment, resolution, texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from twobirds.data.provenance import PNG_XMP_KEY, Provenance

_ORIENTATION, _THUMBNAIL = 0x0112, 1  # the EXIF tag, and the directory of the thumbnail
_SOURCE_TYPE = re.compile(
    r"\s[\w-]+:DigitalSourceType\s*=\s*(\"[^\"]*\"|'[^']*')"
    r"|<([\w-]+:DigitalSourceType)\b[^>]*?(/>|>.*?</\2\s*>)",
    re.DOTALL,
)
_MAX_SOURCE_TYPES = 16  # in a packet; more are no sincere metadata, and slow to search
_PADDING = re.compile(r"\s{20,}")


@dataclass(frozen=True)
class Metadata:
    """Metadata of a photo, in the forms that Pillow's encoders take."""

    exif: bytes | None = None
    """Without orientation, and without the thumbnail, which would show the photo as it was."""
    xmp: str | None = None
    """The XMP packet."""
    comment: bytes | None = None
    """JPEG's."""
    dpi: tuple[float, float] | None = None
    """Pixels per inch across and down."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """PNG's, by keyword."""

    def encoder_arguments(self, file_format: str, provenance: Provenance | None) -> dict[str, Any]:
        """Arguments to Pillow's encoder that write them, and where the picture is from.

        Args:
            file_format: Pillow's name of the format; what it cannot hold is left out.
            provenance: Of an edited picture; None adds nothing.
        """
        xmp = self.xmp if provenance is None else merged_xmp(self.xmp, provenance)
        arguments: dict[str, Any] = {}
        if self.dpi and file_format in ("JPEG", "PNG", "BMP"):
            arguments["dpi"] = self.dpi
        if self.exif and file_format != "BMP":
            arguments["exif"] = self.exif
        if self.comment and file_format == "JPEG":
            arguments["comment"] = self.comment
        if xmp and file_format in ("JPEG", "WEBP", "HEIF"):
            arguments["xmp"] = xmp.encode()
        if file_format == "PNG":
            arguments["pnginfo"] = self._png_texts(xmp, provenance)
        return arguments

    def _png_texts(self, xmp: str | None, provenance: Provenance | None) -> PngInfo:
        """The photo's texts, then ours: of two with one keyword both are kept."""
        info = PngInfo()
        for keyword, text in self.texts.items():
            info.add_itxt(keyword, text)
        if xmp:
            info.add_itxt(PNG_XMP_KEY, xmp)
        if provenance is not None:
            info.add_text("Software", "TwoBirds")
            info.add_itxt("Description", provenance.sentence)
        return info


def metadata_of(image: Image.Image) -> Metadata:
    """Metadata of a decoded file."""
    texts = dict(image.text) if isinstance(image, PngImageFile) else {}
    xmp: Any = texts.pop(PNG_XMP_KEY, None) or image.info.get("xmp")
    if isinstance(xmp, bytes):
        xmp = xmp.rstrip(b"\0").decode(errors="replace")
    dpi = image.info.get("dpi")
    return Metadata(
        exif=_exif(image),
        xmp=xmp or None,
        comment=image.info.get("comment") if image.format in ("JPEG", "MPO") else None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        texts={str(keyword): str(text) for keyword, text in texts.items()},
    )


def merged_xmp(source: str | None, provenance: Provenance) -> str:
    """A photo's XMP packet with the provenance of its edit added.

    All that the packet says stays, but for its digital source type; the sentence about the edit
    follows its description.

    Args:
        source: The packet; None, or one without RDF, gives way to a new one.
        provenance: Of the edit.
    """
    own = provenance.xmp
    end = source.rfind("</rdf:RDF>") if source else -1
    if source is None or end < 0 or source.count("DigitalSourceType") > _MAX_SOURCE_TYPES:
        return own
    ours = own[own.index("<rdf:Description") : own.index("</rdf:RDF>")]
    theirs = _SOURCE_TYPE.sub("", source[:end])
    if "xmp:CreatorTool" in theirs:
        ours = re.sub(r'\sxmp:CreatorTool="[^"]*"', "", ours)
    start = theirs.find("<dc:description")
    place = theirs.find("</rdf:li>", start, theirs.find("</dc:description>", start))
    if start >= 0 and place >= 0:
        theirs = f"{theirs[:place]} {escape(provenance.sentence)}{theirs[place:]}"
        ours = re.sub(r"<dc:description>.*?</dc:description>", "", ours, flags=re.DOTALL)
    return theirs + ours + _PADDING.sub("\n", source[end:])


def _exif(image: Image.Image) -> bytes | None:
    """EXIF for the upright photo; None where there is none or it is damaged."""
    try:
        exif = Image.Exif()
        exif.load(image.getexif().tobytes())
        if not len(exif):
            return None
        exif.pop(_ORIENTATION, None)
        exif._ifds.pop(_THUMBNAIL, None)
        return exif.tobytes()
    except Exception:  # damaged in ways as many as there are cameras
        return None

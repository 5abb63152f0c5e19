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
_DUBLIN_CORE = {"Title": "title", "Author": "creator", "Copyright": "rights"}
"""Properties by PNG's keywords."""
_EMPTY_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
)
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
        texts = dict(self.texts)
        if self.comment and file_format != "JPEG":
            texts.setdefault("Comment", self.comment.decode(errors="replace"))
        xmp = self.xmp
        if texts and file_format != "PNG":
            xmp = with_texts(xmp, texts)
        if provenance is not None:
            xmp = merged_xmp(xmp, provenance)
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
            arguments["pnginfo"] = _png_texts(texts, xmp, provenance)
        return arguments


def _png_texts(texts: Mapping[str, str], xmp: str | None, provenance: Provenance | None) -> PngInfo:
    """The photo's texts, then ours: of two with one keyword both are kept."""
    info = PngInfo()
    for keyword, text in texts.items():
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


def with_texts(source: str | None, texts: Mapping[str, str]) -> str:
    """An XMP packet with texts for which a format has no place of its own.

    PNG's Title, Author and Copyright become Dublin Core's title, creator and rights; all other
    texts are lines of its description. What the packet has of these stays, and lines are added.

    Args:
        source: The packet; None, or one without RDF, gives way to a new one.
        texts: By keyword.
    """
    lines = [text for keyword, text in texts.items() if keyword == "Description"]
    others = texts.keys() - {*_DUBLIN_CORE, "Description"}
    lines += [f"{keyword}: {texts[keyword]}" for keyword in texts if keyword in others]
    values = {_DUBLIN_CORE[k]: text for k, text in texts.items() if k in _DUBLIN_CORE}
    if lines:
        values["description"] = "\n".join(lines)
    end = source.rfind("</rdf:RDF>") if source else -1
    start, finish = _EMPTY_PACKET
    if source is not None and end >= 0:
        start, finish = source[:end], source[end:]
    described = _with_description(start, _in_xml("\n".join(lines))) if lines else None
    start = described or start
    properties = [
        _property(name, text) for name, text in values.items() if f"<dc:{name}" not in start
    ]
    if not properties:
        return start + finish
    dublin_core = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ours = f'<rdf:Description rdf:about="" {dublin_core}>{"".join(properties)}</rdf:Description>'
    return start + ours + finish


def _with_description(packet: str, text: str) -> str | None:
    """A packet with text behind its description; None if it has none."""
    start = packet.find("<dc:description")
    place = packet.find("</rdf:li>", start, packet.find("</dc:description>", start))
    return f"{packet[:place]} {text}{packet[place:]}" if start >= 0 and place >= 0 else None


def _in_xml(text: str) -> str:
    """Text as XML has it, without control characters."""
    return escape(_NOT_IN_XML.sub("", text))


def _property(name: str, text: str) -> str:
    """A property of Dublin Core in XML."""
    content = _in_xml(text)
    if name == "creator":
        return f"<dc:creator><rdf:Seq><rdf:li>{content}</rdf:li></rdf:Seq></dc:creator>"
    item = f'<rdf:li xml:lang="x-default">{content}</rdf:li>'
    return f"<dc:{name}><rdf:Alt>{item}</rdf:Alt></dc:{name}>"


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
    described = _with_description(theirs, escape(provenance.sentence))
    if described is not None:
        theirs = described
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

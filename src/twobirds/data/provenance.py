"""What a file says of itself: that a model generated or edited it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from PIL.PngImagePlugin import PngInfo

Kind = Literal["generated", "edited"]
_SOURCE_TYPES: dict[Kind, str] = {
    "generated": "trainedAlgorithmicMedia",
    "edited": "compositeWithTrainedAlgorithmicMedia",
}
"""IPTC's vocabulary of digital source types, which search engines and editors read."""
PHOTO_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
"""Pillow's names of formats that photos come in, by the end of a file's name."""
PNG_XMP_KEY = "XML:com.adobe.xmp"


@dataclass(frozen=True)
class Provenance:
    """By which model a picture was generated or edited."""

    kind: Kind
    model: str
    """Name of the model, and the start of its weights' hash."""
    details: str = ""
    """Such as which attributes were changed."""

    @property
    def sentence(self) -> str:
        """In words: "Synthetic image: edited by TwoBirds, model celeba128: Smiling=1."."""
        details = f": {self.details}" if self.details else ""
        return f"Synthetic image: {self.kind} by TwoBirds, model {self.model}{details}."

    @property
    def source_type(self) -> str:
        """IPTC's digital source type."""
        return f"http://cv.iptc.org/newscodes/digitalsourcetype/{_SOURCE_TYPES[self.kind]}"

    @property
    def xmp(self) -> str:
        """An XMP packet (ISO 16684) with the digital source type."""
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about=""'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
            ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            ' xmp:CreatorTool="TwoBirds"'
            f" Iptc4xmpExt:DigitalSourceType={quoteattr(self.source_type)}>"
            f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(self.sentence)}'
            "</rdf:li></rdf:Alt></dc:description>"
            "</rdf:Description></rdf:RDF></x:xmpmeta>"
            '<?xpacket end="w"?>'
        )

    def encoder_arguments(self, file_format: str) -> dict[str, Any]:
        """Arguments to Pillow's encoder of a format that put it into the file."""
        if file_format == "PNG":
            info = PngInfo()
            info.add_itxt(PNG_XMP_KEY, self.xmp)
            info.add_text("Software", "TwoBirds")
            info.add_itxt("Description", self.sentence)
            return {"pnginfo": info}
        if file_format in ("JPEG", "WEBP", "HEIF"):
            return {"xmp": self.xmp.encode()}
        return {}  # BMP has no place for it


def listed_values(values: Mapping[str, float]) -> str:
    """Values by attribute in a line, by name: "Male=1, Smiling=0"."""
    return ", ".join(f"{name}={value:g}" for name, value in sorted(values.items()))

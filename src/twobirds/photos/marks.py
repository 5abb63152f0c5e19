"""What tells that a picture is synthetic: metadata unless declined, a visible note if asked for."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from twobirds.api import FaceModel
from twobirds.data.problems import printable
from twobirds.data.provenance import Kind, Provenance
from twobirds.photos.credentials import CredentialSigner

_MIN_FONT, _FONT_SHARE = 10, 1 / 36  # pixels; of the picture's height


@dataclass(frozen=True)
class Marks:
    """How synthetic pictures are marked."""

    kind: Kind
    details: str = ""
    """Such as which attributes were changed."""
    is_visible: bool = False
    """Whether a note is written into the picture."""
    has_metadata: bool = True
    signer: CredentialSigner | None = None
    """Signs what the metadata say, as Content Credentials; not without metadata."""

    def provenance(self, model: FaceModel) -> Provenance | None:
        """What the file says of itself; None without metadata."""
        if not self.has_metadata:
            return None
        name = f"{printable(model.name)} ({model.weights_sha256[:12]})"  # XML takes no more
        return Provenance(self.kind, name, self.details)

    def shown_on(self, pixels: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` uint8 with the visible note, if there is to be one."""
        return with_note(pixels, self.text)[0] if self.is_visible else pixels

    @property
    def text(self) -> str:
        """The visible note."""
        return f"AI-{self.kind}"


def with_note(pixels: np.ndarray, text: str) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Write a line into the lower left corner, white on a dark ground.

    Args:
        pixels: `[H, W, 3]` uint8.
        text: The line.

    Returns:
        `[H, W, 3]` uint8; and the rows and columns of the note.
    """
    image = Image.fromarray(pixels)
    canvas = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(_MIN_FONT, round(image.height * _FONT_SHARE)))
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    edge = max(1, round((bottom - top) / 4))
    width, height = right - left + 2 * edge, bottom - top + 2 * edge
    canvas.rectangle((0, image.height - height, width, image.height), fill=(32, 32, 32))
    canvas.text((edge - left, image.height - height + edge - top), text, "white", font)
    rows = slice(max(0, image.height - int(height)), image.height)
    return np.asarray(image), (rows, slice(0, int(width) + 1))

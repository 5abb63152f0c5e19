"""What tells that a picture is synthetic: metadata unless declined, a visible note if asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro
from PIL import Image, ImageDraw, ImageFont

from twobirds.data.provenance import Kind, Provenance

if TYPE_CHECKING:
    from twobirds.api import FaceModel

VisibleNote = Annotated[
    bool, tyro.conf.arg(help="Write into a corner of the picture that it is synthetic.")
]
NoMetadata = Annotated[
    bool,
    tyro.conf.arg(help="Leave out the metadata that say so, and by which model."),
]
_LEAST_FONT, _FONT_SHARE = 10, 1 / 36  # pixels; of the picture's height


@dataclass(frozen=True)
class Marks:
    """How the pictures of a command are marked."""

    kind: Kind
    details: str
    """Such as which attributes were changed."""
    is_visible: bool
    has_metadata: bool

    def provenance(self, model: "FaceModel") -> Provenance | None:
        """What the file says of itself."""
        if not self.has_metadata:
            return None
        return Provenance(self.kind, f"{model.name} ({model.weights_sha256[:12]})", self.details)

    def shown_on(self, pixels: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` uint8 with the visible note, if there is to be one."""
        return with_note(pixels, f"AI-{self.kind}") if self.is_visible else pixels


def with_note(pixels: np.ndarray, text: str) -> np.ndarray:
    """Write a line into the lower left corner of `[H, W, 3]` uint8, white on a dark ground."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(_LEAST_FONT, round(image.height * _FONT_SHARE)))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    edge = max(1, round((bottom - top) / 4))
    height = bottom - top + 2 * edge
    draw.rectangle(
        (0, image.height - height, right - left + 2 * edge, image.height), fill=(32, 32, 32)
    )
    draw.text((edge - left, image.height - height + edge - top), text, "white", font)
    return np.asarray(image)

"""The brush with which a user marks what an edit leaves as it is."""

import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.image_editor import AcceptBlobs, EditorData

from twobirds.data.images import opened_image
from twobirds.errors import InputError

_COLOUR = "#e03131"
_RADIUS = 18  # pixels, at first
_HEIGHT = 360  # pixels of the screen
_MAX_SIDE = 2_000  # pixels of what is painted; the pictures of the page are smaller
_MAX_PAINTED, _MAX_BYTES = 64, 1_000_000  # kept until the event that brings them; each
_KEPT_SECONDS = 60.0  # and no longer


def brush() -> gr.ImageEditor:
    """A canvas to paint on. What events get of it is the file of its layer, bytes or None."""
    editor = gr.ImageEditor(
        show_label=False,  # on a phone it would lie below the tools
        sources=(),
        transforms=(),
        layers=False,
        brush=gr.Brush(_RADIUS, colors=[_COLOUR], color_mode="fixed"),
        eraser=gr.Eraser(_RADIUS),
        format="png",
        height=_HEIGHT,
        buttons=[],
        elem_id="brush",
    )
    painted = _Painted()
    # Gradio's own keep any number of pictures of any size, and decode them unseen.
    vars(editor)["accept_blobs"] = painted.accept
    vars(editor)["preprocess"] = painted.take
    return editor


def canvas(pixels: np.ndarray | None) -> dict[str, Any] | None:
    """A picture to be painted on, `[H, W, 3]` uint8, without paint; None is no picture."""
    return None if pixels is None else {"background": pixels, "layers": [], "composite": None}


def painted_mask(layer: bytes | None, height: int, width: int) -> np.ndarray | None:
    """Where a layer has paint.

    Args:
        layer: Its file.
        height: Of the picture that was painted on, in pixels.
        width: Of that picture.

    Returns:
        `[H, W]` bool; None where there is no paint.

    Raises:
        InputError: If it is no picture, or larger than the page makes any.
    """
    if layer is None:
        return None
    with opened_image(layer, ("PNG", "WEBP")) as image:
        if max(image.size) > _MAX_SIDE:
            raise InputError(f"what is painted has {image.width}x{image.height} pixels")
        image.load()
        cover = image.convert("RGBA").getchannel("A")
    if cover.size != (width, height):
        cover = cover.resize((width, height))
    mask: np.ndarray = np.asarray(cover) > 0
    return mask if mask.any() else None


class _Painted:
    """Layers on their way: Gradio sends them before the event that is about them.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._layers: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # the oldest first
        self._lock = threading.Lock()

    def accept(self, data: AcceptBlobs) -> None:
        """Keep a layer; background and composite are of no use."""
        content = data.files[0][1]
        if data.data["type"] != "layer" or len(content) > _MAX_BYTES:
            return
        with self._lock:
            self._sweep()
            self._layers[str(data.data["id"])] = (time.monotonic(), content)
            while len(self._layers) > _MAX_PAINTED:
                self._layers.popitem(last=False)

    accept._is_server_fn = True  # type: ignore[attr-defined]  # Gradio's mark of what a page calls

    def take(self, payload: EditorData | None) -> bytes | None:
        """The layer that an event brings, as its file."""
        if payload is None:
            return None
        if payload.id is not None:
            with self._lock:
                self._sweep()
                return self._layers.pop(payload.id, (0.0, None))[1]
        return Path(payload.layers[0].path).read_bytes() if payload.layers else None

    def _sweep(self) -> None:
        """Forget layers whose event never came."""
        oldest = time.monotonic() - _KEPT_SECONDS
        while self._layers and next(iter(self._layers.values()))[0] < oldest:
            self._layers.popitem(last=False)

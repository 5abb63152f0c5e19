"""What is painted over a photo stays as it is."""

from pathlib import Path

import numpy as np
import pytest
from gradio.components.image_editor import AcceptBlobs, EditorData
from looking_at_tabs import moved
from PIL import Image

from photos.making_photos import decoded, encoded, noise
from twobirds.apps.web.brush import _Painted
from twobirds.apps.web.edit_tab import EditTab


def layer(height: int, width: int, *rows: int) -> bytes:
    """What a brush gives that went over some rows."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[list(rows)] = (224, 49, 49, 255)
    return encoded(Image.fromarray(pixels))


def test_what_is_painted_stays(edit_tab: EditTab, photo: str) -> None:
    key, _, _, _, _, _, _, canvas, *stood = edit_tab._open(photo, None)
    height, width = canvas["background"].shape[:2]
    values = moved(edit_tab, stood, "Bald", 1.0)
    wishes = (2, 2.0, False, *values)
    whole = edit_tab._edit(key, *wishes)[0][1]
    paint = layer(height, width, *range(30, 60))
    before, after = edit_tab._protect(paint, key, *wishes)[0]
    assert before.shape[0] == height  # it is wider than tall
    rows = slice(30, 60)
    assert (after[rows] == before[rows]).all()
    assert (whole[rows] != before[rows]).any()
    assert (after != before).any()
    _, result = edit_tab._make(False, key, 2, 2.0, False, *values)
    assert result["value"].endswith("photo.edited.png")
    made = np.asarray(decoded(Path(result["value"]).read_bytes()))
    assert (made[rows, 70:] == noise(110, 230)[rows, 70:]).all()
    assert (made != noise(110, 230)).any()
    erased = edit_tab._protect(layer(height, width), key, *wishes)[0][1]
    assert (erased == whole).all()
    edit_tab._protect(paint, key, *wishes)
    edit_tab._choose(key, 2)
    assert (edit_tab._edit(key, *wishes)[0][1] == whole).all()
    assert edit_tab._protect(paint, None, *wishes)[2] == "⚠ Open a photo first."
    assert "⚠ What is painted has 2001x1 pixels." in edit_tab._protect(
        layer(1, 2001, 0), key, *wishes
    )


def test_a_jpeg_of_which_a_part_is_kept_becomes_a_png(edit_tab: EditTab, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(noise(110, 230), "JPEG"))
    (
        key,
        *_,
    ) = edit_tab._open(str(tmp_path / "photo.jpg"), None)
    values = edit_tab._open(str(tmp_path / "photo.jpg"), None)[8:]
    values = moved(edit_tab, values, "Bald", 1.0)
    for paint, ending in ((None, ".jpg"), (layer(110, 162, 40), ".png")):
        edit_tab._protect(paint, key, 2, 1.0, False, *values)
        _, result = edit_tab._make(False, key, 2, 1.0, False, *values)
        assert result["value"].endswith(ending)


def test_layers_wait_for_their_event_in_a_bounded_store() -> None:
    painted = _Painted()
    assert painted.take(None) is None

    def send(key: str, content: bytes, kind: str = "layer") -> None:
        blob = {"type": kind, "index": 10**9, "file": b"", "id": key}
        painted.accept(AcceptBlobs(data=blob, files=[("file", content)]))

    for number in range(70):
        send(str(number), b"x")
    send("background", b"y", "background")
    send("large", bytes(1_000_001))
    assert [painted.take(EditorData(id=key)) for key in ("0", "5", "6", "69", "69")] == [
        None, None, b"x", b"x", None,
    ]  # fmt: skip
    assert painted.take(EditorData(id="background")) is None
    assert painted.take(EditorData(id="large")) is None
    assert painted.take(EditorData()) is None


def test_layers_whose_event_never_comes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    painted, now = _Painted(), [0.0]
    monkeypatch.setattr("twobirds.apps.web.brush.time.monotonic", lambda: now[0])

    def send(key: str) -> None:
        blob = {"type": "layer", "index": 0, "file": b"", "id": key}
        painted.accept(AcceptBlobs(data=blob, files=[("file", b"x")]))

    send("early")
    now[0] = 50.0
    send("late")
    now[0] = 70.0
    assert painted.take(EditorData(id="early")) is None
    assert painted.take(EditorData(id="late")) == b"x"

"""The HTTP API: recognize, edit and generate, under /gradio_api/call/NAME."""

from pathlib import Path
from typing import Any

import gradio as gr

from twobirds.apps.pictures import near_square_grid, picture_bytes
from twobirds.apps.web.files import Files
from twobirds.apps.web.parts import told
from twobirds.apps.web.service import FaceService

_MOST_FACES = 64  # of one call of generate


def add_endpoints(service: FaceService, files: Files) -> None:
    """Add the named endpoints to the page that is being laid out; none of them is seen on it."""

    def recognize(photo: str) -> list[dict[str, Any]]:
        opened = told(lambda: service.open(Path(photo).read_bytes()))
        names = service.model.attributes
        return [
            {"face": number, "attributes": dict(zip(names, row.tolist(), strict=True))}
            for number, row in enumerate(opened.read, 1)
        ]

    def edit(photo: str, changes: dict[str, float], face: float) -> str:
        source = Path(photo)
        data = source.read_bytes()
        content = told(lambda: service.edit_file(data, int(face) - 1, changes))
        return str(files.write(f"{source.stem}.edited{source.suffix.lower()}", content))

    def generate(attributes: dict[str, float], count: float, seed: float) -> str:
        if not 1 <= count <= _MOST_FACES:
            raise gr.Error(f"count must lie between 1 and {_MOST_FACES}.", print_exception=False)
        pixels = told(lambda: service.generate(int(count), attributes, int(seed)))
        details = ", ".join(f"{name}={value:g}" for name, value in attributes.items())
        provenance = service.provenance("generated", details)
        return str(
            files.write("generated.png", picture_bytes(near_square_grid(pixels), provenance))
        )

    with gr.Row(visible=False):
        photo, picture = gr.File(label="photo"), gr.File(label="picture")
        values = gr.JSON(label="changes", value={})
        number, seed = gr.Number(1, label="face"), gr.Number(0, label="seed")
        answer = gr.JSON(label="faces")
        call = gr.Button("call")
        call.click(recognize, [photo], [answer], api_name="recognize")
        call.click(edit, [photo, values, number], [picture], api_name="edit")
        call.click(generate, [values, number, seed], [picture], api_name="generate")

"""The page behind a web server."""

from pathlib import Path
from typing import Protocol

import gradio as gr
import uvicorn
from fastapi import FastAPI

from twobirds.api import FaceModel
from twobirds.apps.web.files import Files
from twobirds.apps.web.limits import Guard
from twobirds.apps.web.page import CSS, build_page, theme
from twobirds.apps.web.service import FaceService, embedder_distance
from twobirds.photos.faces import Detector

_MOST_WAITING = 64  # calls in the queue; further ones are refused


class Options(Protocol):
    """What the command knows."""

    @property
    def embedder(self) -> Path | None:
        """The embedder's file."""
        ...

    @property
    def identity_threshold(self) -> float | None:
        """Its distance above which faces count as two people's."""
        ...

    @property
    def host(self) -> str:
        """Address to listen at."""
        ...

    @property
    def port(self) -> int:
        """Port to listen at."""
        ...

    @property
    def max_upload(self) -> int:
        """Largest file, in megabytes."""
        ...

    @property
    def requests_per_minute(self) -> int:
        """Of one address; 0 allows any number."""
        ...


def make_app(options: Options, model: FaceModel, detector: Detector, folder: Path) -> FastAPI:
    """The whole application.

    Args:
        options: The command's.
        model: Which edits and generates.
        detector: Which finds faces.
        folder: Temporary; uploads and downloads lie in it.

    Raises:
        InputError: If the embedder's file is none.
    """
    identity = options.embedder and embedder_distance(options.embedder, model)
    service = FaceService(model, detector, identity or None)
    downloads = folder / "downloads"
    downloads.mkdir()
    page = build_page(service, Files(downloads), options.identity_threshold)
    page.queue(max_size=_MOST_WAITING, default_concurrency_limit=1)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        allowed_paths=[str(downloads)],
        max_file_size=options.max_upload * 1_000_000,
        theme=theme(),
        css=CSS,
        show_error=False,
        ssr_mode=False,
        footer_links=[],
    )
    app.add_middleware(Guard, per_minute=options.requests_per_minute)
    return app


def serve(options: Options, model: FaceModel, detector: Detector, folder: Path) -> None:
    """Serve until interrupted."""
    app = make_app(options, model, detector, folder)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")

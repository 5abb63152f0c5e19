"""The page behind a web server."""

import socket
import threading
from pathlib import Path
from typing import Protocol

import gradio as gr
import uvicorn
from fastapi import FastAPI

from twobirds.api import FaceModel
from twobirds.apps.display import say
from twobirds.apps.identity import embedder_distance
from twobirds.apps.web.connections import PromptHeaders
from twobirds.apps.web.endpoints import DEFAULTS, FILES
from twobirds.apps.web.files import KEPT_SECONDS, Files, sweep
from twobirds.apps.web.limits import MCP_PATH, Guard, max_message
from twobirds.apps.web.origin import OwnSite
from twobirds.apps.web.page import CSS, build_page, theme
from twobirds.apps.web.service import FaceService
from twobirds.apps.web.sessions import MAX_SESSIONS
from twobirds.errors import InputError, missing_extra
from twobirds.photos.faces import Detector

_MAX_WAITING = 64  # calls in the queue; further ones are refused
_SWEEP_SECONDS = 30.0
_PATIENCE_SECONDS = 3  # with open connections, when the server ends
_DOWNLOADS = "downloads"


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

    @property
    def mcp(self) -> bool:
        """Whether the page's functions are tools of an MCP server, too."""
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
    downloads = folder / _DOWNLOADS
    downloads.mkdir()
    page = build_page(service, Files(downloads), options.identity_threshold)
    page.state_session_capacity = MAX_SESSIONS
    page.queue(max_size=_MAX_WAITING, default_concurrency_limit=1, api_open=False)
    app = _bare_app(options, service)
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
    app.add_middleware(
        Guard,
        per_minute=options.requests_per_minute,
        max_bytes=options.max_upload * 1_000_000,
        folder=folder,
        defaults=DEFAULTS,
        files=FILES,
        has_mcp=options.mcp,
    )
    app.add_middleware(OwnSite, host=options.host)
    return app


def _bare_app(options: Options, service: FaceService) -> FastAPI:
    """The application without the page, with the MCP server if it is wanted."""
    if not options.mcp:
        return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    try:
        from twobirds.apps.web.mcp_server import make_mcp_server
    except ModuleNotFoundError as error:
        raise missing_extra("--mcp needs", "mcp", error) from error
    server = make_mcp_server(service, options.host, max_message(options.max_upload * 1_000_000))
    tools = server.streamable_http_app()  # makes the session manager
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lambda _: server.session_manager.run(),
    )
    app.router.routes.extend(tools.routes)
    return app


def serve(options: Options, model: FaceModel, detector: Detector, folder: Path) -> None:
    """Serve until interrupted.

    Raises:
        InputError: If the embedder's file is none, or the address cannot be listened at.
    """
    app = make_app(options, model, detector, folder)
    listening = _listen(options.host, options.port)
    say(f"http://{options.host}:{options.port} (Ctrl-C ends it)")
    if options.mcp:
        say(f"http://{options.host}:{options.port}{MCP_PATH} (MCP)")
    done = threading.Event()
    sweeper = threading.Thread(target=_sweep_on, args=(folder, done), daemon=True)
    sweeper.start()
    config = uvicorn.Config(
        app,
        http=PromptHeaders,
        log_level="warning",
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        done.set()
        sweeper.join()
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    """A socket at an address."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise InputError(f"cannot listen at {host}:{port}: {error.strerror}") from error
    return listening


def _sweep_on(folder: Path, done: threading.Event) -> None:
    """Remove old uploads and downloads, again and again."""
    downloads = folder / _DOWNLOADS
    while not done.wait(_SWEEP_SECONDS):
        sweep(folder, KEPT_SECONDS, keep=frozenset({downloads}))
        sweep(downloads, KEPT_SECONDS)

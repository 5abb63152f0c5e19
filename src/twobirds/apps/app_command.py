"""The command that serves the web page."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from twobirds.apps.options import Device, ModelName, load_model, optional
from twobirds.apps.photo_files import DetectorFile
from twobirds.errors import InputError, missing_extra


@dataclass(frozen=True)
class App:
    """Serve the web page, on this machine alone unless --host says otherwise."""

    model: ModelName = None
    detector: DetectorFile = None
    embedder: Annotated[Path | None, optional("FILE.onnx", "identity is not judged")] = None
    """Face embedder that measures whether it is still the same person."""
    identity_threshold: Annotated[float | None, optional("FLOAT", "none is shown")] = None
    """The embedder's distance above which faces count as two people's; `evaluate` calibrates it."""
    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 for all addresses of the machine."""
    port: int = 7860
    """Port to listen at."""
    max_upload: int = 25
    """Largest file to accept, in megabytes."""
    requests_per_minute: int = 600
    """Uploads and calls that one address may make; 0 allows any number."""
    mcp: bool = False
    """Also serve the page's functions as tools for assistants (Model Context Protocol) at /mcp."""
    device: Device = "auto"

    def run(self) -> int:
        """Serve until interrupted; returns the exit code."""
        if not 0 < self.port < 2**16:
            raise InputError(f"--port must lie between 1 and 65535, not {self.port}")
        if self.max_upload < 1:
            raise InputError(f"--max-upload must be at least 1, not {self.max_upload}")
        if self.requests_per_minute < 0:
            raise InputError(
                f"--requests-per-minute must not be negative, but is {self.requests_per_minute}"
            )
        if self.identity_threshold is not None and self.embedder is None:
            raise InputError("--identity-threshold needs --embedder to measure by")
        with tempfile.TemporaryDirectory(prefix="twobirds-") as folder:
            os.environ["GRADIO_TEMP_DIR"] = folder  # before gradio is imported
            os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
            try:
                with _without_proxies():
                    from twobirds.apps.web.serve import serve
            except ModuleNotFoundError as error:
                raise missing_extra("the page needs", "app", error) from error
            from twobirds.photos.detectors import find_detector

            model = load_model(self.model, self.device)
            detector = find_detector(self.detector)
            serve(self, model, detector, Path(folder))
        return 0


@contextlib.contextmanager
def _without_proxies() -> Iterator[None]:
    """Hide the proxies of the environment while gradio is imported.

    It opens an HTTP client then, of which the page makes no use, and which fails on a SOCKS proxy
    where a further package is absent.
    """
    names = ("NO_PROXY", "no_proxy")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "*"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

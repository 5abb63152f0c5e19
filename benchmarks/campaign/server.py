"""The page's server in a process of its own, which is started, waited for and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_FOLDER = str(Path(__file__).parent.parent)  # in which the campaign lies
_PATIENCE_SECONDS = 30
_OF_ONNXRUNTIME = ".ses"  # its file for telemetry, which it makes when it is imported


class Server:
    """Serves a model while it is entered; what was wrong with it is known afterwards.

    Args:
        model: What it serves.
        folder: Scratch; its log and temporary files lie in it.
    """

    def __init__(self, model: Path, folder: Path) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.temporary.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.notes = folder / "memory"
        self.notes.touch()
        words = ["app", f"--model={model}", f"--port={self.port}", "--requests-per-minute=0"]
        self.command = [sys.executable, "-m", "campaign.settling", str(self.notes), *words]
        self.faults: list[str] = []

    def __enter__(self) -> Self:
        environment = os.environ | {
            "TMPDIR": str(self.temporary),
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join([_FOLDER, os.environ.get("PYTHONPATH", "")]),
        }
        with (self.folder / "log").open("wb") as file:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.DEVNULL, stderr=file, env=environment
            )
        try:
            _wait(self.port, self.process)
        except BaseException:
            end_process(self.process)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.faults += end_process(self.process)
        if "Traceback" in (self.folder / "log").read_text():
            self.faults.append("the log has a traceback")
        self.faults += [f"left {name}" for name in self.files_left() if name != _OF_ONNXRUNTIME]

    def files_left(self) -> list[str]:
        """Names of its temporary files."""
        return sorted(os.listdir(self.temporary))  # noqa: PTH208

    def note_memory(self) -> None:
        """Let it note how much memory it holds."""
        self.process.send_signal(signal.SIGUSR1)

    def noted_bytes(self) -> list[int]:
        """What it noted so far."""
        return [int(line) for line in self.notes.read_text().split()]


def end_process(
    server: "subprocess.Popen[bytes]", patience: float = _PATIENCE_SECONDS
) -> list[str]:
    """End a server, by SIGKILL where SIGTERM does not end it in some seconds.

    Returns:
        The fault, if it had to be killed.
    """
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(patience)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        return [f"the server did not end {patience:g} s after SIGTERM"]
    return []


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: If it ends.
    """
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("the server ended before anybody came")

"""What a careless server does to its users is seen."""

import http.server
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from photos.making_photos import encoded

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


class Answers(http.server.BaseHTTPRequestHandler):
    """A server that gives everybody the same photo, and hostile users what they ask for."""

    photo = b""

    def do_GET(self) -> None:
        if "/call/" in self.path:
            answer = b'event: complete\ndata: [{"path": "/x"}]\n\n'
        else:
            answer = self.photo
        self.say(answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(b'["/x"]' if "upload" in self.path else b'{"event_id": "1"}')

    def say(self, answer: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_what_a_careless_server_does_is_seen(campaign: Any) -> None:
    Answers.photo = encoded(Image.new("RGB", (256, 256), (1, 2, 3)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = campaign.visitors.Client(server.server_address[1], campaign.visitors.Tally())
        try:
            with pytest.raises(AssertionError, match="somebody else's photo"):
                campaign.visitors.be_patient(client, random.Random(0))
            with pytest.raises(AssertionError, match=": 200 "):
                campaign.visitors.be_hostile(client, random.Random(0))
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_does_not_end_is_killed_and_told(campaign: Any) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"
    for before, patience, faults in (
        (f"{deaf}; ", 0.2, ["the server did not end 0.2 s after SIGTERM"]),
        ("print(flush=True); ", 30, []),
    ):
        words = [sys.executable, "-c", f"{before}import time; time.sleep(60)"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            assert campaign.server.end_process(server, patience) == faults
            assert server.returncode < 0


MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("held", "faults"),
    [
        ([100] * 50 + [101] * 50, []),
        ([100] * 70 + [110] * 30, ["memory grew by 10.0%"]),
        ([100] * 99 + [200], []),  # a request at work
        ([50] * 40 + [100] * 60, []),  # before it was warm
        ([100], []),
        ([100] * 20 + [110] * 9, []),  # not warm yet
        ([100] * 20 + [110] * 10, ["memory grew by 10.0%"]),
        ([], ["the memory of the server is not known"]),
    ],
)
def test_growth_is_a_fault(campaign: Any, held: list[int], faults: list[str]) -> None:
    assert campaign.users._faults_of_memory([MEBIBYTE * number for number in held]) == faults


def test_memory_that_is_free_does_not_count(campaign: Any) -> None:
    parts = [b"1" * 100_000 for _ in range(1_000)]  # below what malloc maps by itself
    held = campaign.settling.settled_bytes()
    kept = parts[-1]
    del parts
    assert held - campaign.settling.settled_bytes() > 80 * MEBIBYTE
    assert kept


def fake_server(campaign: Any, folder: Path, script: str) -> Any:
    """A server that carries out some Python, and listens."""
    server = campaign.server.Server(folder, folder)
    listen = f"import socket; s = socket.create_server(('127.0.0.1', {server.port})); "
    server.command = [sys.executable, "-c", f"{listen}{script}; import time; time.sleep(60)"]
    return server


@pytest.mark.parametrize(
    ("script", "faults"),
    [
        ("open('{tmp}/.ses', 'w')", []),
        ("open('{tmp}/photo.png', 'w')", ["left photo.png"]),
        ("import sys; print('Traceback', file=sys.stderr)", ["the log has a traceback"]),
    ],
)
def test_files_and_tracebacks_are_faults(
    campaign: Any, tmp_path: Path, script: str, faults: list[str]
) -> None:
    with fake_server(campaign, tmp_path, script.format(tmp=tmp_path / "tmp")) as server:
        while not (server.files_left() or (tmp_path / "log").stat().st_size):
            time.sleep(0.01)
    assert server.faults == faults


def test_a_server_that_ends_is_told(campaign: Any, tmp_path: Path) -> None:
    server = campaign.server.Server(tmp_path, tmp_path)
    server.command = [sys.executable, "-c", "pass"]
    with pytest.raises(RuntimeError, match="ended before anybody came"), server:
        pass


def test_the_server_notes_its_memory_when_asked(campaign: Any, tmp_path: Path) -> None:
    path = tmp_path / "memory"
    campaign.settling.note_when_asked(path)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        (noted,) = path.read_text().split()
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert int(noted) == pytest.approx(campaign.settling.resident_bytes(), rel=0.1)

"""What a command loses when it is killed is seen."""

import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it forks, and simulates power cuts"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
CONTENT = b"0123456789"


class Job:
    """A command that writes a file in a tenth of a second; nothing of it may be seen before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Nothing to do."""

    def begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def words(self) -> list[str]:
        return [str(self.folder)]

    def look(self) -> None:
        path = self.folder / "out"
        if path.exists() and path.read_bytes() != CONTENT:
            raise ValueError(f"half-written: {path.read_bytes()!r}")
        path.unlink(missing_ok=True)  # as if it had not been completed

    def result(self) -> str:
        return (self.folder / "out").read_text()


def write_carefully(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleans up, as the command line does
    return write_whole(words)


def write_whole(words: list[str]) -> int:
    from twobirds.atomic import write_atomically

    time.sleep(0.1)
    write_atomically(Path(words[0]) / "out", lambda file: file.write(CONTENT))
    return 0


def write_carelessly(words: list[str]) -> int:
    with (Path(words[0]) / "out").open("wb", buffering=0) as file:
        for number in CONTENT:
            file.write(bytes([number]))
            time.sleep(0.01)
    return 0


def write_without_flushing(words: list[str]) -> int:
    (Path(words[0]) / "out").write_bytes(CONTENT)
    time.sleep(0.1)
    return 0


def remember_the_kill(words: list[str]) -> int:
    path = Path(words[0]) / "begun"
    content = CONTENT[::-1] if path.exists() else CONTENT
    path.touch()
    time.sleep(0.1)
    (Path(words[0]) / "out").write_bytes(content)
    return 0


def ignore_the_end(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(0.5)
    return write_whole(words)


def fail_when_repeated(words: list[str]) -> int:
    path = Path(words[0]) / "begun"
    if path.exists():
        return 1
    path.touch()
    return write_carefully(words)


def test_nothing_is_wrong_with_a_command_that_loses_nothing(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign.kills, "main", write_carefully)
    kills = list(campaign.kills.kill_job("a job", Job(tmp_path / "x"), 6, "0"))
    assert [kill.fault for kill in kills] == [""] * 6
    assert [kill.way for kill in kills] == [*campaign.kills.WAYS] * 2
    assert all(kill.hit for kill in kills)


@pytest.mark.parametrize(
    ("act", "count", "fault"),
    [
        (write_carelessly, 60, "half-written"),
        (write_without_flushing, 60, "half-written"),  # half of the power cuts remove it whole
        (remember_the_kill, 1, "made something else"),
        (ignore_the_end, 60, "still there 0.2 s after SIGTERM"),
    ],
)
def test_what_a_kill_destroys_is_seen(
    campaign: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[list[str]], int],
    count: int,
    fault: str,
) -> None:
    monkeypatch.setattr(campaign.kills, "main", act)
    monkeypatch.setattr(campaign.kills, "MAX_SECONDS", 0.2 if act is ignore_the_end else 30)
    kills = campaign.kills.kill_job("a job", Job(tmp_path / "x"), count, "0")
    assert any(fault in kill.fault for kill in kills)


def test_a_command_that_cannot_be_repeated_ends_the_campaign(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign.kills, "main", fail_when_repeated)
    with pytest.raises(RuntimeError, match="ended with 1"):
        list(campaign.kills.kill_job("a job", Job(tmp_path / "x"), 1, "0"))

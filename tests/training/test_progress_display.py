"""What training says of the time it takes."""

import pytest

from twobirds.training import logging
from twobirds.training.logging import ProgressDisplay, duration


def advanced(
    monkeypatch: pytest.MonkeyPatch, display: ProgressDisplay, *steps: tuple[float, int]
) -> None:
    """Show images at times in seconds."""
    for seconds, images in steps:
        monkeypatch.setattr(logging.time, "monotonic", lambda seconds=seconds: seconds)
        display.advance(images)


def test_the_time_needed_is_said_once_it_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    display = ProgressDisplay(700_000, 0, enabled=True, max_seconds=120)
    advanced(monkeypatch, display, (0, 32), (5, 132))
    assert capsys.readouterr().err == ""
    advanced(monkeypatch, display, (10, 232), (20, 432), (30, 632))
    assert capsys.readouterr().err == (
        "20 images/s: all 700,000 images take 9.7 h, 9.7 h are left; this leg of 2 min shows about "
        "2,400 of them\n"
    )


def test_a_resumed_run_counts_its_own_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    display = ProgressDisplay(100_000, 90_000, enabled=True)
    advanced(monkeypatch, display, (0, 90_100), (10, 90_600))
    assert capsys.readouterr().err == (
        "50 images/s: all 100,000 images take 33 min, 3 min are left\n"
    )


def test_a_quiet_run_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    advanced(monkeypatch, ProgressDisplay(100, 0, enabled=False), (0, 10), (50, 60))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(12.4, "12 s"), (120, "2 min"), (7_200, "2.0 h"), (400_000, "4.6 days")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said

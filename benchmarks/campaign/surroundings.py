"""Commands in odd but sound surroundings, where they must do what they do everywhere."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from campaign.environment import Trial, last_line
from campaign.jobs import Job
from campaign.observe import MAX_SECONDS

_NOWHERE, _UNWRITABLE = "/nonexistent/folder", "/proc"  # the second even for an administrator
_NO_PROXY_THERE = "socks5h://127.0.0.1:9"


@dataclass(frozen=True)
class Surroundings:
    """What a command finds when it is started."""

    name: str
    """In the results."""
    variables: dict[str, str | None] = field(default_factory=dict)
    """Of the environment, set besides those there are; None removes one."""
    prepare: Callable[[], object] | None = None
    """Carried out in the child before the command."""
    folder: str = "/"
    """The current one."""
    python: str = sys.executable
    """Which carries out the command."""
    is_refused: bool = False
    """A sentence and code 2 are right, and nothing else."""


def _lose_folder() -> None:
    os.chdir(folder := tempfile.mkdtemp())
    os.rmdir(folder)  # noqa: PTH106


_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy")
_KEPT = ("PATH", "PYTHONPATH", "OMP_NUM_THREADS", "LD_LIBRARY_PATH", "TMPDIR")
SURROUNDINGS = (
    Surroundings("no HOME", {"HOME": None, "XDG_CACHE_HOME": None}),
    Surroundings("a HOME that is not there", {"HOME": _NOWHERE}),
    Surroundings("a HOME that cannot be written", {"HOME": _UNWRITABLE}),
    Surroundings("no variables", {name: None for name in os.environ if name not in _KEPT}),
    Surroundings(
        "locale C without UTF-8",
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    Surroundings("a locale that is not there", {"LC_ALL": "tt_RU@iqtelif.KOI8"}),
    Surroundings("messages in ASCII", {"PYTHONIOENCODING": "ascii"}),
    Surroundings("messages in UTF-16", {"PYTHONIOENCODING": "utf-16"}),
    Surroundings("COLUMNS=0", {"COLUMNS": "0", "LINES": "0"}),
    Surroundings("COLUMNS=-1", {"COLUMNS": "-1", "TERM": "dumb"}),
    Surroundings("a SOCKS proxy", dict.fromkeys(_PROXIES, _NO_PROXY_THERE)),
    Surroundings("a time zone that is not there", {"TZ": "Nowhere/Land"}),
    Surroundings("a temporary folder that is not there", {"TMPDIR": _NOWHERE}),
    Surroundings("Python without docstrings and asserts", {"PYTHONOPTIMIZE": "2"}),
    Surroundings("another seed of hashes", {"PYTHONHASHSEED": "1"}),
    Surroundings("a current folder that cannot be written", folder=_UNWRITABLE),
    Surroundings("a current folder that is gone", prepare=_lose_folder, is_refused=True),
    Surroundings("no streams", prepare=partial(os.closerange, 0, 3)),
    Surroundings("rights for nobody else", prepare=partial(os.umask, 0o077)),
)  # fmt: skip


def try_surroundings(name: str, job: Job, pythons: Sequence[Path] = ()) -> Iterator[Trial]:
    """Give a command everywhere, and compare what it makes with what it makes here.

    Args:
        name: Of the job.
        job: The command.
        pythons: Interpreters in whose environments TwoBirds is installed, such as its wheel.

    Raises:
        RuntimeError: If the command fails here.
    """
    here = _give(job, Surroundings("here"))
    if here.returncode != 0:
        raise RuntimeError(f"{name} ended with {here.returncode}: {last_line(here.stderr)}")
    expected = job.result()
    everywhere = [*SURROUNDINGS, *(_installed(python) for python in pythons)]
    for surroundings in everywhere:
        yield _try(name, job, surroundings, expected)


def _installed(python: Path) -> Surroundings:
    """An interpreter with TwoBirds in it, far from the checkout."""
    script = "import platform, twobirds; print(platform.python_version(), twobirds.__version__)"
    without = os.environ | {"PYTHONPATH": ""}
    versions = subprocess.run(
        [python, "-c", script], check=True, capture_output=True, text=True, env=without, cwd="/"
    ).stdout.split()
    label = f"Python {versions[0]} with TwoBirds {versions[1]} installed"
    return Surroundings(label, {"PYTHONPATH": None}, python=str(python))


def _try(name: str, job: Job, surroundings: Surroundings, expected: str) -> Trial:
    """Give a command in surroundings, where it must make the same."""
    try:
        done = _give(job, surroundings)
    except subprocess.TimeoutExpired:
        return Trial(surroundings.name, name, None, "", f"hung for {2 * MAX_SECONDS} s")
    said, fault = last_line(done.stderr), ""
    if "Traceback" in done.stderr:
        fault = f"traceback: {said}"
    elif surroundings.is_refused:
        is_right = done.returncode == 2 and "twobirds: error: " in done.stderr
        fault = "" if is_right else f"code {done.returncode}: {said}"
    elif done.returncode != 0:
        fault = f"code {done.returncode}: {said}"
    elif job.result() != expected:
        fault = "made something else"
    return Trial(surroundings.name, name, done.returncode, said, fault)


def _give(job: Job, surroundings: Surroundings) -> "subprocess.CompletedProcess[str]":
    job.begin()
    variables = {**os.environ, **surroundings.variables}
    return subprocess.run(
        [surroundings.python, "-m", "twobirds", *job.words()],
        check=False,
        capture_output=True,
        encoding=surroundings.variables.get("PYTHONIOENCODING") or "utf-8",
        errors="replace",
        env={key: value for key, value in variables.items() if value is not None},
        cwd=surroundings.folder,
        preexec_fn=surroundings.prepare,
        timeout=2 * MAX_SECONDS,
    )

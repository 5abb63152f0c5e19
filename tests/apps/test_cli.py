"""The front of the command line: help, options, exit codes, and what it costs to start."""

import inspect
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import twobirds
from twobirds.apps import cli
from twobirds.apps.cli import main
from twobirds.apps.commands import COMMANDS
from twobirds.apps.complaints import one_line
from twobirds.apps.data_commands import Draw
from twobirds.apps.tables import say_attributes, say_figures
from twobirds.errors import DeviceError, DivergenceError, InputError

OPTIONS_FILE = Path(__file__).parent / "options.json"


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Positional arguments and options as the help names them, in its order."""
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    return re.findall(r"^[│ ] (--[a-z0-9-]+|[A-Z]+(?:\.\.\.)?)(?= |$)", text, re.MULTILINE)


def test_options_are_those_that_users_rely_on(capsys: pytest.CaptureFixture[str]) -> None:
    # A change here breaks somebody's script: make it on purpose, and say so in the changelog.
    options = {command: options_of(command, capsys) for command in COMMANDS}
    assert options == json.loads(OPTIONS_FILE.read_text())


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = re.findall(r"^[│ ]   • ([a-z]+)", capsys.readouterr().out, re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("columns", ["0", "1", "00", "39"])
def test_no_width_of_the_terminal_hides_the_output(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["--version"]) == 0
    say_attributes("a face", {"Smiling": 0.75}, show_all=True)
    assert "0.750" in capsys.readouterr().out


def test_the_page_starts_behind_any_proxy() -> None:
    script = """if True:
        import os
        from twobirds.apps.app_command import _without_proxies
        with _without_proxies():
            import twobirds.apps.web.serve
        assert "NO_PROXY" not in os.environ
        assert os.environ["no_proxy"] == "localhost"
    """
    names = ("ALL_PROXY", "https_proxy")
    proxies = dict.fromkeys(names, "socks5h://127.0.0.1:9") | {"no_proxy": "localhost"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | proxies,
    )
    assert done.returncode == 0, done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{twobirds.__version__}\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("", "expected one of {draw, pack, .*, app} (see twobirds --help)"),
        ("paint", "unrecognized options: paint; .* draw, pack, .* (see twobirds --help)"),
        ("draw", "missing from twobirds draw: OUT (see twobirds draw --help)"),
        ("draw x --count=many", "--count: 'many' is not a whole number (see twobirds draw --help)"),
        ("draw x --cuont 3", "unrecognized options: --cuont, 3; perhaps you meant: --count INT .*"),
        ("pack x y --size", "missing value for argument '--size'. .* (see twobirds pack --help)"),
        ("pack x y --split=fair", "invalid choice 'fair' for argument '--split'. .*'random'.*"),
        (
            "train paper --dta=x",
            ".* train: --data PACK --out RUN; unrecognized options: --dta=x .*",
        ),
        ("train a --data=b --out=c --minutes=x", "--minutes: 'x' is not a number (see .*)"),
        ("train a --data=b --out=c --images=x", "--images: 'x' is not a whole number (see .*)"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_words_that_make_no_command(
    words: str,
    line: str,
    encoding: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if encoding != "utf-8":  # tyro draws its frames with other characters then
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert main(words.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    pattern = line.replace("(", r"\(").replace(")", r"\)")
    assert re.fullmatch(f"twobirds: error: {pattern}\n", captured.err), captured.err


def test_a_styled_frame_becomes_the_same_line() -> None:
    plain = (
        "╭─ Value error ─╮\n│ Error parsing --x: no. │\n│ ──── │\n│ Argument helptext: │\n╰──╯\n"
    )
    styled = plain.replace("│", "\x1b[31m│\x1b[0m").replace("--x", "\x1b[1m--x\x1b[0m")
    assert one_line(plain) == one_line(styled) == "--x: no"


def raiser(error: BaseException) -> Callable[[Draw], int]:
    def run(_command: Draw) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("the list is empty"), 2, "twobirds: error: the list is empty\n"),
        (DivergenceError("pixel not finite"), 3, "twobirds: error: pixel not finite\n"),
        (PermissionError(13, "denied", "a"), 2, "twobirds: error: a: denied\n"),
        (OSError(28, "No space left on device"), 2, "twobirds: error: [Errno 28] No space left on"),
        (KeyboardInterrupt(), 130, "twobirds: interrupted\n"),
        (DeviceError("the device failed"), 3, "twobirds: error: the device failed\n"),
        (MemoryError(), 2, "twobirds: error: this machine has too little free memory"),
        (
            RuntimeError("could not execute a primitive\nand a stack"),
            2,
            "twobirds: error: this machine has too little free memory: could not execute a prim",
        ),
    ],
)  # fmt: skip
def test_failures_take_one_line_and_their_exit_code(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Draw, "run", raiser(error))
    assert main(["draw", "out"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_sigterm_while_words_are_parsed_is_no_fault_of_the_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def be_terminated(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(cli.tyro, "cli", be_terminated)
    with pytest.raises(SystemExit) as stop:
        main(["draw", "out"])
    assert stop.value.code == cli.TERMINATED
    assert capsys.readouterr().err == ""


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draw, "run", raiser(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["draw", "out"])


def test_sigterm_unwinds_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []

    def run(_command: Draw) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    monkeypatch.setattr(Draw, "run", run)
    with pytest.raises(SystemExit) as stop:
        main(["draw", "out"])
    assert (stop.value.code, cleaned) == (cli.TERMINATED, [True])
    assert signal.getsignal(signal.SIGTERM) == before


def run_python(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_closed_pipe_is_quiet() -> None:
    script = """if True:
        import os, sys
        from twobirds.apps.cli import main
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        sys.exit(main(["--version"]))
    """
    done = run_python(script)
    assert (done.returncode, done.stderr) == (cli.CLOSED_PIPE, "")


def test_help_and_imports_do_without_torch() -> None:
    script = """if True:
        import sys
        import twobirds
        from twobirds.apps.cli import main
        assert main(["train", "--help"]) == 0
        assert {"FaceModel", "InputError"} <= set(dir(twobirds))
        assert not hasattr(twobirds, "Nonsense")
        for name in ("torch", "scipy", "sklearn", "onnxruntime", "pyarrow"):
            assert name not in sys.modules, name
        import twobirds.evaluation.figures  # what `generate` draws its grid with
        for name in ("jinja2", "scipy", "sklearn", "onnxruntime", "torchmetrics"):
            assert name not in sys.modules, name
        assert twobirds.FaceModel.__module__ == "twobirds.api.model"
        assert "torch" in sys.modules
    """
    done = run_python(script)
    assert done.returncode == 0, done.stderr


def test_figures_of_inner_sections_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {"Bald": {"auc": 0.91234}}
    editing = {
        "success_rate": 0.5108,
        "above_ceiling": ["Heavy_Makeup"],
        "realism": {"auc": 0.80292, "num_attributes": 15, "per_attribute": rows},
        "second_judge": {"success_rate": 0.53474, "seed": 171_106_079},
        "prototype": {"num_beaten": 7, "num_attributes": 15, "per_attribute": {}},
    }
    say_figures({"editing": editing, "absent": {"judge": "no file"}})
    lines = [line.replace("│", "").split() for line in capsys.readouterr().out.splitlines()]
    assert [line[1:] for line in lines if line[:1] == ["editing"]] == [
        ["success_rate", "0.5108"],
        ["realism.auc", "0.8029"],
        ["realism.num_attributes", "15"],
        ["second_judge.success_rate", "0.5347"],
        ["prototype.num_beaten", "7"],
        ["prototype.num_attributes", "15"],
    ]
    assert lines[-2] == ["judge", "is", "absent:", "no", "file"]
    assert lines[-1][-1] == "Heavy_Makeup"


@pytest.mark.parametrize(("floor", "is_told"), [(0.59, False), (0.69, True)])
def test_a_high_floor_of_realism_is_told(
    floor: float, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    say_figures({"editing": {"realism": {"auc": 0.8, "real_floor": floor}}})
    assert ("told from training faces, too (floor 0.69)" in capsys.readouterr().out) == is_told


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_as_its_class_describes_it(name: str) -> None:
    entry = COMMANDS[name]
    paragraph = inspect.getdoc(entry.load()).split("\n\n")[0]  # type: ignore[union-attr]
    assert entry.summary == " ".join(paragraph.split())
    assert entry.name.lower() == name


def test_help_imports_no_command_and_nothing_that_takes_long() -> None:
    script = (
        "import sys; from twobirds.apps.cli import main; main(['--help']); "
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert all(name in done.stdout for name in COMMANDS)
    loaded = set(done.stderr.split())
    slow = {"numpy", "torch", "PIL", "rich.console", "xml.sax"}
    assert not slow & loaded
    assert not {f"twobirds.apps.{entry.module}" for entry in COMMANDS.values()} & loaded

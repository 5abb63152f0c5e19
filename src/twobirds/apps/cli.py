"""The command line: `twobirds COMMAND ...`.

Exit codes: 0 done; 2 wrong input, with one line on stderr; 3 training diverged, or its
device failed; 4 training stopped before its images were used up; 5 some or all of
several photos were refused, and any others edited or recognized; 130 interrupted; 143 terminated.
"""

import contextlib
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import tyro

from twobirds import __version__
from twobirds.apps.commands import COMMANDS, outline
from twobirds.apps.complaints import one_line
from twobirds.apps.display import note, note_all, require_columns, say
from twobirds.apps.repeated import require_once
from twobirds.errors import (
    InputError,
    InputWarning,
    TrainingError,
    lacks_memory,
    too_little_memory,
)

WRONG_INPUT, TRAINING_FAILED, INTERRUPTED, CLOSED_PIPE, TERMINATED = 2, 3, 130, 141, 143

_DESCRIPTION = """One model of faces that recognizes, generates, reconstructs and edits.

See twobirds COMMAND --help for its options, and twobirds --version for the version."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Words after `twobirds`; None takes those of the process.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may hold any bytes
    require_columns()
    try:
        with _orderly_termination(), _plain_warnings():
            code = _run(words)
            sys.stdout.flush()
            return code
    except (InputError, TrainingError, OSError, KeyboardInterrupt) as error:
        return _report(error)
    except Exception as error:
        if not lacks_memory(error):
            raise
        return _report(InputError(too_little_memory(error)))


def _open_missing_streams() -> None:
    """Give streams that the process was started without to nobody.

    Else the next file that is opened would have the number of stdout or stderr, and messages of
    libraries in it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nobody = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nobody)


def _run(words: list[str]) -> int:
    """Parse the words and run what they ask for.

    Raises:
        InputError: If they make no command, or the current folder was removed, of which torch's
            libraries die without a word of use.
    """
    if not _has_current_folder():
        raise InputError("the current folder is gone: change to one that is there")
    if words == ["--version"]:
        say(__version__)
        return 0
    command = _parse(words)
    if command is None:
        return 0
    code: int = command.run()
    return code


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _parse(words: list[str]) -> Any:
    """Turn the words into a command; None if they ask for help, which is printed then.

    Raises:
        InputError: If they make no command.
    """
    entry = COMMANDS.get(words[0]) if words else None
    program = f"twobirds {words[0]}" if entry else "twobirds"
    options: dict[str, Any] = {"description": _DESCRIPTION, "args": words}
    if entry:
        options = {"args": words[1:]}
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    report = io.StringIO()
    try:
        with contextlib.redirect_stderr(report):
            command = entry.load() if entry else outline()
            parsed = tyro.cli(command, prog=program, config=config, **options)
    except SystemExit as stop:
        if stop.code == TERMINATED:  # by a signal in the midst of parsing
            raise
        if not stop.code:
            return None
    else:
        if entry:
            require_once(words[1:], command)
        return parsed
    complaint = one_line(report.getvalue()) or "these words make no command"
    raise InputError(f"{complaint} (see {program} --help)")


def _report(error: BaseException) -> int:
    """Say in a line why a command failed; return the exit code."""
    match error:
        case BrokenPipeError():
            # Whoever read stdout is gone; what is still buffered has nowhere to go.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return CLOSED_PIPE
        case KeyboardInterrupt():
            note("twobirds: interrupted")
            return INTERRUPTED
        case TrainingError():
            note(f"twobirds: error: {error}")
            return TRAINING_FAILED
        case OSError(filename=str(name), strerror=str(reason)):
            note(f"twobirds: error: {name}: {reason}")
        case InputError(args=(first, *rest)):
            note(f"twobirds: error: {first}")
            note_all(rest)
        case _:
            note(f"twobirds: error: {error}")
    return WRONG_INPUT


@contextlib.contextmanager
def _orderly_termination() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that temporary files go; training has its own handler."""

    def terminate(_number: int, _frame: Any) -> None:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings about the input as one line, without a line of code."""
    with warnings.catch_warnings():
        show_others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, InputWarning):
                note(f"twobirds: warning: {message}")
            else:
                show_others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


if __name__ == "__main__":
    sys.exit(main())

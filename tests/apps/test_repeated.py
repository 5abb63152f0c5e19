"""Options that may be given once, and those that may be given more often."""

import re
from pathlib import Path

import pytest

from twobirds.apps.cli import main
from twobirds.apps.commands import COMMANDS
from twobirds.apps.repeated import require_once


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("draw OUT --seed 1 --seed=2", "--seed is given twice, as '1' and as '2'"),
        ("draw --seed=2 OUT --size=64 --seed 1", "--seed is given twice, as '2' and as '1'"),
        ("draw --count 3 OUT --count 4", "--count is given twice, as '3' and as '4'"),
        ("pack --image-column a --image_column=b x OUT", "--image-column is .* as 'a' and as 'b'"),
        ("pack x OUT --landmarks 1 2 --landmarks 1 3", "--landmarks .*, as '1 2' and as '1 3'"),
    ],
)
def test_an_option_is_not_given_twice(
    words: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.replace("OUT", f"{tmp_path}/out").split()) == 2
    line = f"twobirds: error: {told}: leave out one\n"
    assert re.fullmatch(line, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("edit", "--set Bald=1 --json --set Bangs=0 --json a.png -- --face 1 --face 2"),
        ("pack", "--only a>1 --only=b>1 --drop-column c --drop_column=d x y"),
        ("pack", "--seed 1 x y --seed 1"),
    ],
)
def test_what_may_be_given_twice(command: str, words: str) -> None:
    require_once(words.split(), COMMANDS[command].load())

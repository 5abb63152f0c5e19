"""docs/paper-map.md tells the truth: every name in it exists."""

import importlib
import json
import re
from functools import reduce
from pathlib import Path

import pytest

from twobirds.recipes.registry import PRESETS

REPOSITORY = Path(__file__).parent.parent
OPTIONS: dict[str, list[str]] = json.loads((REPOSITORY / "tests/apps/options.json").read_text())
COLUMNS = ["row", "requirement", "code", "test", "command"]


def read_rows() -> list[dict[str, str]]:
    lines = (REPOSITORY / "docs" / "paper-map.md").read_text().splitlines()
    tables = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line[:1] == "|"]
    return [
        dict(zip(COLUMNS, cells, strict=True)) for cells in tables if re.match(r"P\d", cells[0])
    ]


ROWS = {row["row"]: row for row in read_rows()}


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def resolve(name: str) -> object:
    """Import as much of a dotted name as is a module, then go on by attributes."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there, and something it imports is not
            continue
        return reduce(getattr, parts[end:], found)
    raise ModuleNotFoundError(f"no module of {name} exists", name=name)


def test_every_row_is_there_once() -> None:
    assert [row["row"] for row in read_rows()] == [f"P{n}" for n in range(1, 23)]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_named_code_and_tests_exist(row: dict[str, str]) -> None:
    names, tests = quoted(row["code"]), quoted(row["test"])
    assert names
    assert tests
    assert row["requirement"]
    for name in names:
        assert name.startswith("twobirds.")
        resolve(name)
    assert [t for t in tests if not (REPOSITORY / t).is_file()] == []


def command_exists(command: str) -> bool:
    """Whether a command is a target of make, a script, or a verb of twobirds with its options."""
    words = command.split()
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
        return words[1] in targets
    if words[0] == "python":
        return (REPOSITORY / words[1]).is_file()
    if words[0] != "twobirds" or words[1] not in OPTIONS:
        return False
    if words[1] == "train" and words[2] not in PRESETS:
        return False
    named = [word.partition("=")[0] for word in words if word.startswith("--")]
    return set(named) <= set(OPTIONS[words[1]])


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_named_commands_exist(row: dict[str, str]) -> None:
    commands = quoted(row["command"])
    assert commands
    assert [command for command in commands if not command_exists(command)] == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    absent = (
        "twobirds nonsense",
        "twobirds train nonsense",
        "twobirds generate --nonsense=1",
        "make nonsense",
        "python benchmarks/nonsense.py",
        "onebird train paper",
    )
    assert [command for command in absent if command_exists(command)] == []
    assert command_exists("twobirds generate --count 16 --seed=7")


@pytest.mark.parametrize("name", ["twobirds.losses.absent", "twobirds.absent.thing", "absent"])
def test_a_name_that_does_not_exist_is_noticed(name: str) -> None:
    with pytest.raises((AttributeError, ModuleNotFoundError)):
        resolve(name)

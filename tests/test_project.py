"""The project's own files: checks, pins, links, targets, and what the README shows."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import twobirds

REPOSITORY = Path(__file__).parent.parent
TOOLS = REPOSITORY / "tools"
DOCS = REPOSITORY / "docs"
ADR_OF_THE_NAME = "025-distribution-name-and-site.md"
PIN = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*")


def run_tool(name: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / name), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def function_of(num_lines: int, docstring: str = "") -> str:
    body = [f'    """{docstring}"""'] if docstring else []
    return "\n".join(["def f():", *body, *["    x = 1"] * (num_lines - 1)]) + "\n"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("x = 1\n" * 301, ":1: the module has 301 lines, at most 300"),
        ("\n" + function_of(41), ":2: f has 41 lines without its docstring, at most 40"),
        ("async " + function_of(41), ":1: f has 41 lines"),
        ("def f(a, b, c, /, d, e, f, g): ...\n", ":1: f takes 7 arguments by position"),
        ("import os\nimport torchvision.ops as o\n", ":2: imports torchvision"),
        ("def f():\n    from torchvision import ops\n", ":2: imports torchvision"),
        ("def f():\n    raise NotImplementedError\n", ":2: mentions NotImplementedError"),
        ("def f():\n    raise NotImplementedError('x')\n", ":2: mentions NotImplementedError"),
        ("x = 1  # TODO: more\n", ":1: TODO"),
        ("# FIXME\n", ":1: FIXME"),
    ],
)
def test_check_sizes_names_what_is_wrong(tmp_path: Path, source: str, complaint: str) -> None:
    file = tmp_path / "made_up.py"
    file.write_text(source)
    done = run_tool("check_sizes.py", tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{file}{complaint}" in done.stdout
    assert done.stdout.endswith("sizes: 1 files, 1 problems\n")


def test_check_sizes_accepts_what_is_just_allowed(tmp_path: Path) -> None:
    methods = "class A:\n    def f(self, a, b, c, d, e, f, *, g, h): ...\n"
    long_docstring = function_of(40, "One line.\n\n" + "    More.\n" * 30 + "    ")
    (tmp_path / "fine.py").write_text(function_of(40) + methods + long_docstring)
    (tmp_path / "lines.py").write_text("x = 1\n" * 300)
    done = run_tool("check_sizes.py", tmp_path)
    assert (done.returncode, done.stdout) == (0, "sizes: 2 files, 0 problems\n")


def test_check_sizes_refuses_an_absent_path(tmp_path: Path) -> None:
    done = run_tool("check_sizes.py", tmp_path / "absent")
    assert done.returncode == 2
    assert "no such path" in done.stderr


def test_check_links_names_broken_links(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text("# A heading: here\n[up](../README.md)\n")
    (tmp_path / "README.md").write_text(
        "[a](docs/other.md) [b](docs/other.md#a-heading-here) [c](https://example.org/x)\n"
        "`[not](a-link.md)` ![picture](absent.png) [d](docs/other.md#nowhere)\n"
    )
    done = run_tool("check_links.py", tmp_path)
    assert done.returncode == 1
    readme = tmp_path / "README.md"
    assert done.stdout.splitlines() == [
        f"{readme}: absent.png leads nowhere",
        f"{readme}: docs/other.md#nowhere leads nowhere",
        "links: 2 documents, 2 broken links",
    ]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    given = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in given if not PIN.fullmatch(line)] == []
    assert given == sorted(given)
    return dict(line.split("==") for line in given)


def test_every_dependency_is_pinned(project: dict[str, Any], pins: dict[str, str]) -> None:
    extras = [r for rs in project["optional-dependencies"].values() for r in rs]
    names = {re.split(r"[\[<>=!~ ]", r)[0] for r in [*project["dependencies"], *extras]}
    assert names - {project["name"]} - set(pins) == set()


def test_pins_bring_no_cuda_packages_and_no_torchvision(pins: dict[str, str]) -> None:
    assert pins["torch"] == "2.13.0"
    unwanted = ("nvidia-", "cuda-", "triton", "torchvision")
    assert [name for name in pins if name.startswith(unwanted)] == []


def test_makefile_has_the_targets_that_the_documents_name() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    documents = [REPOSITORY / "README.md", *REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")]
    text = "\n".join(d.read_text() for d in documents)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"setup", "demo", "test", "check"} <= named
    assert named - set(targets) == set()


def test_decisions_are_numbered_without_gaps() -> None:
    files = sorted((REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(f.name[:3]) for f in files] == list(range(1, len(files) + 1))
    for number, file in enumerate(files, start=1):
        text = file.read_text()
        assert text.startswith(f"# {number}. ")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], file.name


def test_decisions_that_the_code_names_exist() -> None:
    numbers = {int(f.name[:3]) for f in (REPOSITORY / "docs" / "adr").glob("[0-9]*.md")}
    sources = [f.read_text() for f in (REPOSITORY / "src").rglob("*.py")]
    named = {int(n) for text in sources for n in re.findall(r"\bADR[ -]?0*(\d+)", text)}
    assert named
    assert named <= numbers


def test_changelog_opens_with_this_version() -> None:
    """As the next one while nothing of it is published, else as the last one."""
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    planned = re.findall(r"^Next version: (.+)$", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert (planned or headings[1:2]) == [twobirds.__version__]


def test_no_line_of_the_changelog_stands_twice() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    entries = re.findall(r"^- (.+)$", text, re.MULTILINE)
    assert len(set(entries)) == len(entries)
    for version in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert len(set(kinds)) == len(kinds)


def test_the_citation_is_of_this_version() -> None:
    text = (REPOSITORY / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", text, re.MULTILINE) == [twobirds.__version__]


def test_nothing_tells_people_to_install_the_other_twobirds() -> None:
    """The distribution of that name on the package index belongs to somebody else."""
    places = ("*.md", "docs/**/*.md", "docs/*.ipynb", "src/**/*.py", ".github/**/*", "Dockerfile")
    files = [file for place in places for file in REPOSITORY.glob(place) if file.is_file()]
    wrong = re.compile(r"pip install[^`#\n]* '?twobirds(\[|'|\s|`|$)")
    found = [str(f) for f in files if wrong.search(f.read_text()) and f.name != ADR_OF_THE_NAME]
    assert found == []

"""The project's own files: checks, pins, links, targets, and what the README shows."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from skimage.data import astronaut

import twobirds
from apps.tiny_run import TINY_RUN
from onnx_files import OnnxWriter
from photos.making_certificates import write_certificate
from photos.making_videos import moved_astronaut, write_video
from twobirds.apps.cli import main

REPOSITORY = Path(__file__).parent.parent
TOOLS = REPOSITORY / "tools"
DOCS = REPOSITORY / "docs"
ADR_OF_THE_NAME = "025-distribution-name-and-site.md"
PIN = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*")
OPTIONS: dict[str, list[str]] = json.loads((REPOSITORY / "tests/apps/options.json").read_text())
QUICKER = {
    "draw": ["--count=96", "--workers=1"],
    "pack": ["--workers=1"],
    "train": [word for word in TINY_RUN if not word.startswith("--size")],
    "evaluate": "--num-fakes=8 --max-faces=8 --faces-per-edit=2 --judge-images=16".split(),
}
"""Options behind those of the documents that leave their commands seconds of work."""
SHOWN_ELSEWHERE = ("app", "reproduce")
"""Verbs that serve until they are stopped (tests/web) or take minutes (tests/reproduction)."""


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


def blocks(language: str, document: str = "README.md") -> list[str]:
    """A document's blocks of code in a language."""
    text = (REPOSITORY / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def all_commands(document: str) -> list[list[str]]:
    """Every command of a document."""
    return [words for block in blocks("sh", document) for words in commands(block)]


def commands(block: str) -> list[list[str]]:
    """The words behind `twobirds` of each line of a block, without its comment."""
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["twobirds"]]


def carry_out(words: list[str]) -> None:
    """Run a command of a document as it stands, only shorter."""
    verb, *rest = words
    device = ["--device=cpu"] if "--device" in OPTIONS[verb] else []
    assert main([verb, *rest, *device, *QUICKER.get(verb, [])]) == 0, words


def write_table(folder: Path, faces: Path) -> None:
    """A user's own faces: `my_faces.csv` with the images beside it."""
    rows = ["image,Kind,Old"]
    for number in range(24):
        shutil.copy(faces / "img_align_celeba" / f"{number:06d}.png", folder)
        rows.append(f"{number:06d}.png,{number % 2},{number % 3 // 2}")
    (folder / "my_faces.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what the documents' commands take."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    photo = Image.fromarray(astronaut())
    Path("photos").mkdir()
    for name in ("photo.jpg", "photos/photo.jpg"):
        photo.save(name)
    photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("other.jpg")
    mask = Image.new("1", photo.size)
    mask.paste(1, (200, 60, 250, 180))
    mask.save("mask.png")
    photo.crop((96, 0, 352, 256)).save("face.png")
    write_video(tmp_path / "clip.mp4", moved_astronaut(6, 320, 240), has_sound=True)
    write_certificate(tmp_path)
    writer = OnnxWriter()
    pooled = writer.node("AveragePool", "images", kernel_shape=[28, 28], strides=[28, 28])
    writer.save(tmp_path / "face_embedder.onnx", [writer.node("Flatten", pooled)])
    return tmp_path


def test_the_readme_does_what_it_shows(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = all_commands("README.md")
    assert {words[0] for words in shown} == set(OPTIONS)
    for words in shown:
        if words[0] not in SHOWN_ELSEWHERE:
            carry_out(words)
    made = "report.json report.html model/model.safetensors edited.jpg bald.png grid.png".split()
    assert [name for name in made if not (workplace / name).is_file()] == []

    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(block, names)
    for faces in (names["faces"], names["edited"]):
        assert isinstance(faces, torch.Tensor)
        assert (faces.shape, faces.dtype) == ((4, 3, 128, 128), torch.float32)
        assert faces.abs().max() <= 1

    own = workplace / "own"  # the guide's own data need pictures, here the drawn ones
    own.mkdir()
    write_table(own, workplace / "faces")
    os.chdir(own)  # the fixture restores the folder
    for words in commands(blocks("sh", "docs/guide/data.md")[0]):
        carry_out(words)
    assert json.loads(Path("run/config.json").read_text())["data"]["attributes"] == ["Kind", "Old"]
    assert "Traceback" not in capsys.readouterr().err


def test_the_guides_to_photos_and_generation_do_what_they_show(workplace: Path) -> None:
    pages = ("docs/guide/photos.md", "docs/guide/generate.md")
    for page in pages:
        for words in all_commands(page):
            carry_out(words)
    assert (workplace / "her.png").is_file()
    names: dict[str, Any] = {}
    for page in pages:
        for block in blocks("python", page):
            exec(block, names)
    assert len(names["limited"].reasons) == 4
    assert names["again"].shape == (4, 3, 128, 128)
    with Image.open("blond.jpg") as picture:
        assert b"Blond_Hair=1" in picture.info["xmp"]


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

"""Names of files that control a terminal, or are no UTF-8: shown escaped, and never a traceback."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from twobirds.apps.cli import main
from twobirds.apps.display import note, say
from twobirds.data.problems import Problem, printable, report

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")

ODD = os.fsdecode(b"od\xff\x1b[2Jd\n")
SHOWN = r"od\udcff\x1b[2Jd\n"


def test_what_a_terminal_would_carry_out_is_escaped() -> None:
    assert printable(ODD) == SHOWN
    assert printable("a\u202eb\x9b\u2028") == r"a\u202eb\x9b\u2028"
    for plain in ("Zoë's photo.jpg", "名前", "a\\b", "👩‍🦰.png"):
        assert printable(plain) == plain


def test_a_problem_takes_one_line() -> None:
    problem = Problem("missing", "a\nb.csv:2", "no image '\x1b[2J'")
    assert problem.line() == r"a\nb.csv:2: no image '\x1b[2J'"
    lines = str(report([problem], "a\nb.csv", 2)).splitlines()
    assert lines[0] == r"a\nb.csv has 1 bad entry."
    assert lines[2] == f"  {problem.line()}"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_programs_get_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), r"\x1b[2J"), (io.StringIO(), "\x1b[2J")):
        monkeypatch.setattr(sys, "stdout", stream)
        say("\x1b[2J")
        assert stream.getvalue() == f"{shown}\n"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    note("two\nlines\x1b[2J")
    assert sys.stderr.getvalue() == "two\\nlines\\x1b[2J\n"


def test_a_name_cannot_forge_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", "a\ntwobirds: error: b.csv", "out"]) == 2
    said = capsys.readouterr().err
    assert r"a\ntwobirds: error: b.csv" in said
    assert said.count("\n") == 1


def test_every_command_takes_such_names(
    world: Path, model: str, image: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ODD
    (folder / "photos").mkdir(parents=True)
    shutil.copytree(model.removeprefix("--model="), folder / f"model{ODD}")
    shutil.copy(image, folder / f"photos/{ODD}.png")
    (folder / f"photos/bad{ODD}.png").write_bytes(b"no photo")
    of_model = f"--model={folder}/model{ODD}"
    photo, photos, out = (f"{folder}/photos/{ODD}.png", f"{folder}/photos", f"{folder}/out")
    for code, *words in (
        (0, "export", f"{world}/run", f"{folder}/exported{ODD}"),
        (0, "check", f"{folder}/exported{ODD}"),
        (0, "generate", of_model, "--out", f"{out}/{ODD}.png"),
        (0, "recognize", "--aligned", photo, of_model),
        (0, "recognize", "--aligned", photo, of_model, "--json"),
        (5, "recognize", "--aligned", photos, of_model, f"--out={out}/faces.parquet"),
        (0, "edit", "--aligned", photo, of_model, "--set=Smiling=1", f"--out={out}/{ODD}2.png"),
        (5, "edit", "--aligned", photos, of_model, "--set=Smiling=1", f"--out={out}/photos"),
        (2, "recognize", f"{photo}.jpg", of_model),
        (2, "pack", f"{folder}/none{ODD}", f"{out}/pack"),
        (2, "edit", photo, of_model, f"--set={ODD}=1"),
    ):
        assert main(words) == code, words
        said = capfd.readouterr()
        assert "\x1b" not in said.err
        assert "Traceback" not in said.err
    log = Path(out, "photos/edits.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in log]
    assert {entry.get("photo") for entry in entries} >= {f"{ODD}.png", f"bad{ODD}.png"}
    with Image.open(f"{out}/{ODD}.png") as generated:
        assert rf"model{SHOWN} (" in generated.info["Description"]
    assert rf"model{SHOWN} (".encode() in Path(f"{out}/{ODD}2.png").read_bytes()

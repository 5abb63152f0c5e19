"""`twobirds draw` and `twobirds pack`, from words to files."""

import json
import re
import shutil
from pathlib import Path

import pytest

from twobirds.apps.cli import main
from twobirds.data.drawn import DRAWN_ATTRIBUTES
from twobirds.data.pack import open_pack


def test_draw_and_pack(world: Path) -> None:
    pack = open_pack(world / "pack", verify=True)
    assert (len(pack), pack.size, len(pack.attribute_names)) == (96, 32, len(DRAWN_ATTRIBUTES))
    drawn = json.loads((world / "faces/drawn.json").read_text())
    assert (drawn["count"], drawn["seed"], drawn["independent"]) == (96, 0, False)


def test_pack_takes_its_options(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = "0.1 0.2 0.9 0.2 0.5 0.5 0.2 0.8 0.8 0.8"
    words = f"--size=16 --split=random --seed=5 --landmarks {numbers} --workers=1".split()
    assert main(["pack", str(world / "faces"), str(tmp_path / "pack"), *words]) == 0
    pack = open_pack(tmp_path / "pack")
    assert pack.landmarks == ((0.1, 0.2), (0.9, 0.2), (0.5, 0.5), (0.2, 0.8), (0.8, 0.8))
    header = json.loads((tmp_path / "pack/pack.json").read_text())
    assert (header["split_rule"], header["split_seed"], pack.size) == ("random", 5, 16)
    captured = capsys.readouterr()
    assert captured.out.startswith("packed 96 faces of 16x16 pixels (")
    lines = captured.out.splitlines()
    at = lines.index("split: random (at random: about 80/10/10 % of the images)")
    assert lines[at + 1].startswith("  train: 76 images, ")
    assert re.fullmatch(r"  \d+ people are in more than one split", lines[at + 4])
    assert captured.err == "packing: 96 images ...\n"


def test_pack_skips_what_is_bad(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = tmp_path / "faces"
    shutil.copytree(world / "faces", faces)
    (faces / "img_align_celeba/000007.png").write_bytes(b"no image")
    words = ["pack", str(faces), str(tmp_path / "pack"), "--size=16", "--landmarks", "celeba-tight"]
    assert main(words) == 2
    assert main([*words, "--skip-bad"]) == 0
    assert len(open_pack(tmp_path / "pack")) == 95
    listed = tmp_path / "pack/skipped.txt"
    assert f"left out 1: {listed} says what and why\n" in capsys.readouterr().out
    assert re.fullmatch(r"undecodable image: .*000007\.png.*\n", listed.read_text())

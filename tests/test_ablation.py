"""The ablation: its recipes differ as they say, and a call trains, measures and writes a table."""

import dataclasses
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from making_runs import write_pack
from twobirds.config import RunConfig, to_dict
from twobirds.recipes.modern.presets import MODERN
from twobirds.recipes.paper.presets import PAPER

MAY_CHANGE = {
    "+ relativistic game, R1 and R2": {"game", "gradient_penalty_weight"},
    "+ DiffAugment": {"augment"},
    "+ edits in training": {"edited_share", "copied_share"},
    "+ gated features": {"has_skips", "edit_pixel_weight"},
    "+ mask": {"has_mask"},
    "+ noise-robust classifier with cutout": {"classifier_noise", "classifier_cutout"},
    "+ identity in the classifier": {"edit_identity_weight", "identity_weight"},
    "+ eigenface init: modern": {"has_pca"},
}
"""Settings of recipe `modern` in which each step of the ablation may differ from the one before."""
FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def ablation() -> Iterator[ModuleType]:
    sys.path.insert(0, str(FOLDER))
    try:
        yield __import__("ablation")
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("ablation", "hardware"):
            sys.modules.pop(name, None)


def differing(one: RunConfig, other: RunConfig) -> set[str]:
    """Settings in which two runs of recipe `modern` differ; all but those of the recipe agree."""
    assert dataclasses.replace(one, recipe=other.recipe) == other
    assert one.recipe.name == other.recipe.name == "modern"
    a, b = to_dict(one)["recipe"], to_dict(other)["recipe"]
    return {name for name in a if a[name] != b[name]}


def test_it_goes_from_one_preset_to_the_other(ablation: ModuleType) -> None:
    recipes = ablation.variants(ablation.Settings(Path("pack"), Path("runs")))
    first, last = recipes["paper"], recipes["+ eigenface init: modern"]
    share = ablation.STAGE1_SHARE
    assert first.recipe == dataclasses.replace(PAPER.recipe, width=0.5, stage1_share=share)
    assert last.recipe == dataclasses.replace(MODERN.recipe, stage1_share=share)
    assert last.data == MODERN.data
    assert len({ablation.run_name(name) for name in recipes}) == len(recipes)
    assert len({r.train.images for r in recipes.values()}) == 1
    assert len({to_dict(r)["recipe"]["stage1_share"] for r in recipes.values()}) == 1
    steps = [name for name in recipes if name.startswith("+ ")]
    for before, after in itertools.pairwise(steps[1:]):
        changed = differing(recipes[before], recipes[after])
        assert changed <= MAY_CHANGE[after], after
        assert changed
    plain = [json.dumps(dataclasses.asdict(r), sort_keys=True) for r in recipes.values()]
    assert len(set(plain)) == len(plain)


def test_a_call_trains_measures_and_writes(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pack(tmp_path / "pack", size=64, count=60, num_held_out=40)
    out = tmp_path / "table.json"
    words = (
        f"{tmp_path}/pack {tmp_path}/runs --images 96 --width 0.0625 --faces-per-edit 10 "
        f"--num-fakes 4 --judge-images 128 --device cpu --out {out}"
    ).split()
    names = ["paper", "+ eigenface init: modern"]
    assert ablation.main([*words, "--variants", *names]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert [row["variant"] for row in rows] == names
    assert all(0 <= row["Hamming"] <= 1 and row["edit success"] is not None for row in rows)
    assert rows[0]["edit of nothing PSNR"] is None  # the paper has one way only
    assert rows[1]["edit of nothing PSNR"] > 0
    printed = capsys.readouterr().out
    assert printed.count("\n| ") == 3

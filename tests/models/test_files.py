"""Trained models on disk and on the Hub."""

import hashlib
import json
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from looking_at_models import states
from making_runs import ATTRIBUTES, differences, recipe, run_state, trained_run
from twobirds.checkpoint import load_model, save_model
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models import files
from twobirds.models.files import (
    load_trained,
    save_trained,
    shipped_models,
)
from twobirds.models.trained import Trained
from twobirds.states import save_state


@pytest.fixture
def trained(tiny_run: Path) -> Trained:
    return load_trained(tiny_run)


def test_a_run_gives_the_moving_average_of_its_generator(trained: Trained, tiny_run: Path) -> None:
    networks = run_state(tiny_run)["networks"]
    assert differences(states(trained)["generator"], dict(networks["generator_ema"])) == []
    assert differences(states(trained)["discriminator"], dict(networks["discriminator"])) == []
    assert trained.config.data.attributes == ATTRIBUTES
    assert trained.attribute_bank.shape == (20, len(ATTRIBUTES))


def test_a_stopped_run_says_what_it_has_seen_not_what_was_planned(
    tmp_path: Path, tiny_pack: Pack
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, recipe(), max_seconds=0.0)
    assert load_trained(run).config.train.images == 4
    save_trained(load_trained(run), tmp_path / "model")
    assert "\n4 images shown" in (tmp_path / "model" / "README.md").read_text()


def test_a_run_without_moving_average_gives_its_generator(tmp_path: Path, tiny_pack: Pack) -> None:
    config = recipe(ema_half_life_images=0, images=4)
    run = trained_run(tmp_path / "run", tiny_pack, config)
    assert (
        differences(
            states(load_trained(run))["generator"], dict(run_state(run)["networks"]["generator"])
        )
        == []
    )


def test_run_folder_checkpoint_file_and_model_folder_are_the_same(
    trained: Trained, tiny_run: Path, tmp_path: Path
) -> None:
    save_trained(trained, tmp_path / "model")
    for source in (tiny_run / "checkpoint.pt", str(tiny_run), tmp_path / "model"):
        again = load_trained(source)
        assert differences(states(again), states(trained)) == []
        assert again.weights_sha256 == trained.weights_sha256
    weights = (tmp_path / "model" / "model.safetensors").read_bytes()
    assert trained.weights_sha256 == hashlib.sha256(weights).hexdigest()


def test_half_precision_is_half_as_large_and_close(trained: Trained, tmp_path: Path) -> None:
    save_trained(trained, tmp_path / "whole")
    save_trained(trained, tmp_path / "half", half=True)
    tensors = load_model(tmp_path / "half")[0]
    for name, tensor in tensors.items():
        is_weight = name.rpartition(".")[2] in ("weight", "bias")
        expected = torch.float16 if is_weight else torch.float32
        assert tensor.dtype == (torch.uint8 if name == "attribute_bank" else expected), name
    num_weights = sum(t.numel() for t in tensors.values() if t.dtype == torch.float16)
    sizes = [(tmp_path / n / "model.safetensors").stat().st_size for n in ("whole", "half")]
    assert sizes[0] - sizes[1] == pytest.approx(2 * num_weights, abs=200)
    half = load_trained(tmp_path / "half")
    for part in ("generator", "discriminator"):
        for name, value in states(trained)[part].items():
            loaded: Tensor = states(half)[part][name]
            assert loaded.dtype == torch.float32
            torch.testing.assert_close(loaded, value, rtol=2**-11, atol=1e-7)
    weights = (tmp_path / "half" / "model.safetensors").read_bytes()
    assert half.weights_sha256 == hashlib.sha256(weights).hexdigest()


def test_a_model_knows_the_pack_it_was_trained_on(
    trained: Trained, tiny_pack: Pack, tmp_path: Path
) -> None:
    assert trained.pack_sha256 == tiny_pack.sha256
    save_trained(trained, tmp_path / "model")
    assert load_trained(tmp_path / "model").pack_sha256 == tiny_pack.sha256
    save_trained(replace(trained, pack_sha256=None), tmp_path / "model")
    assert "pack_sha256" not in load_model(tmp_path / "model")[1]
    older = load_trained(tmp_path / "model")
    assert older.pack_sha256 is None
    assert differences(states(older), states(trained)) == []


def test_only_models_are_replaced(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save_trained(trained, tmp_path / "empty")
    save_trained(trained, tmp_path / "empty")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.png").touch()
    (tmp_path / "file").touch()
    for name in ("photos", "file"):
        with pytest.raises(InputError, match=f"{name} exists and holds no model"):
            save_trained(trained, tmp_path / name)
    assert (tmp_path / "photos" / "holiday.png").exists()


def test_nothing_beside_a_model_is_lost(trained: Trained, tmp_path: Path) -> None:
    save_trained(trained, tmp_path / "model")
    (tmp_path / "model" / ".git").mkdir()
    (tmp_path / "model" / "judge.safetensors").touch()
    with pytest.raises(InputError, match=r"more than a model: \.git, judge\.safetensors; choose"):
        save_trained(trained, tmp_path / "model")
    assert (tmp_path / "model" / "judge.safetensors").exists()
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(InputError, match="exists and holds no model"):
        save_trained(trained, tmp_path / "model.safetensors")


def test_shipped_models_are_found_by_name(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_trained(trained, tmp_path / "pretrained" / "tiny")
    (tmp_path / "pretrained" / "notes.txt").touch()
    monkeypatch.setattr(files.resources, "files", lambda _: tmp_path)
    assert shipped_models() == ["tiny"]
    assert differences(states(load_trained("tiny")), states(trained)) == []
    with pytest.raises(InputError, match=r"no model 'tinny': .* shipped models \(tiny\)"):
        load_trained("tinny")


def test_without_shipped_models_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.resources, "files", lambda _: tmp_path)
    assert shipped_models() == []
    with pytest.raises(InputError, match=r"shipped models \(none\), nor hf://owner/name"):
        load_trained(tmp_path)


# Damage


def test_every_kind_of_misfit_is_named(trained: Trained, tmp_path: Path) -> None:
    save_trained(trained, tmp_path / "model")
    tensors, config = load_model(tmp_path / "model")
    config.pop("weights_sha256")

    def refused(tensors: dict[str, Tensor], config: dict[str, Any], message: str) -> None:
        save_model(tmp_path / "wrong", tensors, config, "")
        with pytest.raises(InputError, match=message):
            load_trained(tmp_path / "wrong")

    def with_run(section: str, **changes: Any) -> dict[str, Any]:
        run = config["run"]
        return config | {"run": run | {section: run[section] | changes}}

    name = "generator.project.weight"
    without = {k: v for k, v in tensors.items() if k != name}
    refused(without, config, "weights do not fit the configuration: .*project.weight")
    refused(tensors | {name: tensors[name][:, :-1]}, config, "do not fit .*size mismatch")
    refused(tensors | {"generator.more": tensors[name].clone()}, config, "Unexpected key")
    refused({}, config, "weights do not fit the configuration")
    bank = tensors["attribute_bank"]
    refused({k: v for k, v in tensors.items() if v is not bank}, config, "has no bank")
    refused(tensors | {"attribute_bank": bank[:0]}, config, "has no bank of attribute rows")
    refused(tensors | {"attribute_bank": bank[:, :3]}, config, "does not fit the attributes")
    refused(tensors | {"attribute_bank": bank.float()}, config, "does not fit the attributes")
    refused(tensors, config | {"format": 3}, "has format 3, not 2")
    refused(tensors, config | {"run": None}, "run must be an object")
    refused(tensors, config | {"pack_sha256": 7}, "pack_sha256 must be text")
    refused(tensors, with_run("recipe", width=0.125), "weights do not fit")
    refused(tensors, with_run("data", attributes=[]), "names no attributes")
    refused(tensors, with_run("recipe", num_latents=10**13), "num_latents must lie between 1 and")
    refused(tensors, with_run("data", size=33), "size must be 32, 64 or 128")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("networks"), "has no networks"),
        (lambda s: s.update(networks=[1]), "has no networks"),
        (lambda s: s["networks"].pop("discriminator"), "weights do not fit the configuration"),
        (lambda s: s["networks"]["generator_ema"].pop("project.bias"), "project.bias"),
        (lambda s: s.pop("attribute_bank"), "has no bank of attribute rows"),
    ],
)
def test_every_kind_of_misfit_in_a_checkpoint_is_named(
    tiny_run: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    state = run_state(tiny_run)
    change(state)
    save_state(tmp_path / "checkpoint.pt", state)
    with pytest.raises(InputError, match=message):
        load_trained(tmp_path)


def test_config_of_a_saved_model_is_the_runs(trained: Trained, tmp_path: Path) -> None:
    save_trained(trained, tmp_path / "model")
    content = json.loads((tmp_path / "model" / "config.json").read_text())
    assert content["format"] == 2
    assert content["run"]["data"]["attributes"] == list(ATTRIBUTES)


@pytest.mark.parametrize("name", ["num_latents", "num_shared", "num_attribute_hidden"])
def test_a_configuration_that_claims_huge_networks_allocates_none(
    tiny_run: Path, tmp_path: Path, name: str
) -> None:
    state = run_state(tiny_run) | {"training_seconds": 0.0}
    state["config"]["recipe"] |= {"width": 4.0, name: 65_536}
    save_state(tmp_path / "checkpoint.pt", state)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="weights do not fit the configuration: it claims a layer"):
        load_trained(tmp_path / "checkpoint.pt")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


@pytest.mark.parametrize("networks", [[], {1: {}}, {"generator": [1]}, {"generator": 2}])
def test_networks_that_are_none_are_named(tiny_run: Path, tmp_path: Path, networks: Any) -> None:
    save_state(tmp_path / "checkpoint.pt", run_state(tiny_run) | {"networks": networks})
    with pytest.raises(InputError, match="has no networks"):
        load_trained(tmp_path / "checkpoint.pt")

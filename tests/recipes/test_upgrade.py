"""Files of version 0.1 are loaded: configurations, runs that go on, saved models."""

import dataclasses
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch

from making_runs import differences, modern_recipe, recipe, run_state, trained_run
from twobirds import FaceModel
from twobirds.checkpoint import CHECKPOINT_FILE, load_model, load_run, save_model
from twobirds.config import DataConfig, RunConfig, TrainConfig, to_dict
from twobirds.data.pack import Pack
from twobirds.errors import InputError, InputWarning
from twobirds.recipes.baselines.config import CNNConfig, CycleGANConfig, DCGANConfig, ResNetConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.registry import PRESETS, parse_run
from twobirds.states import save_state

OLD_MODEL = {"size": 64, "width": 0.25, "num_latents": 50, "num_shared": 32,
             "num_attribute_hidden": 16, "discriminator_norm": False,
             "attributes": ["Bald", "Male"], "landmarks": None}  # fmt: skip
OLD_LOSS = {"adversarial": 0.5, "label": 9.0, "perceptual": 3.0, "pixel": 8.0, "latent": 5.0,
            "adversarial_form": "minmax", "label_fakes": False, "perceptual_norm": "l1",
            "pixel_norm": "l2", "latent_norm": "l1", "feature_source": "network"}  # fmt: skip
OLD_TRAIN = {"batch_size": 16, "images": 99, "stage1_share": 0.25, "learning_rate": 1e-3,
             "betas": [0.1, 0.9], "balance_ratio": 2.0, "max_updates": 3, "flip": False,
             "edited_share": 0.5, "ema_half_life_images": 7, "seed": 4, "log_every_images": 5,
             "sample_every_images": 6, "checkpoint_every_seconds": 1.5}  # fmt: skip
TRAIN = TrainConfig(
    batch_size=16, images=99, learning_rate=1e-3, betas=(0.1, 0.9), flip=False, seed=4,
    log_every_images=5, sample_every_images=6, checkpoint_every_seconds=1.5,
)  # fmt: skip
DATA = DataConfig(size=64, attributes=("Bald", "Male"))


def old_run(preset: str, **changes: Any) -> dict[str, Any]:
    sections = {"model": OLD_MODEL, "loss": OLD_LOSS, "train": OLD_TRAIN}
    return {"preset": preset, **sections, "cycle": None, "modern": None, **changes}


def test_an_old_run_of_the_paper_means_the_same() -> None:
    assert parse_run(old_run("tiny")) == RunConfig(
        "tiny",
        PaperConfig(
            width=0.25,
            num_latents=50,
            num_shared=32,
            num_attribute_hidden=16,
            discriminator_norm=False,
            adversarial_weight=0.5,
            label_weight=9.0,
            perceptual_weight=3.0,
            pixel_weight=8.0,
            latent_weight=5.0,
            adversarial_form="minmax",
            label_fakes=False,
            perceptual_norm="l1",
            pixel_norm="l2",
            latent_norm="l1",
            feature_source="network",
            stage1_share=0.25,
            balance_ratio=2.0,
            max_updates=3,
            edited_share=0.5,
            ema_half_life_images=7,
        ),
        DATA,
        TRAIN,
    )


def test_old_baselines_are_told_apart() -> None:
    cycle = {"attribute": "Bald", "num_channels": 8, "cycle": 3.0, "identity": 2.0}
    expected: list[tuple[str, dict[str, Any], Any]] = [
        ("cyclegan-Bald", {"cycle": cycle},
         CycleGANConfig("Bald", num_channels=8, cycle_weight=3.0, identity_weight=2.0)),
        ("dcgan", {}, DCGANConfig(width=0.25, num_latents=50)),
        ("cnn", {}, CNNConfig(width=0.25, num_hidden=32)),
        ("resnet", {}, ResNetConfig()),
    ]  # fmt: skip
    for preset, changes, settings in expected:
        assert parse_run(old_run(preset, **changes)) == RunConfig(preset, settings, DATA, TRAIN)


def test_damage_in_an_old_configuration_is_named() -> None:
    with pytest.raises(InputError, match=r"the file\.model must be an object, not list"):
        parse_run(old_run("tiny", model=[1]), "the file")
    with pytest.raises(InputError, match="width must lie in"):
        parse_run(old_run("tiny", model=OLD_MODEL | {"width": 9}))


REMOVED = "called modern before version 0.2, which is no longer there: train preset modern anew"


def test_a_run_of_the_recipe_that_was_called_modern_is_refused() -> None:
    with pytest.raises(InputError, match=f"the file: is of the recipe that was {REMOVED}"):
        parse_run(old_run("modern", modern={"has_mask": True}), "the file")
    settings = {"name": "modern", "game": "relativistic", "has_mask": True, "stage1_share": 0.05}
    with pytest.raises(InputError, match=REMOVED):
        parse_run({"preset": "modern", "recipe": settings, "data": {}, "train": {}})


def test_an_old_run_goes_on_bit_equal(tmp_path: Path, tiny_pack: Pack, tiny_run: Path) -> None:
    part = trained_run(tmp_path / "part", tiny_pack, recipe(), max_seconds=0.0)
    settings = to_dict(load_run(part / CHECKPOINT_FILE)[0])
    old = run_state(part) | {"training_seconds": 1.0, "format": 1, "config": as_old(settings)}
    save_state(part / CHECKPOINT_FILE, old)
    trained_run(part, tiny_pack, recipe(), resume=True)
    assert differences(run_state(part), run_state(tiny_run)) == []


def test_an_old_model_folder_is_the_same_model(tmp_path: Path, tiny_run: Path) -> None:
    model = FaceModel.load(tiny_run, device="cpu")
    model.save(tmp_path / "new")
    tensors, _ = load_model(tmp_path / "new")
    run = json.loads(json.dumps(as_old(to_dict(model.config))))
    digest = save_model(tmp_path / "old", tensors, {"format": 1, "run": run}, "")
    again = FaceModel.load(tmp_path / "old", device="cpu")
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    assert again.config == model.config
    assert torch.equal(again.edit(faces, {"Bald": 1}), model.edit(faces, {"Bald": 1}))
    assert torch.equal(again.recognize(faces), model.recognize(faces))
    assert again.weights_sha256 == digest
    report = {"model": {"weights_sha256": digest}, "data": {"count": 2, "split": "test"},
              "recognition": {"hamming_loss": 0.5}}  # fmt: skip
    with pytest.warns(InputWarning, match="the model's card is not kept"):
        again.save(tmp_path / "saved", report=report)
    assert json.loads((tmp_path / "saved/config.json").read_text())["format"] == 2


def as_layered(config: RunConfig) -> dict[str, Any]:
    """The configuration of a run of preset `modern` from when it was called `layered`."""
    plain = to_dict(config)
    plain["recipe"]["name"] = plain["preset"] = "layered"
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]


def test_recipe_modern_was_called_layered(tmp_path: Path, tiny_pack: Pack) -> None:
    assert parse_run(as_layered(PRESETS["modern"])) == PRESETS["modern"]
    mine = as_layered(PRESETS["modern"]) | {"preset": "mine"}
    assert parse_run(mine).preset == "mine"

    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe(), max_seconds=0.0)
    config = load_run(run / CHECKPOINT_FILE)[0]
    model = FaceModel.load(run, device="cpu")
    model.save(tmp_path / "model")
    tensors, content = load_model(tmp_path / "model")
    saved = {"format": 2, "run": as_layered(model.config)}
    assert content["run"]["recipe"]["name"] == "modern"
    save_model(tmp_path / "older", tensors, saved, "")
    older = FaceModel.load(tmp_path / "older", device="cpu")
    assert older.config == model.config
    assert older.weights_sha256 == content["weights_sha256"]

    state = run_state(run) | {"training_seconds": 1.0, "config": as_layered(config)}
    save_state(run / CHECKPOINT_FILE, state)
    trained_run(run, tiny_pack, modern_recipe(), resume=True)
    whole = trained_run(tmp_path / "whole", tiny_pack, modern_recipe())
    assert differences(run_state(run), run_state(whole)) == []


def test_a_recognizer_of_before_sees_faces_at_their_own_size() -> None:
    plain = to_dict(PRESETS["modern"])
    del plain["recipe"]["recognizer_enlargement"]
    older = parse_run(json.loads(json.dumps(plain))).recipe
    assert older == dataclasses.replace(PRESETS["modern"].recipe, recognizer_enlargement=1.0)


def test_a_configuration_by_hand_has_the_settings_of_today() -> None:
    by_hand = parse_run({"preset": "modern", "recipe": {"name": "modern", "width": 0.5}})
    assert by_hand.recipe == dataclasses.replace(PRESETS["modern"].recipe, width=0.5)


def test_a_model_from_before_prototypes_were_added_makes_the_same_edits(
    tmp_path: Path, tiny_pack: Pack
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe(), max_seconds=0.0)
    model = FaceModel.load(run, device="cpu")
    model.save(tmp_path / "model")
    tensors, content = load_model(tmp_path / "model")
    tensors = {name: value for name, value in tensors.items() if name != "prototype_amounts"}
    save_model(tmp_path / "older", tensors, content, "")
    older = FaceModel.load(tmp_path / "older", device="cpu")
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    edits = [m.encode_faces(faces).edit({"Male": 1.0}) for m in (model, older)]
    assert torch.equal(*edits)


LOSSES = ("adversarial", "label", "perceptual", "pixel", "latent")


def as_old(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a run of recipe `paper`, as `to_dict` gives it, of version 0.1."""
    settings = {k: v for k, v in config["recipe"].items() if k != "name"}
    losses = {name: settings.pop(f"{name}_weight") for name in LOSSES}
    data = {k: v for k, v in config["data"].items() if k != "num_people"}
    sections = {"model": data | settings, "loss": losses, "train": config["train"]}
    return {"preset": config["preset"], **sections, "cycle": None, "modern": None}


@pytest.mark.parametrize("name", ["celeba64-paper", "drawn64"])
def test_shipped_configurations_keep_every_setting(name: str) -> None:
    path = resources.files("twobirds") / "pretrained" / name / "config.json"
    content = json.loads(path.read_text())
    assert content["format"] == 1
    old, config = content["run"], to_dict(parse_run(content["run"]))
    assert config["train"]["images"] == old["train"]["images"]
    assert config["recipe"]["stage1_share"] == old["train"]["stage1_share"]
    assert config["recipe"]["pixel_weight"] == old["loss"]["pixel"]
    assert list(config["data"]["attributes"]) == old["model"]["attributes"]

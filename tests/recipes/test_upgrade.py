"""Files of version 0.1 are loaded: configurations, runs that go on, saved models."""

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch

from making_runs import differences, modern_recipe, recipe, run_state, trained_run
from twobirds import FaceModel
from twobirds.checkpoint import load_model, save_model
from twobirds.config import DataConfig, RunConfig, TrainConfig, to_dict
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.config import CNNConfig, CycleGANConfig, DCGANConfig, ResNetConfig
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.registry import parse_run
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


def test_an_old_modern_run_means_the_same() -> None:
    old = {"has_eigenfaces": True, "relativistic": False, "gradient_penalty": 0.1, "keep": 2.0,
           "attribute": 0.25, "consistency": 0.75, "prior": 5.0, "guide_noise": 0.125,
           "identity_edited": 0.5, "identity_rebuilt": 0.0, "num_people": 12, "favour": 2.0,
           "edited_share": 0.25}  # fmt: skip
    config = parse_run(old_run("modern", modern=old))
    assert config.data.num_people == 12
    assert config.recipe == ModernConfig(
        width=0.25,
        num_latents=50,
        has_pca=True,
        game="minmax",
        adversarial_weight=0.5,
        gradient_penalty_weight=0.1,
        label_weight=9.0,
        edit_label_weight=0.25,
        perceptual_weight=3.0,
        pixel_weight=8.0,
        latent_weight=5.0,
        consistency_weight=0.75,
        prior_weight=5.0,
        edit_pixel_weight=2.0,
        edit_identity_weight=0.5,
        identity_weight=0.0,
        perceptual_norm="l1",
        pixel_norm="l2",
        latent_norm="l1",
        classifier_noise=0.125,
        classifier_cutout=0.0,
        recognizer_mixup=0.0,
        stage1_share=0.25,
        edited_share=0.25,
        change_preference=2.0,
        ema_half_life_images=7,
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
    with pytest.raises(InputError, match=r"recipe modern\) has unknown fields: colour"):
        parse_run(old_run("modern", modern={"colour": 3}))
    with pytest.raises(InputError, match="width must lie in"):
        parse_run(old_run("tiny", model=OLD_MODEL | {"width": 9}))


TO_OLD = (
    (r"^generator\.mapping\.", "generator.style."),
    (r"^generator\.pca_decoder\.", "generator.eigenfaces."),
    (r"^generator\.base_features\.", "generator.look."),
    (r"^generator\.subpixels\.", "generator.spread."),
    (r"\.modulations\.", ".styles."),
    (r"^encoder\.pca_encoder\.", "encoder.eigenfaces."),
)


def old_name(name: str) -> str:
    for pattern, replacement in TO_OLD:
        name = re.sub(pattern, replacement, name)
    return name


def as_old_state(state: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of the tiny run of recipe `modern` as version 0.1 wrote it."""
    run = state["config"]
    settings, train = run["recipe"], run["train"]
    modern = {"has_eigenfaces": True, "relativistic": True, "guide_cutout": 0.0,
              "recognizer_mixup": 0.0, "num_people": run["data"]["num_people"]}  # fmt: skip
    names = ("width", "num_latents")
    config = {
        "preset": "modern",
        "model": {k: run["data"][k] for k in ("size", "attributes", "landmarks")}
        | {k: settings[k] for k in names},
        "loss": {"adversarial": 1.0, "label": 10.0, "pixel": 0.5, "label_fakes": True},
        "train": train | {"stage1_share": 0.4, "ema_half_life_images": 8, "balance_ratio": 8.0},
        "cycle": None,
        "modern": modern,
    }
    networks = {}
    for name, weights in state["networks"].items():
        part = name.removesuffix("_ema")
        renamed = {old_name(f"{part}.{k}").removeprefix(f"{part}."): v for k, v in weights.items()}
        networks[name.replace("robust_classifier", "guide")] = renamed
    old_optimizers = {"generator": "drawing", "classifiers": "reading"}
    optimizers = {old_optimizers.get(k, k): v for k, v in state["optimizers"].items()}
    changes = {"format": 1, "config": config, "networks": networks, "optimizers": optimizers}
    return state | changes


def test_an_old_run_goes_on_bit_equal(tmp_path: Path, tiny_pack: Pack) -> None:
    config = modern_recipe(has_pca=True)
    whole = trained_run(tmp_path / "whole", tiny_pack, config)
    part = trained_run(tmp_path / "part", tiny_pack, config, max_seconds=0.0)
    old = as_old_state(run_state(part) | {"training_seconds": 1.0})
    assert {"guide", "guide_ema"} <= set(old["networks"])
    assert "style.0.weight" in old["networks"]["generator"]
    save_state(part / "checkpoint.pt", old)
    trained_run(part, tiny_pack, config, resume=True)
    assert differences(run_state(part), run_state(whole)) == []


@pytest.mark.parametrize("kind", [recipe, modern_recipe])
def test_an_old_model_folder_is_the_same_model(tmp_path: Path, tiny_pack: Pack, kind: Any) -> None:
    is_modern = kind is modern_recipe
    config = kind(**({"has_pca": True} if is_modern else {}))
    model = FaceModel.load(trained_run(tmp_path / "run", tiny_pack, config), device="cpu")
    model.save(tmp_path / "new")
    tensors, _ = load_model(tmp_path / "new")
    old = {old_name(name) if is_modern else name: value for name, value in tensors.items()}
    assert (set(old) != set(tensors)) == is_modern
    run = as_old_state(run_state(tmp_path / "run"))["config"] if is_modern else _old_paper(config)
    digest = save_model(tmp_path / "old", old, {"format": 1, "run": json_ready(run)}, "")
    again = FaceModel.load(tmp_path / "old", device="cpu")
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(again.edit(faces, {"Bald": 1}), model.edit(faces, {"Bald": 1}))
    assert torch.equal(again.recognize(faces), model.recognize(faces))
    assert again.weights_sha256 == digest  # of the file as it is, which reports name
    report = {"model": {"weights_sha256": digest}, "data": {"count": 2, "split": "test"},
              "recognition": {"hamming_loss": 0.5}}  # fmt: skip
    again.save(tmp_path / "saved", report=report)
    assert json.loads((tmp_path / "saved/config.json").read_text())["format"] == 2


def _old_paper(config: RunConfig) -> dict[str, Any]:
    plain = to_dict(config)
    names = ("width", "num_latents", "num_shared", "num_attribute_hidden")
    model = {"size": 32, "attributes": ["Bald", "Bangs", "Black_Hair", "Blond_Hair", "Eyeglasses",
             "Male", "Smiling"]}  # fmt: skip
    return {"preset": "test", "model": model | {k: plain["recipe"][k] for k in names},
            "loss": {}, "train": {}, "cycle": None, "modern": None}  # fmt: skip


def json_ready(values: Any) -> Any:
    return json.loads(json.dumps(values))


@pytest.mark.parametrize("name", ["celeba128", "celeba64-paper", "drawn64"])
def test_shipped_configurations_keep_every_setting(name: str) -> None:
    path = resources.files("twobirds") / "pretrained" / name / "config.json"
    content = json.loads(path.read_text())
    if content["format"] != 1:
        pytest.skip("written by this version")
    old, config = content["run"], to_dict(parse_run(content["run"]))
    assert config["train"]["images"] == old["train"]["images"]
    assert config["recipe"]["stage1_share"] == old["train"]["stage1_share"]
    assert config["recipe"]["pixel_weight"] == old["loss"]["pixel"]
    assert list(config["data"]["attributes"]) == old["model"]["attributes"]

"""DCGAN's features and the SVMs on them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from making_runs import CPU
from twobirds.config import RunConfig
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.cgan import load_conditional_gan
from twobirds.recipes.baselines.config import DCGANConfig
from twobirds.recipes.baselines.dcgan_svm import (
    PENALTIES,
    extract_features,
    fit_svms,
    load_svms,
    save_svms,
)
from twobirds.training.run import train_run


def test_svms_find_a_plane() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(3.0, 5.0, (400, 6)).astype(np.float32)
    labels = np.stack([features[:, 0] > 3, features[:, 1] + features[:, 2] > 6], axis=1)
    svms = fit_svms(features[:300], labels[:300].astype(np.uint8))
    predicted = svms.decide(features[300:]) > 0
    assert (predicted == labels[300:]).mean() > 0.95
    assert svms.penalty in PENALTIES


def test_saved_svms_decide_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5)).astype(np.float32)
    svms = fit_svms(features, (features[:, :2] > 0).astype(np.uint8))
    save_svms(svms, tmp_path / "svms.safetensors")
    loaded = load_svms(tmp_path / "svms.safetensors")
    assert np.array_equal(loaded.decide(features), svms.decide(features))
    assert loaded.penalty == svms.penalty
    (tmp_path / "svms.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"svms\.safetensors: is damaged: delete it"):
        load_svms(tmp_path / "svms.safetensors")


def test_an_attribute_that_never_varies_is_always_predicted_so() -> None:
    features = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    labels = np.tile(np.array([[0, 1]], np.uint8), (50, 1))
    assert (fit_svms(features, labels).decide(features) > 0).tolist() == [[False, True]] * 50


def test_features_of_a_dcgan_tell_attributes(
    drawn_pack: Pack, drawn_recipe: RunConfig, run: Path
) -> None:
    """All layers, pooled to at most 4x4; SVMs on them beat the majority label."""
    config = dataclasses.replace(drawn_recipe, recipe=DCGANConfig(width=1 / 8, num_latents=16))
    assert train_run(config, drawn_pack, run, CPU)
    model = load_conditional_gan(run, torch.device("cpu"))
    train, test = drawn_pack.rows("train"), drawn_pack.rows("test")
    features = {
        name: extract_features(model, from_pixels(torch.from_numpy(drawn_pack.images[rows])))
        for name, rows in (("train", train), ("test", test))
    }
    assert features["train"].shape == (len(train), (8 + 16 + 32) * 16 + 64 * 4)
    svms = fit_svms(features["train"].numpy(), drawn_pack.attributes[train])
    columns = [drawn_pack.attribute_names.index(n) for n in ("Male", "Eyeglasses", "Wearing_Hat")]
    labels = drawn_pack.attributes[test][:, columns]
    predicted = svms.decide(features["test"].numpy())[:, columns] > 0
    majority = drawn_pack.attributes[train][:, columns].mean(axis=0) > 0.5
    assert (predicted != labels).mean() < (majority != labels).mean()

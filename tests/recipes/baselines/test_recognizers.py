"""Networks that only recognize: shapes, and that they learn."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from run_log import load_metrics

from making_runs import ATTRIBUTES, CPU, TRAIN
from twobirds.config import DataConfig, RunConfig
from twobirds.data.faces import from_pixels
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.recipes.baselines.config import (
    ClassifierConfig,
    CNNConfig,
    RecognizerConfig,
    ResNetConfig,
)
from twobirds.recipes.baselines.recognizers import (
    Recognizer,
    attribute_logits,
    build_recognizer,
    load_recognizer,
)
from twobirds.training.run import fit_to_pack, train_run

RECIPES: tuple[ClassifierConfig, ...] = (
    CNNConfig(width=1 / 8, num_hidden=64),
    RecognizerConfig(width=1 / 8),
    ResNetConfig(),
)
DATA = DataConfig(size=32, attributes=ATTRIBUTES)


@pytest.mark.parametrize("recipe", RECIPES)
def test_logits_of_every_attribute(recipe: ClassifierConfig) -> None:
    network = build_recognizer(recipe, DATA, seed=1)
    assert attribute_logits(network, torch.rand(3, 3, 32, 32)).shape == (3, 7)
    same, other = (build_recognizer(recipe, DATA, seed=s) for s in (1, 2))
    weights = [next(net.parameters()) for net in (network, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_our_recognizer_alone_trains_no_other_head(tiny_pack: Pack) -> None:
    """D's score and C's code take no part: only what leads to the attributes has gradients."""
    config = RunConfig("test", RECIPES[1], DataConfig(size=32), TRAIN)
    objective = Recognizer(fit_to_pack(config, tiny_pack), CPU)
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False)
    before = {name: p.clone() for name, p in objective.network.named_parameters()}
    objective.update(loader.batch(0), loader, 0)
    after = dict(objective.network.named_parameters())
    unchanged = {name for name, p in before.items() if torch.equal(p, after[name])}
    untrained = {n for n in before if n.startswith(("score.", "classifier.latents."))}
    assert unchanged == untrained


@pytest.mark.parametrize("recipe", RECIPES)
def test_attributes_are_learnt(
    recipe: ClassifierConfig, drawn_pack: Pack, drawn_recipe: RunConfig, run: Path
) -> None:
    """Unseen faces are classified better than by the majority label."""
    config = dataclasses.replace(drawn_recipe, recipe=recipe)
    assert train_run(config, drawn_pack, run, CPU)
    losses = [line["label_real"] for line in load_metrics(run)]
    assert losses[-1] < 0.8 * losses[0]
    recognizer = load_recognizer(run, torch.device("cpu"))
    train, test = drawn_pack.rows("train"), drawn_pack.rows("test")
    with torch.no_grad():
        probabilities = recognizer(from_pixels(torch.from_numpy(drawn_pack.images[test]))).numpy()
    labels = drawn_pack.attributes[test]
    majority = drawn_pack.attributes[train].mean(axis=0) > 0.5
    assert ((probabilities > 0.5) != labels).mean() < (np.array(majority) != labels).mean()

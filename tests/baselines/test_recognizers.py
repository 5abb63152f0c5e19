"""Networks that only recognize: shapes, and that they learn."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from reading_metrics import read_metrics

from making_runs import CPU, recipe
from twobirds.baselines.recognizers import (
    Recognizer,
    RecognizerKind,
    attribute_logits,
    build_recognizer,
    load_recognizer,
)
from twobirds.config import RunConfig
from twobirds.data.faces import from_pixels
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.training.run import fit_to_pack, train_objective

KINDS: tuple[RecognizerKind, ...] = ("cnn", "recognizer", "resnet")


@pytest.mark.parametrize("kind", KINDS)
def test_logits_of_every_attribute(kind: RecognizerKind, tiny_pack: Pack) -> None:
    config = fit_to_pack(recipe(), tiny_pack)
    network = build_recognizer(kind, config.model, seed=1)
    assert attribute_logits(network, torch.rand(3, 3, 32, 32)).shape == (3, 7)
    same, other = (build_recognizer(kind, config.model, seed=s) for s in (1, 2))
    weights = [next(net.parameters()) for net in (network, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_our_recognizer_alone_trains_no_other_head(tiny_pack: Pack) -> None:
    """D's score and C's code take no part: only what leads to the attributes has gradients."""
    config = fit_to_pack(recipe(), tiny_pack)
    objective = Recognizer(config, CPU, kind="recognizer")
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False)
    before = {name: p.clone() for name, p in objective.network.named_parameters()}
    objective.update(loader.batch(0), loader, 0)
    after = dict(objective.network.named_parameters())
    unchanged = {name for name, p in before.items() if torch.equal(p, after[name])}
    untrained = {n for n in before if n.startswith(("score.", "classifier.latents."))}
    assert unchanged == untrained


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_learnt(
    kind: RecognizerKind, drawn_pack: Pack, drawn_recipe: RunConfig, run: Path
) -> None:
    """Unseen faces are read better than by the majority label."""
    assert train_objective(drawn_recipe, drawn_pack, run, CPU, partial(Recognizer, kind=kind))
    losses = [line["label_real"] for line in read_metrics(run)]
    assert losses[-1] < 0.8 * losses[0]
    read = load_recognizer(run, torch.device("cpu"), kind=kind)
    train, test = drawn_pack.rows("train"), drawn_pack.rows("test")
    with torch.no_grad():
        probabilities = read(from_pixels(torch.from_numpy(drawn_pack.images[test]))).numpy()
    labels = drawn_pack.attributes[test]
    majority = drawn_pack.attributes[train].mean(axis=0) > 0.5
    assert ((probabilities > 0.5) != labels).mean() < (np.array(majority) != labels).mean()

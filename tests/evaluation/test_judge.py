from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.judge import load_judge
from twobirds.evaluation.judge_training import cycle, train_judge, train_or_load_judge
from twobirds.models.resnet import AttributeResNet


@pytest.mark.parametrize("size", [32, 64, 128])
def test_network_shapes_and_size(size: int) -> None:
    network = AttributeResNet(size, 40)
    logits, features = network(torch.zeros(2, 3, size, size))
    assert logits.shape == (2, 40)
    assert features.shape == (2, 192)
    assert 0.5e6 < sum(p.numel() for p in network.parameters()) < 1.5e6


def test_a_short_training_beats_chance(drawn_pack: Pack, judge_path: Path) -> None:
    rows = drawn_pack.rows("test")
    logits, _ = load_judge(judge_path).predict(drawn_pack.images[rows])
    labels = drawn_pack.attributes[rows]
    varied = np.flatnonzero((labels.min(axis=0) == 0) & (labels.max(axis=0) == 1))
    assert len(varied) > 8
    precision = average_precision_score(labels[:, varied], logits[:, varied], average="macro")
    assert precision > labels[:, varied].mean() + 0.1


def test_batches_do_not_matter(drawn_pack: Pack, judge_path: Path) -> None:
    judge, images = load_judge(judge_path), drawn_pack.images[:70]
    logits, features = judge.predict(images)
    for i in (0, 63, 64, 69):
        one_logits, one_features = judge.predict(images[i : i + 1])
        assert one_logits[0] == pytest.approx(logits[i], abs=1e-4)
        assert one_features[0] == pytest.approx(features[i], abs=1e-4)


def test_training_is_a_function_of_its_seed(drawn_pack: Pack, oracle) -> None:
    torch.manual_seed(5)
    first, second, other = (
        train_judge(drawn_pack, oracle, seed=s, images=128).state_dict() for s in (1, 1, 2)
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_training_leaves_the_global_randomness_alone(drawn_pack: Pack, oracle) -> None:
    state = torch.get_rng_state()
    train_judge(drawn_pack, oracle, seed=1, images=2)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_judge_is_trained_once(drawn_pack: Pack, oracle, tmp_path: Path) -> None:
    path = tmp_path / "judges" / "judge.safetensors"
    told: list[tuple[str, int, int]] = []
    first = train_or_load_judge(
        drawn_pack, path, oracle, images=200, progress=lambda *what: told.append(what)
    )
    assert told == [("training the judge", 128, 200), ("training the judge", 200, 200)]
    again = train_or_load_judge(drawn_pack, path, oracle, images=200, progress=pytest.fail)
    assert first.sha256 == again.sha256
    assert again.feature_name == f"judge-{again.sha256[:8]}"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_another_packs_judge_is_refused(drawn_pack: Pack, oracle, judge_path: Path) -> None:
    other = replace(drawn_pack, sha256="b" * 64)
    with pytest.raises(InputError, match="this judge was trained on another pack; delete it or"):
        train_or_load_judge(other, judge_path, oracle, images=200)


def test_a_judge_of_other_attributes_is_refused(
    drawn_pack: Pack, oracle, judge_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "attributes", oracle.attributes[:5])
    with pytest.raises(InputError, match="trained for other attributes"):
        train_or_load_judge(drawn_pack, judge_path, oracle, images=200)


def test_the_models_seed_is_refused(drawn_pack: Pack, oracle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="different seeds"):
        train_or_load_judge(drawn_pack, tmp_path / "judge", oracle, images=200, seed=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"garbage" * 9, None])
def test_damaged_files_are_refused(judge_path: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "judge.safetensors"
    path.write_bytes(judge_path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(InputError, match=r"is not a usable judge .* delete it"):
        load_judge(path)


def test_a_pack_without_training_faces_is_refused(drawn_pack: Pack, oracle) -> None:
    pack = replace(drawn_pack, split=np.full(len(drawn_pack), 2, np.uint8))
    with pytest.raises(InputError, match="no training split"):
        train_judge(pack, oracle, seed=1, images=2)


def test_learning_rate_rises_and_falls() -> None:
    assert cycle(0.1) == pytest.approx(0.5)
    assert cycle(0.2) == pytest.approx(1.0)
    assert cycle(0.6) == pytest.approx(0.5)
    assert cycle(1.0) == pytest.approx(0.0)

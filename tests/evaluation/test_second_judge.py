from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.faces import to_tensor
from twobirds.evaluation.feature_network import FeatureNetwork, load_feature_network
from twobirds.evaluation.judge import load_judge
from twobirds.evaluation.judges import Judges, join_predictions
from twobirds.evaluation.second_judge import (
    SecondJudge,
    load_or_train_second_judge,
    train_second_judge,
)
from twobirds.models.pretrained import load_efficientnet_lite


@pytest.fixture(scope="module")
def trunk() -> FeatureNetwork:
    return load_feature_network(torch.device("cpu"))


@pytest.fixture(scope="module")
def second_judge_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("second") / "second.safetensors"


@pytest.fixture(scope="module")
def second(drawn_pack: Pack, oracle, trunk: FeatureNetwork, second_judge_path: Path) -> SecondJudge:
    """A second judge that saw 1,280 images."""
    return load_or_train_second_judge(drawn_pack, second_judge_path, oracle, trunk, images=1_280)


def test_trunk_and_tail_are_the_network(trunk: FeatureNetwork) -> None:
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        expected = load_efficientnet_lite("lite2").pooled(images)
        assert torch.equal(trunk(images), expected)
        assert trunk.trunk(images).shape == (2, 120, 8, 8)
        assert trunk(images[:, :, ::2, ::2]).shape == (2, 1280)


def test_a_short_training_beats_chance(
    drawn_pack: Pack, trunk: FeatureNetwork, second: SecondJudge
) -> None:
    rows = drawn_pack.rows("test")
    with torch.inference_mode():
        logits = second.network(trunk.trunk(to_tensor(drawn_pack.images[rows]))).numpy()
    labels = drawn_pack.attributes[rows]
    varied = np.flatnonzero((labels.min(axis=0) == 0) & (labels.max(axis=0) == 1))
    precision = average_precision_score(labels[:, varied], logits[:, varied], average="macro")
    assert precision > labels[:, varied].mean() + 0.2


def test_it_is_trained_once_and_leaves_the_trunk_alone(
    drawn_pack: Pack, oracle, trunk: FeatureNetwork, second: SecondJudge, second_judge_path: Path
) -> None:
    again = load_or_train_second_judge(
        drawn_pack, second_judge_path, oracle, trunk, images=1, progress=pytest.fail
    )
    assert again.sha256 == second.sha256
    assert (again.metadata.images, again.metadata.seed) == (1_280, second.metadata.seed)
    fresh = load_feature_network(torch.device("cpu")).state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in trunk.state_dict().items())


def test_another_packs_second_judge_is_refused(
    drawn_pack: Pack, oracle, trunk: FeatureNetwork, second: SecondJudge, second_judge_path: Path
) -> None:
    other = replace(drawn_pack, sha256="b" * 64)
    with pytest.raises(InputError, match="this judge was trained on another pack"):
        load_or_train_second_judge(other, second_judge_path, oracle, trunk, images=1)


def test_the_judges_file_is_no_second_judge(
    drawn_pack: Pack, oracle, trunk: FeatureNetwork, judge_path: Path
) -> None:
    with pytest.raises(InputError, match="is not a usable judge"):
        load_or_train_second_judge(drawn_pack, judge_path, oracle, trunk, images=1)


def test_a_pack_without_training_faces_is_refused(
    drawn_pack: Pack, oracle, trunk: FeatureNetwork
) -> None:
    pack = replace(drawn_pack, split=np.full(len(drawn_pack), 2, np.uint8))
    with pytest.raises(InputError, match="no training split"):
        train_second_judge(pack, oracle, trunk, images=1)


def test_only_a_close_look_asks_the_second_judge(
    drawn_pack: Pack, trunk: FeatureNetwork, second: SecondJudge, judge_path: Path
) -> None:
    judges = Judges(load_judge(judge_path), trunk, second)
    pixels = torch.from_numpy(np.array(drawn_pack.images[:3]))
    brief, close = judges.predict(pixels), judges.predict(pixels, closely=True)
    assert brief.second_logits is None
    assert brief.realism_features is None
    assert np.array_equal(brief.logits, close.logits)
    assert close.second_logits is not None
    assert close.realism_features is not None
    assert close.second_logits.shape == (3, len(drawn_pack.attribute_names))
    assert close.realism_features.shape == (3, 1280)
    assert join_predictions([close, brief]).second_logits is None

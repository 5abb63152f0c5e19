"""How strong an edit becomes: until the recognizer agrees, or the person would be lost."""

import pytest
import torch
from torch import Tensor

from making_runs import ATTRIBUTES
from twobirds import FaceModel
from twobirds.api.search import STRENGTHS, Limits, agreement, search_strength
from twobirds.errors import InputError

SOURCES = torch.zeros(3, 1, 1, 1)


def draw(strength: float) -> Tensor:
    """Faces whose one pixel is the strength."""
    return torch.full((3, 1, 1, 1), strength)


def agree(images: Tensor) -> Tensor:
    """The first agrees from 0.5 on, the second from 1.25 on, the third never."""
    return (images.flatten() >= torch.tensor([0.5, 1.25, 99.0])).float()


def distances(images: Tensor, sources: Tensor) -> Tensor:
    return (images - sources).flatten() * torch.tensor([1.0, 1.0, 0.5])


def test_each_face_has_the_strength_that_it_takes() -> None:
    edited = search_strength(draw, agree, Limits(until=0.9), SOURCES)
    assert edited.strength.tolist() == [0.5, 1.25, STRENGTHS[-1]]
    assert edited.images.flatten().tolist() == edited.strength.tolist()
    assert edited.agreement.tolist() == [1, 1, 0]
    assert edited.reasons == ["reached", "reached", "strength"]


def test_identity_caps_the_strength() -> None:
    limits = Limits(max_identity_distance=0.8, identity=distances)
    edited = search_strength(draw, agree, limits, SOURCES)
    assert edited.strength.tolist() == [0.5, 0.75, 1.5]
    assert edited.reasons == ["reached", "identity", "identity"]
    nothing = search_strength(
        draw, agree, Limits(max_identity_distance=0.1, identity=distances), SOURCES
    )
    assert nothing.strength.tolist() == [0, 0, 0]
    assert nothing.images.flatten().tolist() == [0, 0, 0]


def test_agreement_is_that_of_the_change_believed_least() -> None:
    probabilities = torch.tensor([[0.9, 0.2, 0.5], [0.1, 0.9, 0.5]])
    found = agreement(probabilities, {"a": 1, "b": 0}, ["a", "b", "c"])
    assert found.tolist() == pytest.approx([0.8, 0.1])
    assert agreement(probabilities, {}, ["a", "b", "c"]).tolist() == [1, 1]


def test_a_model_edits_until(tiny_model: FaceModel) -> None:
    faces = tiny_model.generate(3)
    everything = tiny_model.edit_until(faces, {"Male": 1}, Limits(until=0.0))
    assert everything.strength.tolist() == [STRENGTHS[0]] * 3
    assert everything.reasons == ["reached"] * 3
    expected = tiny_model.edit(faces, {"Male": 1}, strength=STRENGTHS[0])
    assert torch.allclose(everything.images, expected, atol=1e-6)
    read = tiny_model.recognize(everything.images)[:, ATTRIBUTES.index("Male")]
    assert torch.allclose(everything.agreement, read, atol=1e-5)


def test_impossible_limits_are_named() -> None:
    with pytest.raises(InputError, match=r"until must lie in \[0, 1\], not 2"):
        Limits(until=2)
    with pytest.raises(InputError, match="goes with an identity"):
        Limits(max_identity_distance=1.0)

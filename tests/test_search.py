"""How strong an edit becomes: until the recognizer agrees, or the person would be lost."""

import pytest
import torch
from torch import Tensor

from making_runs import ATTRIBUTES
from twobirds import FaceModel
from twobirds.api.search import STRENGTHS, Limits, Wish, agreement, as_limits, search_strength
from twobirds.errors import InputError

SOURCES = torch.zeros(3, 1, 1, 1)


def edit(strength: float) -> Tensor:
    """Faces whose one pixel is the strength."""
    return torch.full((3, 1, 1, 1), strength)


def predict(images: Tensor) -> Tensor:
    """One attribute, seen on the first face from 0.5 on, on the second from 1.25 on, else never."""
    return (images.flatten() >= torch.tensor([0.5, 1.25, 99.0])).float().unsqueeze(1)


ADDED = Wish(torch.zeros(3, 1), torch.ones(3, 1))


def distances(images: Tensor, sources: Tensor) -> Tensor:
    return (images - sources).flatten() * torch.tensor([1.0, 1.0, 0.5])


def test_each_face_has_the_strength_that_it_takes() -> None:
    edited = search_strength(edit, predict, ADDED, Limits(until=0.9), SOURCES)
    assert edited.strength.tolist() == [0.5, 1.25, STRENGTHS[-1]]
    assert edited.images.flatten().tolist() == edited.strength.tolist()
    assert edited.agreement.tolist() == [1, 1, 0]
    assert edited.reasons == ["reached", "reached", "strength"]
    assert edited.distance is None


def test_identity_caps_the_strength() -> None:
    limits = Limits(max_identity_distance=0.8, identity=distances)
    edited = search_strength(edit, predict, ADDED, limits, SOURCES)
    assert edited.strength.tolist() == [0.5, 0.75, 1.5]
    assert edited.reasons == ["reached", "identity", "identity"]
    assert edited.distance is not None
    assert edited.distance.tolist() == [0.5, 0.75, 0.75]
    nothing = search_strength(
        edit, predict, ADDED, Limits(max_identity_distance=0.1, identity=distances), SOURCES
    )
    assert nothing.strength.tolist() == [0, 0, 0]
    assert nothing.images.flatten().tolist() == [0, 0, 0]
    assert nothing.distance is not None
    assert nothing.distance.tolist() == [0, 0, 0]


def test_of_strengths_that_are_too_weak_and_too_strong_the_best_is_kept() -> None:
    """What is predicted is a third of the strength, of which 0.4 is asked for."""
    wish = Wish(torch.zeros(1, 1), torch.full((1, 1), 0.4))
    edited = search_strength(
        lambda s: edit(s)[:1],
        lambda x: x.flatten()[:, None] / 3,
        wish,
        Limits(until=1),
        SOURCES[:1],
    )
    assert (edited.strength.tolist(), edited.reasons) == ([1.25], ["strength"])
    assert edited.images.flatten().tolist() == [1.25]
    assert edited.agreement.tolist() == pytest.approx([1 - abs(1.25 / 3 - 0.4)])


def test_agreement_is_how_near_the_target_is_predicted() -> None:
    found = agreement(torch.tensor([[0.9, 0.2]]), torch.tensor([[1.0, 0.0]]))
    assert found.flatten().tolist() == pytest.approx([0.9, 0.8])


def test_what_is_there_already_is_neither_edited_nor_waited_for() -> None:
    """Two changes: the first face has both, predicted at 0.6; the second has one of them."""
    wish = Wish(torch.tensor([[1.0, 1.0], [1.0, 0.0]]), torch.ones(2, 2))

    def predict_two(images: Tensor) -> Tensor:
        seen = (images.flatten() >= 1).float()
        return torch.stack([torch.full((2,), 0.6), torch.where(seen > 0, 0.95, 0.2)], dim=1)

    edited = search_strength(lambda s: edit(s)[:2], predict_two, wish, Limits(), SOURCES[:2])
    assert edited.reasons == ["already", "reached"]
    assert edited.strength.tolist() == [0, 1]
    # Of what was edited, or where nothing was, of all.
    assert edited.agreement.tolist() == pytest.approx([0.2, 0.95])
    assert edited.unedited.flatten().tolist() == [0, 0]


def test_a_model_edits_until(tiny_model: FaceModel) -> None:
    faces = tiny_model.generate(12)
    column = ATTRIBUTES.index("Male")
    is_male = tiny_model.recognize(faces)[:, column] > 0.5
    found = tiny_model.edit_until(faces, {"Male": 1}, Limits(until=1.0))
    assert [reason == "already" for reason in found.reasons] == is_male.tolist()
    assert not is_male.all()
    edited = {s: tiny_model.edit(faces, {"Male": 1}, strength=s) for s in (0.0, *STRENGTHS)}
    agreed = {s: tiny_model.recognize(images)[:, column] for s, images in edited.items()}
    for i, is_there in enumerate(is_male.tolist()):
        strength = found.strength[i].item()
        assert torch.allclose(found.images[i], edited[strength][i], atol=1e-6)
        if is_there:
            assert strength == 0
        else:
            highest = max(agreed[s][i] for s in STRENGTHS)
            assert found.agreement[i] == pytest.approx(highest.item(), abs=1e-5)
            assert found.reasons[i] == "strength"
    predicted = tiny_model.recognize(found.images)[:, column]
    assert torch.allclose(found.agreement, predicted, atol=1e-5)
    everything = tiny_model.edit_until(faces, {"Male": 1}, 0)
    assert everything.reasons == ["already"] * 12
    assert torch.equal(everything.images, everything.unedited)
    assert torch.allclose(everything.unedited, tiny_model.edit(faces, {}), atol=1e-6)


def test_without_changes_there_is_nothing_to_wait_for(tiny_model: FaceModel) -> None:
    found = tiny_model.edit_until(tiny_model.generate(2), {})
    assert (found.reasons, found.agreement.tolist()) == (["already"] * 2, [1, 1])
    assert len(tiny_model.edit_until(tiny_model.generate(0), {"Male": 1}).images) == 0


def test_impossible_limits_are_named() -> None:
    with pytest.raises(InputError, match=r"until must lie in \[0, 1\], not 2"):
        Limits(until=2)
    for wrong in ("0.9", None, 2.0):
        with pytest.raises(InputError, match=r"until must lie in \[0, 1\], not"):
            as_limits(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="goes with an identity"):
        Limits(max_identity_distance=1.0)
    for budget in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="max_identity_distance must be finite"):
            Limits(max_identity_distance=budget, identity=distances)

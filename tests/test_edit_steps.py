"""Several changes at once: one after the other, each made of what the others left."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from making_runs import modern_recipe, trained_run
from twobirds import FaceModel
from twobirds.api.edit_steps import _ORDER, changes_in_order, composed_layers
from twobirds.api.rows import with_changes
from twobirds.api.search import STRENGTHS, Limits
from twobirds.data.attributes import GROUPS
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.models.edit_layers import apply_layers
from twobirds.photos.edits import EditRequest, LayeredEdit, edit_faces

NAMES = ("Male", "Black_Hair", "Eyeglasses", "Blond_Hair", "Nose_Ring")


def steps_of(change: list[list[float]]) -> list[list[list[float]]]:
    return [step.tolist() for step in changes_in_order(torch.tensor(change), NAMES)]


def test_details_come_first_and_what_is_contradicted_goes_with_what_is_added() -> None:
    assert steps_of([[1, -1, 1, 1, 0]]) == [
        [[0, 0, 1, 0, 0]],  # glasses
        [[0, -1, 0, 1, 0]],  # blond instead of black
        [[1, 0, 0, 0, 0]],  # male
    ]


def test_every_group_has_its_place() -> None:
    assert set(_ORDER) == set(GROUPS)


def test_what_is_only_switched_off_is_a_step_of_its_own() -> None:
    assert steps_of([[-1, -0.5, 0, 0, 1]]) == [
        [[0, 0, 0, 0, 1]],  # an attribute of no group
        [[0, -0.5, 0, 0, 0]],
        [[-1, 0, 0, 0, 0]],
    ]


def test_steps_add_up_whatever_the_faces_have() -> None:
    change = torch.tensor([[1.0, -1, 0, 1, 0], [0, 0, -1, 1, 0], [0, 0, 0, 0, 0]])
    steps = list(changes_in_order(change, NAMES))
    assert torch.equal(torch.stack(steps).sum(0), change)
    assert len(steps) == 3
    assert list(changes_in_order(torch.zeros(2, 5), NAMES)) == []


@pytest.fixture(scope="module")
def modern_model(tiny_pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> FaceModel:
    run = trained_run(tmp_path_factory.mktemp("steps") / "run", tiny_pack, modern_recipe())
    return FaceModel.load(run, device="cpu")


def test_an_edit_of_two_attributes_is_one_edit_of_the_other(
    modern_model: FaceModel, tiny_pack: Pack
) -> None:
    faces = from_pixels(torch.from_numpy(np.array(tiny_pack.images[:4])))
    encoded = modern_model.encode_faces(faces)
    has = (encoded.attributes > 0.5).float()
    targets = has.clone()
    order = [modern_model.attributes.index(name) for name in ("Eyeglasses", "Male")]
    expected: Tensor = faces
    full = torch.ones(4)
    for column in order:
        before = targets.clone()
        targets[:, column] = 1 - targets[:, column]
        made = modern_model.networks.edit_layers(expected, before, targets)
        assert made is not None
        expected = apply_layers(expected, made[0], full).clamp(-1, 1)
    for row in range(4):
        names = ("Male", "Eyeglasses")
        changes = {n: float(targets[row, modern_model.attributes.index(n)]) for n in names}
        chosen = encoded.select([row])
        edited = chosen.edit(changes)
        assert (edited - expected[row]).abs().mean() < 0.001  # in the other order 0.002
        layers = chosen.edit_layers(changes)
        assert layers is not None
        again = apply_layers(faces[row : row + 1], layers[0][0], torch.tensor([layers[0][1]]))
        torch.testing.assert_close(again.clamp(-1, 1), edited)
        assert torch.equal(chosen.edit(changes, strength=0.0), faces[row : row + 1])


def test_a_search_for_the_strength_makes_each_change_once(
    modern_model: FaceModel, tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = from_pixels(torch.from_numpy(np.array(tiny_pack.images[:3])))
    networks, changes = modern_model.networks, {"Male": 1.0, "Eyeglasses": 0.25, "Bald": 1.0}
    names = modern_model.attributes
    has = torch.tensor([float(name in ("Black_Hair", "Eyeglasses")) for name in names])
    encoded = modern_model.encode_faces(faces).with_attributes(has)
    target = with_changes(has[None], changes, names)

    def edited(strength: float) -> Tensor:
        """With layers made for this strength."""
        wanted = has + strength * (target - has)
        made = composed_layers(networks, faces, has.expand(3, -1), wanted.expand(3, -1), names)
        assert made is not None
        return apply_layers(faces, *made).clamp(-1, 1)

    expected = {strength: edited(strength) for strength in STRENGTHS}
    passes: list[int] = []
    edit_layers = networks.edit_layers

    def counting(images: Tensor, *rows: Tensor) -> Any:
        passes.append(len(images))
        return edit_layers(images, *rows)

    monkeypatch.setattr(networks, "edit_layers", counting)
    found = encoded.edit_until(changes, Limits(until=1.0))
    assert passes == [3] * 3
    assert found.reasons == ["strength"] * 3
    for row, strength in enumerate(found.strength.tolist()):
        assert torch.equal(found.images[row], expected[strength][row])
    passes.clear()
    edits = edit_faces(encoded, (0, 1, 2), EditRequest(changes, limits=Limits(until=1.0)))
    assert passes == [3] * 3
    layers = encoded.edit_layers(changes, found.strength.tolist())
    assert layers is not None
    for edit, (fields, strength) in zip(edits.by_index.values(), layers, strict=True):
        assert isinstance(edit, LayeredEdit)
        assert edit.strength == strength
        assert all(map(torch.equal, edit.layers, fields))

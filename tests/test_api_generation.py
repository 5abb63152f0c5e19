"""FaceModel.generate, refine and directions by their contracts (P1, P3)."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from looking_at_models import assert_images, column
from making_runs import ATTRIBUTES
from twobirds import FaceModel
from twobirds.api import latent_directions
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError

K = len(ATTRIBUTES)


@pytest.fixture
def faces(tiny_pack: Pack) -> torch.Tensor:
    return from_pixels(torch.from_numpy(np.array(tiny_pack.images[:5])))


def test_generate_is_a_function_of_its_seed(tiny_model: FaceModel) -> None:
    images = tiny_model.generate(4, {"Bald": 1}, seed=7)
    assert_images(images, 4)
    assert torch.equal(images, tiny_model.generate(4, {"Bald": 1}, seed=7))
    assert not torch.equal(images, tiny_model.generate(4, {"Bald": 1}, seed=8))


def test_the_same_seed_gives_the_same_codes_whatever_the_attributes(tiny_model: FaceModel) -> None:
    codes: list[torch.Tensor] = []
    tiny_model.networks.generator.register_forward_pre_hook(
        lambda _, inputs: codes.append(inputs[0])
    )
    for attributes in ({}, {"Bald": 1}, {"Male": 0, "Smiling": 1}):
        tiny_model.generate(4, attributes, seed=7)
    assert torch.equal(codes[0], codes[1])
    assert torch.equal(codes[0], codes[2])
    assert codes[0].abs().max() <= 1
    assert len(codes[0].unique()) == 4 * 8


def test_truncation_makes_z_smaller_and_faces_more_alike(tiny_model: FaceModel) -> None:
    codes: list[torch.Tensor] = []
    tiny_model.networks.generator.register_forward_pre_hook(
        lambda _, inputs: codes.append(inputs[0])
    )
    for truncation in (1.0, 0.5, 0.0):
        tiny_model.generate(4, {"Bald": 1}, seed=7, truncation=truncation)
    torch.testing.assert_close(codes[1], codes[0] / 2)
    assert not codes[2].any()
    for unfit in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="truncation must lie between 0 and 1"):
            tiny_model.generate(1, truncation=unfit)


def test_named_attributes_hold_and_open_ones_occur_in_the_data(tiny_model: FaceModel) -> None:
    wanted = {"Male": 1.0, "Smiling": 0.0, "Eyeglasses": 0.75}
    rows = tiny_model.complete_attributes(64, wanted, seed=3)
    assert rows.shape == (64, K)
    for name, value in wanted.items():
        assert (rows[:, column(name)] == value).all()
    named = [column(name) for name in wanted]
    bank = tiny_model.attribute_bank.clone().float()
    assert (
        (bank[:, named] == torch.tensor([1.0, 0.0, 1.0])).all(1).any()
    )  # or the test says nothing
    rounded = rows.clone()
    rounded[:, column("Eyeglasses")] = 1
    occurring = {tuple(row) for row in bank.tolist()}
    assert {tuple(row) for row in rounded.tolist()} <= occurring
    assert len({tuple(row) for row in rows.tolist()}) > 1


def test_what_nobody_has_is_generated_all_the_same(tiny_model: FaceModel) -> None:
    wanted = dict.fromkeys(ATTRIBUTES, 1.0)
    assert (tiny_model.complete_attributes(3, wanted) == 1).all()


def test_generated_rows_do_not_contradict_what_was_asked(tiny_model: FaceModel) -> None:
    tiny_model.attribute_bank = torch.ones(4, K, dtype=torch.uint8)
    rows = tiny_model.complete_attributes(5, {"Blond_Hair": 1})
    assert (rows[:, column("Blond_Hair")] == 1).all()
    assert (rows[:, [column("Bald"), column("Black_Hair")]] == 0).all()
    assert (rows[:, column("Bangs")] == 1).all()


def test_impossible_requests_are_named(tiny_model: FaceModel) -> None:
    wrong: Any
    for wrong in (-1, 2.5, "4", None):
        with pytest.raises(InputError, match=f"count must be a whole .* negative, not {wrong!r}"):
            tiny_model.generate(wrong)
    with pytest.raises(InputError, match="no attribute 'Smilling': did you mean Smiling"):
        tiny_model.generate(1, {"Smilling": 1})
    with pytest.raises(InputError, match="Male must be set to a value"):
        tiny_model.generate(1, {"Male": 2})


def test_refined_codes_are_closer_in_pixels(tiny_model: FaceModel, faces: torch.Tensor) -> None:
    plain = (tiny_model.reconstruct(faces) - faces).abs().mean((1, 2, 3))
    refined = (tiny_model.reconstruct(faces, refine_steps=8) - faces).abs().mean((1, 2, 3))
    assert (refined <= plain + 1e-6).all()
    assert (refined < plain).any()
    assert_images(tiny_model.edit(faces, {"Male": 1}, refine_steps=2), 5)
    with pytest.raises(InputError, match="refine_steps must be a whole number"):
        tiny_model.reconstruct(faces, refine_steps=-1)


def test_before_and_after_are_the_edit_and_the_edit_of_nothing(tiny_model: FaceModel) -> None:
    images = torch.rand(3, 3, tiny_model.size, tiny_model.size) * 2 - 1
    before, after = tiny_model.before_and_after(images, {"Bald": 1}, strength=0.7)
    assert torch.equal(before, tiny_model.edit(images, {}))
    assert torch.equal(after, tiny_model.edit(images, {"Bald": 1}, strength=0.7))
    with pytest.raises(InputError, match="strength must lie in"):
        tiny_model.before_and_after(images, {"Bald": 1}, strength=-1)


def test_latent_directions_are_those_that_change_faces_most(tiny_model: FaceModel) -> None:
    directions = latent_directions(tiny_model, 8)
    torch.testing.assert_close(directions @ directions.T, torch.eye(8), atol=1e-5, rtol=0)
    assert torch.equal(directions[:2], latent_directions(tiny_model, 2))

    def effect(direction: torch.Tensor) -> float:
        """How much other faces change along it, as seen from afar."""
        latents = torch.rand(16, 8, generator=torch.Generator().manual_seed(9)) - 0.5
        rows = tiny_model.complete_attributes(16, {}, seed=9)
        ends = [tiny_model.decode(latents + step * direction, rows) for step in (-0.1, 0.1)]
        return F.avg_pool2d(ends[1] - ends[0], 2).square().sum().item()

    assert effect(directions[0]) > 2 * effect(directions[-1])
    with pytest.raises(InputError, match="between 0 and 8, not 9"):
        latent_directions(tiny_model, 9)

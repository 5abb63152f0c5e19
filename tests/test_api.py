"""FaceModel's four tasks by their contracts (P1-P4)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from looking_at_models import assert_images, column, seen_attributes
from making_runs import ATTRIBUTES
from twobirds import FaceModel
from twobirds.api.rows import with_changes
from twobirds.data.attributes import Degree
from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError

K = len(ATTRIBUTES)


@pytest.fixture
def faces(tiny_pack: Pack) -> torch.Tensor:
    return from_pixels(torch.from_numpy(np.array(tiny_pack.images[:5])))


# What a model is


def test_a_model_shows_what_it_is(tiny_model: FaceModel) -> None:
    assert repr(tiny_model) == f"FaceModel({tiny_model.name}: paper, 32x32, {K} attributes, cpu)"


def test_a_loaded_model_describes_itself(tiny_model: FaceModel, tiny_run: Path) -> None:
    assert tiny_model.attributes == list(ATTRIBUTES)
    assert (tiny_model.size, tiny_model.num_latents) == (32, 8)
    assert tiny_model.name == tiny_run.name
    assert tiny_model.device == torch.device("cpu")
    assert len(tiny_model.weights_sha256) == 64
    assert tiny_model.config.preset == "test"
    assert not tiny_model.networks.generator.training
    assert not tiny_model.networks.discriminator.training


def test_a_saved_model_does_the_same(
    tiny_model: FaceModel, faces: torch.Tensor, tmp_path: Path
) -> None:
    tiny_model.save(tmp_path / "whole")
    tiny_model.save(tmp_path / "half", half=True)
    whole = FaceModel.load(tmp_path / "whole", device="cpu")
    assert torch.equal(whole.reconstruct(faces), tiny_model.reconstruct(faces))
    assert torch.equal(whole.generate(3, seed=1), tiny_model.generate(3, seed=1))
    half = FaceModel.load(str(tmp_path / "half"), device="cpu")
    torch.testing.assert_close(
        half.generate(3, seed=1), tiny_model.generate(3, seed=1), rtol=0, atol=0.01
    )


def test_an_unknown_model_or_device_is_named(tiny_run: Path) -> None:
    with pytest.raises(InputError, match="no model 'celebrity'"):
        FaceModel.load("celebrity")
    with pytest.raises(InputError, match="device must be auto, cpu, cuda or mps"):
        FaceModel.load(tiny_run, device="gpu")


# Recognize


def test_recognize_gives_probabilities(tiny_model: FaceModel, faces: torch.Tensor) -> None:
    probabilities = tiny_model.recognize(faces)
    assert probabilities.shape == (5, K)
    assert probabilities.dtype == torch.float32
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    logits = tiny_model.networks.discriminator(faces).attribute_logits
    torch.testing.assert_close(probabilities, torch.sigmoid(logits), rtol=0, atol=1e-6)


def test_all_kinds_of_faces_give_the_same_attributes(
    tiny_model: FaceModel, faces: torch.Tensor, tiny_pack: Pack
) -> None:
    pixels = np.array(tiny_pack.images[:5])
    expected = tiny_model.recognize(faces)
    for other in (pixels, torch.from_numpy(pixels), [Image.fromarray(p) for p in pixels]):
        torch.testing.assert_close(tiny_model.recognize(other), expected, rtol=0, atol=1e-5)
    one = tiny_model.recognize(Image.fromarray(pixels[2]))
    torch.testing.assert_close(one, expected[2:3], rtol=0, atol=1e-5)


def test_faces_of_other_sizes_are_resampled(tiny_model: FaceModel, faces: torch.Tensor) -> None:
    large = faces.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert_images(tiny_model.reconstruct(large), 5)
    small = torch.nn.functional.interpolate(large, (32, 32), mode="bicubic", antialias=True)
    torch.testing.assert_close(
        tiny_model.recognize(large), tiny_model.recognize(small.clamp(-1, 1)), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("wrong", [torch.zeros(3, 32, 32), np.zeros((1, 32, 32, 3)), ["a.png"]])
@pytest.mark.parametrize("task", ["recognize", "reconstruct", "encode", "edit"])
def test_wrong_faces_are_refused_by_every_task(
    tiny_model: FaceModel, task: str, wrong: Any
) -> None:
    arguments = ({"Bald": 1},) if task == "edit" else ()
    with pytest.raises(InputError, match="face"):
        getattr(tiny_model, task)(wrong, *arguments)


def test_numbers_of_numpy_are_numbers(tiny_model: FaceModel, faces: torch.Tensor) -> None:
    expected = tiny_model.edit(faces, {"Bald": 0.5}, strength=2)
    assert torch.equal(
        tiny_model.edit(faces, {"Bald": np.float32(0.5)}, strength=np.float64(2)), expected
    )
    assert torch.equal(tiny_model.generate(np.int64(2)), tiny_model.generate(2))


# Independence of the batch


@pytest.mark.parametrize("task", ["recognize", "reconstruct"])
def test_one_face_alone_is_the_face_in_a_batch(
    tiny_model: FaceModel, faces: torch.Tensor, task: str
) -> None:
    many = faces.repeat(27, 1, 1, 1)  # 135 faces: two full batches and a rest
    together = getattr(tiny_model, task)(many)
    for place in (0, 63, 64, 134):
        alone = getattr(tiny_model, task)(many[place : place + 1])
        torch.testing.assert_close(alone[0], together[place], rtol=0, atol=1e-5)


def test_no_faces_give_no_results(tiny_model: FaceModel) -> None:
    none = torch.zeros(0, 3, 32, 32)
    assert tiny_model.recognize(none).shape == (0, K)
    assert tiny_model.reconstruct(none).shape == (0, 3, 32, 32)
    assert tiny_model.edit([], {"Bald": 1}).shape == (0, 3, 32, 32)
    assert tiny_model.generate(0).shape == (0, 3, 32, 32)


# Encode and decode


def test_codes_lie_in_their_ranges_and_decode(tiny_model: FaceModel, faces: torch.Tensor) -> None:
    latents, attributes = tiny_model.encode(faces)
    assert latents.shape == (5, 8)
    assert latents.abs().max() <= 1
    assert torch.equal(attributes, tiny_model.recognize(faces))
    assert_images(tiny_model.decode(latents, attributes), 5)


@pytest.mark.parametrize(
    ("latents", "attributes", "message"),
    [
        (torch.zeros(2, 9), torch.zeros(2, K), r"latents must have shape \[B, 8\].* not \[2, 9\]"),
        (torch.zeros(2, 8), torch.zeros(2, 3), rf"attributes must have shape \[B, {K}\]"),
        (torch.zeros(2, 8), torch.zeros(3, K), r"the same B .* not \[3, 7\]"),
        (torch.zeros(8), torch.zeros(K), r"latents must .* not \[8\]"),
        (torch.tensor(1.0), torch.zeros(K), r"latents must .* not \[\]"),
        (np.zeros((2, 8)), torch.zeros(2, K), "latents must be a tensor, not ndarray"),
        (torch.zeros(2, 8), [[0.0] * K] * 2, "attributes must be a tensor, not list"),
        (torch.full((2, 8), 1.5), torch.zeros(2, K), r"latents must lie in \[-1, 1\].* is 1.5"),
        (torch.full((2, 8), torch.nan), torch.zeros(2, K), r"latents must lie in .* is nan"),
        (torch.zeros(2, 8), torch.full((2, K), -0.5), r"attributes must lie in \[0, 1\].* -0.5"),
        (torch.zeros(2, 8), torch.full((2, K), torch.inf), "attributes must lie in .* is inf"),
    ],
)
def test_wrong_codes_are_refused(
    tiny_model: FaceModel, latents: Any, attributes: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        tiny_model.decode(latents, attributes)


# Reconstruct and edit


def test_reconstruct_goes_through_decided_attributes(
    tiny_model: FaceModel, faces: torch.Tensor
) -> None:
    seen = seen_attributes(tiny_model)
    reconstructed = tiny_model.reconstruct(faces)
    assert_images(reconstructed, 5)
    assert torch.equal(seen[0], (tiny_model.recognize(faces) > 0.5).float())
    latents, _ = tiny_model.encode(faces)
    assert torch.equal(reconstructed, tiny_model.decode(latents, seen[0]))


def test_an_edit_of_strength_zero_is_the_reconstruction(
    tiny_model: FaceModel, faces: torch.Tensor
) -> None:
    changes = {"Bald": 1, "Smiling": 0.5}
    expected = tiny_model.reconstruct(faces)
    assert torch.equal(tiny_model.edit(faces, changes, strength=0), expected)
    assert torch.equal(tiny_model.edit(faces, {}), expected)
    assert not torch.equal(tiny_model.edit(faces, changes), expected)


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_strength_goes_that_part_of_the_way(
    tiny_model: FaceModel, faces: torch.Tensor, strength: float
) -> None:
    predicted = (tiny_model.recognize(faces) > 0.5).float()
    seen = seen_attributes(tiny_model)
    assert_images(tiny_model.edit(faces, {"Smiling": 1, "Male": 0.25}, strength=strength), 5)
    expected = predicted.clone()
    for name, value in (("Smiling", 1.0), ("Male", 0.25)):
        before = predicted[:, column(name)]
        expected[:, column(name)] = before + strength * (value - before)
    assert torch.equal(seen[0], expected)


def test_an_edit_switches_off_what_contradicts_it(
    tiny_model: FaceModel, faces: torch.Tensor
) -> None:
    with torch.no_grad():  # a recognizer that sees everything at once
        tiny_model.networks.discriminator.classifier.attributes.bias.fill_(100)
    seen = seen_attributes(tiny_model)
    tiny_model.edit(faces, {"Bald": 1})
    off = [column(name) for name in ("Bangs", "Black_Hair", "Blond_Hair")]
    expected = torch.ones(5, K)
    expected[:, off] = 0
    assert torch.equal(seen[0], expected)
    tiny_model.edit(faces, {"Bald": 1, "Bangs": 1})  # both are named: both are carried out
    assert (seen[1][:, [column("Bald"), column("Bangs")]] == 1).all()
    tiny_model.edit(faces, {"Bald": 0})  # switching off contradicts nothing
    assert seen[2].sum() == 5 * (K - 1)


def test_a_degree_takes_away_or_adds_but_not_both() -> None:
    rows = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    for target, expected in ((Degree(0.25), [0, 0.25]), (Degree(0.6), [0.6, 1]), (0.6, [0.6, 0.6])):
        changed = with_changes(rows, {"Smiling": target}, ["Bald", "Smiling"])
        torch.testing.assert_close(changed[:, 1], torch.tensor(expected, dtype=torch.float32))
        assert changed[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "strength", "message"),
    [
        ({"bald": 1}, 1.0, "no attribute 'bald': did you mean Bald"),
        ({"Zebra": 1}, 1.0, "no attribute 'Zebra'"),
        ({"Bald": 1.5}, 1.0, r"Bald must be set to a value in \[0, 1\], not 1.5"),
        ({"Bald": -1}, 1.0, "Bald must be set to a value"),
        ({"Bald": float("nan")}, 1.0, "Bald must be set to a value"),
        ({"Bald": "1"}, 1.0, r"Bald must be set to a value in \[0, 1\], not '1'"),
        ({"Bald": None}, 1.0, "Bald must be set to a value .* not None"),
        ({"Bald": [1]}, 1.0, r"Bald must be set to a value .* not \[1\]"),
        ({3: 1}, 1.0, "no attribute 3"),
        ({"Bald": 1}, "full", "strength must lie in .* not 'full'"),
        ({"Bald": 1}, None, "strength must lie in .* not None"),
        ({"Bald": 1}, -0.1, "strength must lie in \\[0, 10\\], not -0.1"),
        ({"Bald": 1}, float("inf"), "strength must lie in"),
    ],
)
def test_impossible_edits_are_named(
    tiny_model: FaceModel,
    faces: torch.Tensor,
    changes: Any,
    strength: Any,
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        tiny_model.edit(faces, changes, strength=strength)

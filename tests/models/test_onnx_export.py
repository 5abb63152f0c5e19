"""Models as ONNX files, against the networks that they were exported from."""

import json
import math
import shutil
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor

from making_runs import ATTRIBUTES, changed, modern_recipe, recipe
from twobirds.api import FaceModel
from twobirds.atomic import json_sha256
from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.models import onnx_export
from twobirds.models.onnx_export import TOLERANCE, save_onnx
from twobirds.models.onnx_networks import OnnxNetworks
from twobirds.models.start_weights import find_weights
from twobirds.models.trained import Trained
from twobirds.recipes.modern.networks import ModernNetworks
from twobirds.recipes.registry import recipe_of

CHANGES = {"Smiling": 1.0, "Bald": 0.25}


def untrained(config: RunConfig, gain: float = 2) -> FaceModel:
    """A model with random weights, large enough that its edits are seen."""
    torch.manual_seed(0)
    config = changed(config, attributes=ATTRIBUTES)
    networks = recipe_of(config).build_networks(config)
    with torch.no_grad():
        for name, tensor in (*networks.named_parameters(), *networks.named_buffers()):
            if tensor.ndim > 1 and "recognizer" not in name:  # small ones hide differences
                tensor.normal_(std=gain / math.sqrt(tensor[0].numel()))
    bank = torch.randint(0, 2, (20, len(ATTRIBUTES)), dtype=torch.uint8)
    return FaceModel(Trained(networks, config, bank, "a" * 64, pack_sha256="b" * 64))


@pytest.fixture(scope="module", params=[(recipe, 2), (modern_recipe, 1)])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FaceModel, FaceModel]:
    """A model of each recipe, and the same from its ONNX files."""
    make_recipe, gain = request.param
    model = untrained(make_recipe(), gain)
    folder = tmp_path_factory.mktemp("onnx") / "model"
    differences = save_onnx(model.trained, folder, "card")
    assert set(differences) == {"recognizer", "encoder", "generator", "editor"}
    return model, FaceModel.load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ONNX files of a model of recipe `paper`; not to be changed."""
    path = tmp_path_factory.mktemp("files") / "model"
    save_onnx(untrained(recipe()).trained, path, "card")
    return path


def faces(count: int) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def assert_alike(one: Tensor, other: Tensor) -> None:
    assert one.std() > 20 * TOLERANCE  # else any constant would do
    torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("count", [1, 5])
def test_every_task_gives_what_pytorch_gives(pair: tuple[FaceModel, FaceModel], count: int) -> None:
    model, loaded = pair
    images = faces(count)
    assert_alike(loaded.recognize(images), model.recognize(images))
    assert_alike(loaded.encode(images)[0], model.encode(images)[0])
    assert_alike(loaded.reconstruct(images), model.reconstruct(images))
    assert_alike(
        loaded.generate(count, {"Male": 1}, seed=3), model.generate(count, {"Male": 1}, seed=3)
    )
    edited = model.edit(images, CHANGES, strength=1.5)
    assert_alike(loaded.edit(images, CHANGES, strength=1.5), edited)
    assert (edited - model.edit(images, {})).abs().max() > 100 * TOLERANCE


def test_edits_come_in_the_layers_of_the_recipe(pair: tuple[FaceModel, FaceModel]) -> None:
    mine, theirs = (model.encode_faces(faces(3)).edit_layers(CHANGES, 0.5) for model in pair)
    if theirs is None:
        assert mine is None
        return
    assert mine is not None
    for (one, strength), (other, expected) in zip(mine, theirs, strict=True):
        assert strength == pytest.approx(expected, abs=1e-6)
        for layer, expected_layer in zip(one, other, strict=True):
            torch.testing.assert_close(layer, expected_layer, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("pair", [(modern_recipe, 1)], indirect=True)  # only it has layers
def test_the_editor_is_written_once(pair: tuple[FaceModel, FaceModel]) -> None:
    model, loaded = pair
    assert isinstance(model.networks, ModernNetworks)
    convolutions = [m for m in model.networks.editor.modules() if isinstance(m, torch.nn.Conv2d)]
    assert isinstance(loaded.networks, OnnxNetworks)
    graph = onnx.load(loaded.networks.model.folder / "editor.onnx").graph
    assert sum(node.op_type == "Conv" for node in graph.node) == len(convolutions)


def test_no_face_gives_no_result(pair: tuple[FaceModel, FaceModel]) -> None:
    model, loaded = pair
    assert loaded.recognize(faces(0)).shape == model.recognize(faces(0)).shape
    assert loaded.reconstruct(faces(0)).shape == (0, 3, 32, 32)
    assert loaded.edit(faces(0), {"Male": 1.0}).shape == (0, 3, 32, 32)


def test_the_model_says_what_it_was_exported_from(pair: tuple[FaceModel, FaceModel]) -> None:
    model, loaded = pair
    assert loaded.config == model.config
    assert loaded.weights_sha256 == model.weights_sha256
    assert loaded.pack_sha256 == model.pack_sha256
    assert loaded.num_latents == model.num_latents
    assert torch.equal(loaded.attribute_bank, model.attribute_bank)


def test_what_needs_gradients_or_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    model = FaceModel.load(folder)
    with pytest.raises(InputError, match="run on the CPU: leave out device mps"):
        FaceModel.load(folder, device="mps")
    for task in (model.reconstruct, lambda images, **n: model.edit(images, CHANGES, **n)):
        with pytest.raises(InputError, match="refine_steps needs gradients"):
            task(faces(1), refine_steps=2)
    with pytest.raises(InputError, match="has no weights to save"):
        model.save(tmp_path / "copy")
    with pytest.raises(InputError, match="has no weights to save or to train"):
        find_weights(folder)
    with pytest.raises(InputError, match="ONNX files already"):
        save_onnx(model.trained, tmp_path / "copy", "card")
    assert list(tmp_path.iterdir()) == []


def test_networks_that_differ_from_pytorch_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference is measured: weights that change after the export are noticed."""
    model = untrained(recipe())
    exported = onnx_export._exported

    def exported_before_a_change(*arguments: object) -> bytes:
        content = exported(*arguments)  # type: ignore[arg-type]
        with torch.no_grad():
            next(model.networks.parameters()).add_(0.1)
        return content

    monkeypatch.setattr(onnx_export, "_exported", exported_before_a_change)
    with pytest.raises(InputError, match=r"as ONNX differs from PyTorch by .*nothing was written"):
        save_onnx(model.trained, tmp_path / "model", "card")
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_refused_by_name(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    network = copy / "generator.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"x")
    model = FaceModel.load(copy)
    assert model.recognize(faces(1)).shape == (1, len(ATTRIBUTES))
    with pytest.raises(InputError, match=r"generator\.onnx: is damaged"):
        model.generate(1)
    content = json.loads((copy / "onnx.json").read_text())
    (copy / "onnx.json").write_text(json.dumps(content | {"num_latents": 9}))
    with pytest.raises(InputError, match=r"onnx\.json: is damaged"):
        FaceModel.load(copy)
    content.pop("onnx_sha256")
    newer = content | {"format": 2}
    (copy / "onnx.json").write_text(json.dumps(newer | {"onnx_sha256": json_sha256(newer)}))
    with pytest.raises(InputError, match="has format 2"):
        FaceModel.load(copy)


def test_a_folder_with_anything_else_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    copy, model = tmp_path / "model", untrained(recipe())
    shutil.copytree(folder, copy)
    save_onnx(model.trained, copy, "another card")
    assert (copy / "README.md").read_text() == "another card"
    (copy / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds more than a model: notes\.txt"):
        save_onnx(model.trained, copy, "card")
    assert (copy / "notes.txt").read_text() == "mine"

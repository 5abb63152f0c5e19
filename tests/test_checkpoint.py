"""Training states and models: nothing in them is executed, and damage gets a sentence."""

import hashlib
import json
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from making_runs import differences
from twobirds.atomic import write_json
from twobirds.checkpoint import load_model, load_run, save_model
from twobirds.config import RunConfig, to_dict
from twobirds.errors import InputError
from twobirds.recipes.paper.config import PaperConfig
from twobirds.states import load_state, save_state

CONFIG = RunConfig("test", PaperConfig())
STATE: dict[str, Any] = {
    "format": 2,
    "config": to_dict(CONFIG),
    "weights": {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([1, 2], dtype=torch.uint8)},
    "numbers": [1, 2.5, "three", None, True],
}
TENSORS = {"a": torch.arange(4.0), "b": torch.ones(2, 2, dtype=torch.float16)}


class Malicious:
    """Pickles to a call that makes a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.proof,)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Training states


def test_state_round_trip_is_exact(tmp_path: Path) -> None:
    save_state(tmp_path / "checkpoint.pt", STATE)
    assert differences(load_state(tmp_path / "checkpoint.pt"), STATE) == []
    config, state = load_run(tmp_path / "checkpoint.pt")
    assert config == CONFIG
    assert differences(state, STATE) == []


@pytest.mark.parametrize("way", ["torch", "legacy", "pickle", "zip"])
def test_pickles_are_refused_and_not_executed(tmp_path: Path, way: str) -> None:
    path, proof = tmp_path / "checkpoint.pt", tmp_path / "executed"
    content = {"format": 1, "weights": Malicious(proof)}
    if way == "torch":
        torch.save(content, path)
    elif way == "legacy":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    elif way == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("checkpoint/data.pkl", pickle.dumps(content))
            archive.writestr("checkpoint/version", "3\n")
    with pytest.raises(InputError, match=r"checkpoint\.pt: is not a usable checkpoint"):
        load_state(path)
    assert not proof.exists()
    pickle.loads(pickle.dumps(content))  # the file would have done it
    assert proof.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "is not a training checkpoint"),
        ({"format": 3}, "has format 3, not 2"),
        ({}, "has format None, not 2"),
        ({"format": 2}, "config must be an object"),
        ({"format": 1}, "config must be an object"),
        (
            {
                "format": 2,
                "config": {"preset": "p", "recipe": {"name": "paper"}, "train": {"images": "many"}},
            },
            "train.images must",
        ),
    ],
)
def test_checkpoints_of_something_else_are_named(
    tmp_path: Path, content: Any, message: str
) -> None:
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=message):
        load_run(tmp_path / "checkpoint.pt")


def test_an_absent_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"checkpoint\.pt: cannot be read: No such file"):
        load_state(tmp_path / "checkpoint.pt")


def test_truncated_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_state(path, STATE)
    whole = path.read_bytes()
    for length in random.Random(0).sample(range(len(whole)), 100):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"checkpoint\.pt: "):
            load_state(path)


def test_checkpoints_with_a_changed_byte_are_refused_or_mean_the_same(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_state(path, STATE)
    whole = path.read_bytes()
    rng, num_refused = random.Random(1), 0
    for place in rng.sample(range(len(whole)), 400):
        changed = bytearray(whole)
        changed[place] ^= rng.randrange(1, 256)
        path.write_bytes(changed)
        try:
            state = load_state(path)
        except InputError:
            num_refused += 1
        else:  # padding, or a time stamp
            assert differences(state, STATE) == [], place
    assert num_refused > 50


# Models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", TENSORS, {"format": 1, "number": 1 / 3}, "# Card\n")
    return tmp_path / "model"


def test_model_round_trip_is_exact(folder: Path) -> None:
    tensors, config = load_model(folder)
    assert differences({k: tensors[k] for k in TENSORS}, TENSORS) == []
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert config == {"format": 1, "number": 1 / 3, "weights_sha256": digest}
    assert (folder / "README.md").read_text() == "# Card\n"
    assert names_in(folder) == ["README.md", "config.json", "model.safetensors"]


def test_saving_again_replaces_the_model(folder: Path) -> None:
    digest = save_model(folder, {"c": torch.zeros(1)}, {"format": 2}, "")
    tensors, config = load_model(folder)
    assert list(tensors) == ["c"]
    assert config == {"format": 2, "weights_sha256": digest}
    assert names_in(folder.parent) == ["model"]


def test_a_folder_with_more_than_a_model_is_not_replaced(folder: Path) -> None:
    (folder / "notes.txt").touch()
    with pytest.raises(InputError, match=r"model holds more than a model: notes\.txt; choose"):
        save_model(folder, {"c": torch.zeros(1)}, {"format": 2}, "")
    assert load_model(folder)[1]["format"] == 1
    assert (folder / "notes.txt").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_truncated_and_changed_models_are_refused(folder: Path, name: str) -> None:
    path = folder / name
    whole, expected = path.read_bytes(), load_model(folder)
    rng = random.Random(2)
    changes = [whole[:length] for length in rng.sample(range(len(whole) - 1), 50)]
    for place in rng.choices(range(len(whole)), k=250):
        changed = bytearray(whole)
        changed[place] ^= rng.randrange(1, 256)
        changes.append(bytes(changed))
    num_refused = 0
    for content in changes:
        path.write_bytes(content)
        try:
            loaded = load_model(folder)
        except InputError:
            num_refused += 1
        else:  # one white space for another
            assert content.split() == whole.split()
            assert differences(loaded[1], expected[1]) == []
    assert num_refused >= 0.95 * len(changes)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    save_model(folder.parent / "other", {"a": torch.ones(1)}, {"format": 1}, "")
    shutil.copy(folder.parent / "other" / "model.safetensors", folder)
    with pytest.raises(InputError, match=r"damaged or not the file that config\.json describes"):
        load_model(folder)


def test_a_pickle_in_place_of_the_weights_is_not_executed(folder: Path) -> None:
    proof = folder.parent / "executed"
    content = pickle.dumps(Malicious(proof))
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="damaged or not the file"):
        load_model(folder)
    rewrite_config(folder, weights_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(InputError, match=r"model\.safetensors: is not a safetensors file"):
        load_model(folder)
    assert not proof.exists()


def rewrite_config(folder: Path, **changes: Any) -> None:
    """Change a model's config and its hash, as only somebody who means it would."""
    content = json.loads((folder / "config.json").read_text()) | changes
    content.pop("config_sha256")
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    write_json(folder / "config.json", content | {"config_sha256": digest})


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": 1}', "null"])
def test_configs_without_hashes_are_refused(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(InputError, match=r"config\.json: (must be a JSON object|is damaged)"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_absent_files_are_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: cannot be read: No such file"):
        load_model(folder)

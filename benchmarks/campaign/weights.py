"""Checkpoints, models, configurations, packs and ONNX files, damaged or malicious."""

import copy
import hashlib
import json
import pickle
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from campaign.damage import damaged
from campaign.observe import Action, WrongResultError
from campaign.worker import Kind
from campaign.world import RECIPES, World
from twobirds.atomic import read_json
from twobirds.data.pack import open_pack
from twobirds.models.files import load_trained
from twobirds.models.onnx_network import OnnxFeatures
from twobirds.recipes.registry import parse_run

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**30, "", "paper", "../../x", [], [1], {}, {"name": "modern"},
    float("nan"), "a" * 10_000, [[0, 0]] * 5,
)  # fmt: skip


class Malicious:
    """Pickles to a call that writes a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.proof,)


def weight_kinds(world: World) -> dict[str, Kind]:
    """The kinds of this module."""
    makers = {
        "checkpoint": damaged_checkpoint,
        "pickle": malicious_checkpoint,
        "model": damaged_model,
        "altered model": altered_model,
        "configuration": configuration,
        "altered pack": altered_pack,
        "onnx": onnx_file,
    }
    return {name: partial(make, world) for name, make in makers.items()}


def damaged_checkpoint(world: World, rng: random.Random, folder: Path) -> Action:
    """A checkpoint with some bytes changed: refused, or the same model."""
    recipe = rng.choice(RECIPES)
    whole = (world.run(recipe) / "checkpoint.pt").read_bytes()
    (folder / "checkpoint.pt").write_bytes(damaged(whole, rng))
    return lambda: _require_same_model(folder / "checkpoint.pt", world.run(recipe))


def malicious_checkpoint(world: World, rng: random.Random, folder: Path) -> Action:
    """A checkpoint that holds a call, or other content than a run's."""
    path, proof = folder / "checkpoint.pt", folder / "executed"
    state = torch.load(world.run("paper") / "checkpoint.pt", weights_only=True)
    place: Any = rng.choice((Malicious(proof), *_VALUES))
    name = rng.choice(list(state))
    if isinstance(state[name], dict) and state[name] and rng.random() < 0.5:
        state[name][rng.choice(list(state[name]))] = place
    else:
        state[name] = place
    if rng.random() < 0.2:
        path.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=rng.random() < 0.8)

    def act() -> str:
        try:
            load_trained(path)
        finally:
            if proof.exists():
                raise WrongResultError("the file was executed")
        return "done"

    return act


def damaged_model(world: World, rng: random.Random, folder: Path) -> Action:
    """A model of which one file has some bytes changed: refused, or the same model."""
    recipe = rng.choice(RECIPES)
    model = folder / "model"
    shutil.copytree(world.model(recipe), model)
    path = model / rng.choice(("model.safetensors", "config.json"))
    path.write_bytes(damaged(path.read_bytes(), rng))
    return lambda: _require_same_model(model, world.model(recipe))


def altered_model(world: World, rng: random.Random, folder: Path) -> Action:
    """A model with another configuration or other weights, and the hashes to match."""
    model = folder / "model"
    shutil.copytree(world.model(rng.choice(RECIPES)), model)
    config = json.loads((model / "config.json").read_text())
    if rng.random() < 0.5:
        weights = damaged((model / "model.safetensors").read_bytes(), rng)
        (model / "model.safetensors").write_bytes(weights)
        config["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    else:
        _alter(config, rng)
    config.pop("config_sha256", None)
    content = json.dumps(config, sort_keys=True).encode()
    config["config_sha256"] = hashlib.sha256(content).hexdigest()
    (model / "config.json").write_text(json.dumps(config))
    return lambda: _load(model)


def configuration(world: World, rng: random.Random, folder: Path) -> Action:
    """A run's config.json with other values, names and bytes."""
    content = json.loads((world.run(rng.choice(RECIPES)) / "config.json").read_text())
    for _ in range(rng.choice((1, 1, 3))):
        _alter(content, rng)
    data = json.dumps(content).encode()
    path = folder / "config.json"
    path.write_bytes(damaged(data, rng) if rng.random() < 0.4 else data)

    def act() -> str:
        parse_run(read_json(path), str(path))
        return "done"

    return act


def altered_pack(world: World, rng: random.Random, folder: Path) -> Action:
    """A pack of which one file has some bytes changed: always refused, but for white space."""
    pack = folder / "pack"
    shutil.copytree(world.pack, pack)
    path = pack / rng.choice(sorted(file.name for file in pack.iterdir()))
    whole = path.read_bytes()
    path.write_bytes(damaged(whole, rng))

    def act() -> str:
        opened, sound = open_pack(pack, verify=True), open_pack(world.pack)
        if opened.sha256 != sound.sha256 or not np.array_equal(opened.images, sound.images):
            raise WrongResultError("an altered pack was taken")
        return "done"

    return act


def onnx_file(world: World, rng: random.Random, folder: Path) -> Action:
    """A small network as ONNX, damaged, or with operators and shapes at random."""
    weight = np.zeros(rng.choice(((4, 3, 3, 3), (4, 1, 3, 3), (0, 3, 3, 3), (4,))), np.float32)
    attributes = {rng.choice(("pads", "strides", "dilations", "group", "x")): _odd_integers(rng)}
    operator = rng.choice(("Conv", "MaxPool", "AveragePool", "Relu", "Pad", "Loop", "Clip", "Add"))
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node(operator, rng.choice((["b"], ["b", "w"], ["b", "c"], [])), ["c"]),
    ]
    if rng.random() < 0.7:
        nodes[rng.randrange(3)].attribute.extend(
            helper.make_attribute(name, value) for name, value in attributes.items()
        )
    value = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("N", 3, "H", "W"))
    end = helper.make_tensor_value_info("c", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [value], [end], [numpy_helper.from_array(weight, "w")])
    content = helper.make_model(graph).SerializeToString()
    path = folder / "net.onnx"
    path.write_bytes(damaged(content, rng) if rng.random() < 0.6 else content)

    def act() -> str:
        OnnxFeatures(path, size=32)
        return "done"

    return act


def _odd_integers(rng: random.Random) -> Any:
    return rng.choice((0, -1, 2**31, [0], [0, 0], [-1] * 4, [1, 1], [2**40] * 2, [3, 1, 2, 5]))


def _alter(content: Any, rng: random.Random) -> None:
    """Put another value in one place of nested JSON."""
    while isinstance(content, dict) and content:
        name = rng.choice(list(content))
        if not isinstance(content[name], dict) or not content[name] or rng.random() < 0.2:
            if rng.random() < 0.2:
                content[name + "x"] = content.pop(name)
            else:
                content[name] = copy.deepcopy(rng.choice(_VALUES))  # it may be altered next
            return
        content = content[name]


def _load(path: Path) -> str:
    load_trained(path)
    return "done"


def _require_same_model(path: Path, sound: Path) -> str:
    """Load both, of which the first may differ in no weight."""
    loaded = load_trained(path)
    if loaded.weights_sha256 != load_trained(sound).weights_sha256:
        raise WrongResultError("damaged weights were taken")
    return "done"

"""A pack of drawn faces in memory, a model that knows all answers, and a tiny embedder."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_networks import write_pooling_network
from torch import Tensor

from twobirds.config import RunConfig
from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import (
    DRAWN_ATTRIBUTES,
    LANDMARKS,
    counterfactuals,
    face_name,
    sample_faces,
)
from twobirds.data.drawn import render as render_faces
from twobirds.data.faces import to_pixels
from twobirds.data.pack import Pack
from twobirds.evaluation.faces import to_tensor
from twobirds.evaluation.judge import JudgeMetadata, save_judge
from twobirds.evaluation.judge_training import JUDGE_SEED, train_judge
from twobirds.recipes.paper.config import PaperConfig

SIZE, SEED, NUM_FACES = 32, 11, 360
NAMES = (
    "Bald", "Bangs", "Black_Hair", "Blond_Hair", "Eyeglasses", "Goatee", "Male", "No_Beard",
    "Pale_Skin", "Rosy_Cheeks", "Smiling", "Wearing_Hat",
)  # fmt: skip
"""The pack has labels for these; its faces have all that can be drawn."""
COLUMNS = [DRAWN_ATTRIBUTES.index(name) for name in NAMES]


class OracleFaces:
    """Faces that the oracle has recognized."""

    def __init__(self, model: "Oracle", faces: Tensor) -> None:
        self.model, self.faces = model, faces
        self.attributes = model.recognize(faces)

    def select(self, indices: Sequence[int]) -> "OracleFaces":
        return OracleFaces(self.model, self.faces[list(indices)])

    def reconstruct(self, *, device: torch.device) -> Tensor:
        return self.model.reconstruct(self.faces).to(device)

    def edit(self, changes: Mapping[str, float], *, device: torch.device) -> Tensor:
        return self.model.edit(self.faces, changes).to(device)


class Oracle:
    """A model that knows every face of a drawn pack: it knows labels and renders the true edits.

    From noise it renders faces too: of people whose number the first latents tell.
    """

    name = "oracle"
    size = SIZE
    num_latents = 4
    config = RunConfig("oracle", PaperConfig())
    weights_sha256 = "0" * 64
    pack_sha256 = "a" * 64
    device = torch.device("cpu")

    def __init__(self, pack: Pack) -> None:
        self.attributes = list(pack.attribute_names)
        self.pack = pack
        self.rows = {_key(image): row for row, image in enumerate(pack.images)}

    def find(self, faces: Tensor) -> np.ndarray:
        return np.array([self.rows[_key(image)] for image in to_pixels(faces)])

    def recognize(self, faces: Tensor) -> Tensor:
        return torch.from_numpy(self.pack.attributes[self.find(faces)]).float()

    def encode_faces(self, faces: Tensor) -> OracleFaces:
        return OracleFaces(self, faces)

    def reconstruct(self, faces: Tensor) -> Tensor:
        return faces

    def edit(self, faces: Tensor, changes: Mapping[str, float]) -> Tensor:
        if not changes:
            return faces
        rows = self.find(faces)
        attributes = np.array(sample_faces(SEED, rows).attributes)
        for name, value in changes.items():
            attributes[:, DRAWN_ATTRIBUTES.index(name)] = round(value)
        attributes = resolve_conflicts(attributes, DRAWN_ATTRIBUTES, changes)
        return to_tensor(counterfactuals(SEED, rows, attributes, SIZE))

    def decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        people = (latents[:, 0].abs() * 1e6).long().numpy()
        drawn = np.array(sample_faces(SEED + 1, people).attributes)
        drawn[:, COLUMNS] = attributes.numpy()
        return to_tensor(counterfactuals(SEED + 1, people, drawn, SIZE))


class Idler(Oracle):
    """A model that never changes a face."""

    name = "idler"

    def edit(self, faces: Tensor, changes: Mapping[str, float]) -> Tensor:
        return faces


def _key(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


@pytest.fixture(scope="session")
def drawn_pack() -> Pack:
    faces = sample_faces(SEED, range(NUM_FACES))
    split = np.zeros(NUM_FACES, np.uint8)
    split[264:312], split[312:] = 1, 2  # whole people: eight photos each
    return Pack(
        path=Path("drawn"),
        images=render_faces(faces, SIZE),
        attributes=np.asarray(faces.attributes)[:, COLUMNS],
        split=split,
        identity=np.asarray(faces.identity),
        names=tuple(face_name(i) for i in range(NUM_FACES)),
        attribute_names=NAMES,
        size=SIZE,
        landmarks=LANDMARKS,
        drawn={"format": 1, "seed": SEED, "count": NUM_FACES, "size": SIZE, "independent": False},
        sha256="a" * 64,
    )


@pytest.fixture(scope="session")
def oracle(drawn_pack: Pack) -> Oracle:
    return Oracle(drawn_pack)


@pytest.fixture(scope="session")
def idler(drawn_pack: Pack) -> Idler:
    return Idler(drawn_pack)


@pytest.fixture(scope="session")
def judge_path(drawn_pack: Pack, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judge that saw 896 images: poor, but above chance."""
    path = tmp_path_factory.mktemp("judge") / "judge.safetensors"
    network = train_judge(drawn_pack, oracle, seed=JUDGE_SEED, images=896)
    names = tuple(oracle.attributes)
    save_judge(network, JudgeMetadata(drawn_pack.sha256, SIZE, names, JUDGE_SEED, 896), path)
    return path


@pytest.fixture(scope="session")
def colour_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX network whose embedding is the mean of each input channel, in order."""
    return write_pooling_network(tmp_path_factory.mktemp("onnx") / "mean_colour.onnx")

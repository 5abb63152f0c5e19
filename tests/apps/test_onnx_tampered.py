"""Folders of ONNX files that somebody changed, hashes and all: one sentence, exit code 2."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.atomic import json_sha256
from twobirds.errors import InputError
from twobirds.models.edit_layers import EditLayers
from twobirds.models.onnx_model import LAYER_OUTPUTS

Tamper = Callable[[dict[str, Any]], object]
NUM_ATTRIBUTES = 39  # of drawn64


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx") / "files"
    assert main(["export", "drawn64", str(folder), "--onnx"]) == 0
    return folder


@pytest.fixture
def model(sound: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return Path(shutil.copytree(sound, tmp_path / "model"))


def rewrite(model: Path, tamper: Tamper) -> None:
    """Change `onnx.json` and its hash."""
    content = json.loads((model / "onnx.json").read_text())
    del content["onnx_sha256"]
    tamper(content)
    content["onnx_sha256"] = json_sha256(content)
    (model / "onnx.json").write_text(json.dumps(content))


def replace(model: Path, name: str, data: bytes) -> None:
    """Put other content into a file, and its hash into `onnx.json`."""
    (model / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    rewrite(model, lambda content: content["files"].update({name: digest}))


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a command is refused with."""
    capsys.readouterr()
    assert main(list(words)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def array(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def network(
    values: np.ndarray, name: str = "attribute_logits", takes: str = "images"
) -> onnx.ModelProto:
    """A sound network that answers any input with a constant."""
    taken = helper.make_tensor_value_info(takes, TensorProto.FLOAT, None)
    given = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    node = helper.make_node("Identity", ["w"], [name])
    weights = [numpy_helper.from_array(values, "w")]
    graph = helper.make_graph([node], "network", [taken], [given], weights)
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9)


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (lambda c: c.pop("files"), "lacks files"),
        (lambda c: c.pop("weights_sha256"), "lacks weights_sha256"),
        (lambda c: c.pop("run"), "lacks run"),
        (lambda c: c.update(more=1), "unknown fields: more"),
        (lambda c: c.update(num_latents="many"), "num_latents must be of type int, not 'many'"),
        (lambda c: c.update(num_latents=-1), "num_latents must lie between 1 and 65,536"),
        (lambda c: c.update(num_latents=10**12), "num_latents must lie between 1 and 65,536"),
        (lambda c: c.update(has_layers=1), "has_layers must be of type bool"),
        (lambda c: c.update(format=True), "format must be of type int"),
        (lambda c: c.update(weights_sha256="x"), "weights_sha256 must be 64 hexadecimal digits"),
        (lambda c: c.update(pack_sha256=3), "pack_sha256 must be of type str"),
        (lambda c: c.update(run=[]), "run must be an object"),
        (lambda c: c["run"]["data"].update(size=7), "size must be 32, 64 or 128"),
        (lambda c: c["run"]["data"].update(attributes=[]), "names no attribute"),
        (lambda c: c["run"]["data"].update(landmarks=[[0, 1]]), "landmarks must be five"),
        (lambda c: c.update(files=[]), "files must name attribute_bank.npy, editor.onnx"),
        (lambda c: c["files"].pop("editor.onnx"), "files must name attribute_bank.npy"),
        (lambda c: c["files"].update({"editor.onnx": None}), "files.editor.onnx must be 64"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_refused(
    tamper: Tamper, sentence: str, model: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(model, tamper)
    for words in (
        ["check", str(model)],
        ["recognize", "--aligned", str(image), f"--model={model}"],
    ):
        line = refusal(capsys, *words)
        assert f"{model}/onnx.json" in line
        assert sentence in line


def test_other_files_are_never_opened(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model.parent / "secret").write_bytes(b"secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    rewrite(model, lambda content: content["files"].update({"../secret": digest}))
    assert "and nothing else" in refusal(capsys, "check", str(model))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"junk", "is not a NumPy array"),
        (b"\x93NUMPY\x01\x00\x06\x00{'a':\n", "is not a NumPy array"),
        (array(np.zeros((4, NUM_ATTRIBUTES + 1), np.uint8)), "must be uint8 rows of 39 attributes"),
        (array(np.zeros(NUM_ATTRIBUTES, np.uint8)), "must be uint8 rows of 39 attributes"),
        (array(np.zeros((0, NUM_ATTRIBUTES), np.uint8)), "must be uint8 rows of 39 attributes"),
        (array(np.zeros((4, NUM_ATTRIBUTES), np.float32)), "must be uint8 rows of 39 attributes"),
        (array(np.full((4, NUM_ATTRIBUTES), 2, np.uint8)), "must hold 4 x 39 values 0 or 1"),
        (array(np.zeros((4, NUM_ATTRIBUTES), np.uint8))[:-1], "must hold 4 x 39 values 0 or 1"),
        (
            array(np.zeros((4, NUM_ATTRIBUTES), np.uint8)).replace(b"(4, ", b"(4000000000000, "),
            "must hold 4000000000000 x 39 values",
        ),
    ],
)  # fmt: skip
def test_wrong_attribute_rows_are_refused(
    data: bytes, sentence: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(model, "attribute_bank.npy", data)
    generate = ["generate", f"--model={model}", f"--out={tmp_path / 'faces.png'}"]
    for words in (["check", str(model)], generate):
        line = refusal(capsys, *words)
        assert f"{model}/attribute_bank.npy: {sentence}" in line
    assert not (tmp_path / "faces.png").exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"junk", "is not a usable ONNX network"),
        (b"\x00\x00\x00\x00ORTM" + bytes(64), "is not a usable ONNX network"),
        (network(np.zeros(1, np.float32), "other").SerializeToString(), "has no output"),
    ],
)
def test_what_is_no_such_network_is_refused(
    data: bytes, sentence: str, model: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(model, "recognizer.onnx", data)
    for words in (
        ["check", str(model)],
        ["recognize", "--aligned", str(image), f"--model={model}"],
    ):
        assert f"{model}/recognizer.onnx: {sentence}" in refusal(capsys, *words)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (network(np.zeros((1, NUM_ATTRIBUTES + 1), np.float32)), "has shape [1, 40], not [1, 39]"),
        (network(np.zeros((2, NUM_ATTRIBUTES), np.float32)), "has shape [2, 39], not [1, 39]"),
        (network(np.full((1, NUM_ATTRIBUTES), np.nan, np.float32)), "is not finite"),
        (
            network(np.zeros((1, NUM_ATTRIBUTES), np.float32), takes="photos"),
            "takes ['photos']",
        ),
    ],
)
def test_wrong_outputs_are_refused(
    made: onnx.ModelProto,
    sentence: str,
    model: Path,
    image: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace(model, "recognizer.onnx", made.SerializeToString())
    line = refusal(capsys, "recognize", "--aligned", str(image), f"--model={model}")
    assert f"{model}/recognizer.onnx: " in line
    assert sentence in line


def test_a_network_that_fails_on_its_input_is_refused(model: Path) -> None:
    """Of a size that the networks do not have."""
    rewrite(model, lambda content: content["run"]["data"].update(size=32))
    with pytest.raises(InputError, match=r"(recognizer|encoder)\.onnx: cannot be run"):
        FaceModel.load(model).recognize(np.zeros((1, 32, 32, 3), np.uint8))


def test_weights_in_other_files_are_not_loaded(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "secret").write_bytes(bytes(40))
    made = network(np.zeros((1, NUM_ATTRIBUTES), np.float32))
    onnx.external_data_helper.set_external_data(made.graph.initializer[0], "secret")
    made.graph.initializer[0].ClearField("raw_data")
    replace(model, "recognizer.onnx", made.SerializeToString())
    monkeypatch.chdir(model)  # where onnxruntime would look
    assert "seems to keep weights in other files" in refusal(capsys, "check", str(model))


def test_the_sound_folder_passes(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(sound)]) == 0
    assert "ONNX files, as exported" in capsys.readouterr().out


def test_layers_have_the_names_of_the_editors_outputs() -> None:
    assert (*EditLayers._fields, "strength") == LAYER_OUTPUTS

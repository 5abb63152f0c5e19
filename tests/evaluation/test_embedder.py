import json
from pathlib import Path

import numpy as np
import pytest
from evaluation_networks import (
    write_dividing_network,
    write_failing_network,
    write_network_with_two_inputs,
    write_pooling_network,
)
from onnx import TensorProto

from twobirds.errors import InputError
from twobirds.evaluation.embedder import Embedder, Preprocessing

RED, ORANGE = (255, 0, 0), (230, 140, 20)


def solid(*colours: tuple[int, int, int], side: int = 20) -> np.ndarray:
    return np.stack([np.full((side, side, 3), colour, np.uint8) for colour in colours])


def test_input_is_read_from_the_file(tmp_path: Path) -> None:
    path = write_pooling_network(tmp_path / "a.onnx", ("N", 3, 40, 30), name="some_name")
    embedder = Embedder(path)
    assert (embedder.height, embedder.width) == (40, 30)
    assert embedder.embed(solid(RED), None).shape == (1, 3)


def test_colours_arrive_in_the_order_red_green_blue(colour_embedder: Path) -> None:
    embedding = Embedder(colour_embedder).embed(solid(ORANGE), None)[0]
    expected = (np.array(ORANGE) - 127.5) / 128
    assert embedding == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_colours_can_be_turned_round_and_scaled(colour_embedder: Path) -> None:
    raw_bgr = Preprocessing(mean=0.0, scale=1.0, channels="BGR")
    embedding = Embedder(colour_embedder, raw_bgr).embed(solid(ORANGE), None)[0]
    expected = np.array(ORANGE[::-1])
    assert embedding == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_preprocessing_is_read_from_beside_the_file(tmp_path: Path) -> None:
    path = write_pooling_network(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text(json.dumps({"mean": 0.0, "channels": "BGR"}))
    assert Embedder(path).preprocessing == Preprocessing(0.0, 128.0, "BGR")
    path.with_suffix(".json").write_text(json.dumps({"channels": "GRB"}))
    with pytest.raises(InputError, match="channels must be one of"):
        Embedder(path)


@pytest.mark.parametrize("shape", [("N", 24, 24, 3), (1, 3, 24, 24), (4, 3, 24, 24)])
def test_other_layouts_and_fixed_batches_give_the_same(
    tmp_path: Path, colour_embedder: Path, shape: tuple[int | str, ...]
) -> None:
    colours = solid(RED, ORANGE, (0, 90, 200), (10, 10, 10), (200, 250, 0))
    embeddings = Embedder(write_pooling_network(tmp_path / "net.onnx", shape)).embed(colours, None)
    assert embeddings == pytest.approx(Embedder(colour_embedder).embed(colours, None), abs=1e-5)


def test_no_faces_give_no_embeddings(colour_embedder: Path) -> None:
    with pytest.raises(ValueError, match="no faces"):
        Embedder(colour_embedder).embed(solid(RED)[:0], None)


def test_unfit_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.onnx: cannot be read"):
        Embedder(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(InputError, match=r"text\.onnx: is not a usable ONNX network"):
        Embedder(tmp_path / "text.onnx")
    grey = write_pooling_network(tmp_path / "grey.onnx", ("N", 1, 24, 24))
    with pytest.raises(InputError, match=r"grey\.onnx: takes .* not images"):
        Embedder(grey)
    half = write_pooling_network(tmp_path / "half.onnx", kind=TensorProto.FLOAT16)
    with pytest.raises(InputError, match=r"half\.onnx: takes tensor\(float16\), not tensor\(float"):
        Embedder(half)
    with pytest.raises(InputError, match=r"two\.onnx: takes 2 inputs, not images alone"):
        Embedder(write_network_with_two_inputs(tmp_path / "two.onnx"))


def test_networks_that_fail_are_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"fails\.onnx: cannot embed faces: .") as failure:
        Embedder(write_failing_network(tmp_path / "fails.onnx"))
    assert "\n" not in str(failure.value)
    with pytest.raises(InputError, match=r"nan\.onnx: its embeddings are not finite"):
        Embedder(write_dividing_network(tmp_path / "nan.onnx"), Preprocessing(mean=0.0))
    assert capfd.readouterr() == ("", "")

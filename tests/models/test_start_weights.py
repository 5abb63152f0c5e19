"""A model that is stored with its discriminators, and runs that start from it."""

import shutil
from pathlib import Path

import pytest
import torch

from making_runs import differences, modern_recipe, run_state, trained_run
from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.checkpoint import CARD_FILE, CONFIG_FILE, DISCRIMINATORS_FILE
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.edit_blends import Blend
from twobirds.models.files import load_trained
from twobirds.models.start_weights import (
    find_discriminators,
    find_weights,
    saved_discriminators,
)
from twobirds.models.trained import Trained

DISCRIMINATORS = {"edit_discriminator", "face_discriminator"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Pack) -> Path:
    return trained_run(tmp_path_factory.mktemp("runs") / "modern", tiny_pack, modern_recipe())


def test_a_run_that_starts_from_an_export_has_its_discriminators(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert main(["export", str(run), str(model), "--half", "--with-discriminators"]) == 0
    assert (model / DISCRIMINATORS_FILE).stat().st_size > 0
    _, weights = find_weights(model)
    own = run_state(run)["networks"]
    for name in DISCRIMINATORS:
        assert weights[name].keys() == own[name].keys()
        for key, value in weights[name].items():
            assert value.dtype == torch.float32
            assert torch.allclose(value, own[name][key].float(), rtol=1e-3, atol=1e-6), key
    assert FaceModel.load(model, device="cpu").attributes == FaceModel.load(run).attributes


def test_an_export_has_none_unless_asked(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert main(["export", str(run), str(model), "--with-discriminators"]) == 0
    assert main(["export", str(run), str(model)]) == 0  # replaces the model whole
    assert not (model / DISCRIMINATORS_FILE).exists()
    assert DISCRIMINATORS.isdisjoint(find_weights(model)[1])


@pytest.mark.parametrize("damage", ["changed", "absent"])
def test_damaged_discriminators_are_refused(
    run: Path, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    main(["export", str(run), str(model), "--with-discriminators"])
    assert main(["check", str(model)]) == 0
    assert "discriminators, as saved" in capsys.readouterr().out
    file = model / DISCRIMINATORS_FILE
    if damage == "changed":
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()
    with pytest.raises(InputError, match=rf"{DISCRIMINATORS_FILE}: (is damaged|cannot be read)"):
        find_weights(model)
    assert main(["check", str(model)]) == 2
    assert DISCRIMINATORS_FILE in capsys.readouterr().err
    assert (model / CONFIG_FILE).exists()
    FaceModel.load(model, device="cpu")  # inference does not look at them


def test_what_has_no_discriminators_says_so(
    run: Path, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="recipe paper has no discriminators beside the model's"):
        find_discriminators(tiny_run, load_trained(tiny_run))
    model = tmp_path / "model"
    main(["export", str(run), str(model)])
    command = ["export", str(model), str(tmp_path / "other"), "--with-discriminators"]
    assert main(command) == 2
    assert "only a run has discriminators" in capsys.readouterr().err
    command = ["export", str(run), str(tmp_path / "other"), "--onnx", "--with-discriminators"]
    assert main(command) == 2
    assert not (tmp_path / "other").exists()


@pytest.mark.filterwarnings("always:the model's card is not kept")
def test_a_copy_keeps_the_discriminators_whatever_became_of_the_card(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, copy = tmp_path / "model", tmp_path / "copy"
    assert main(["export", str(run), str(model), "--with-discriminators"]) == 0
    (model / CARD_FILE).unlink()
    assert main(["export", str(model), str(copy)]) == 0
    assert "the model's card is not kept" in capsys.readouterr().err
    files = [(folder / DISCRIMINATORS_FILE).read_bytes() for folder in (model, copy)]
    assert files[0] == files[1]


def test_a_run_named_as_a_shipped_model_has_its_own_discriminators(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert saved_discriminators("celeba128")
    shutil.copytree(run, tmp_path / "celeba128")
    monkeypatch.chdir(tmp_path)
    assert saved_discriminators("celeba128") == {}
    weights, own = find_weights("celeba128")[1], run_state(run)["networks"]
    for name in DISCRIMINATORS:
        assert differences(weights[name], dict(own[name])) == []


def test_files_of_tuned_edits_do_not_pass_for_those_of_the_run(
    run: Path, tiny_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [FaceModel.load(run, device="cpu").weights_sha256]

    def tune(model: FaceModel, *_: object, **__: object) -> dict[tuple[str, int], Blend]:
        amounts = model.networks.edit_amounts()
        assert amounts is not None
        amounts.editor[1, 0], amounts.prototypes[1, 0] = 0.5, 0.4
        return {(model.attributes[0], 1): Blend(0.5, 0.4)}

    def save(trained: Trained, *_: object) -> dict[str, float]:
        hashes.append(trained.weights_sha256)
        return {}

    monkeypatch.setattr("twobirds.evaluation.edit_amounts.tune_edits", tune)
    monkeypatch.setattr("twobirds.models.onnx_export.save_onnx", save)
    words = ["export", str(run), str(tmp_path / "out"), f"--tune-edits={tiny_pack.path}"]
    assert main([*words, "--onnx"]) == 0
    assert main(words) == 0
    whole, tuned = hashes
    assert tuned == FaceModel.load(tmp_path / "out", device="cpu").weights_sha256 != whole

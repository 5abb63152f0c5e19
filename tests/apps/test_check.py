"""`twobirds check`, and what training does with a pack that was altered."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_run import TINY_RUN

from twobirds.apps.cli import main
from twobirds.checkpoint import CHECKPOINT_FILE, WEIGHTS_FILE


def alter(path: Path) -> None:
    """Change a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_sound_packs_models_and_runs_are_said_to_be_so(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(world / "run"), str(tmp_path / "model")]) == 0
    capsys.readouterr()
    assert main(["check", str(world / "pack"), str(world / "run"), str(tmp_path / "model")]) == 0
    pack, run, model = capsys.readouterr().out.splitlines()
    assert pack.startswith(f"{world}/pack: a pack of 96 faces, as packed (sha256 ")
    assert run.startswith(f"{world}/run: a run's checkpoint, as saved (weights sha256 ")
    assert model.startswith(f"{tmp_path}/model: a model, as saved (weights sha256 ")


@pytest.mark.parametrize("name", ["images.npy", "attributes.npy", "split.npy", "identity.npy"])
def test_an_altered_pack_is_found_by_check_and_before_training(
    name: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(world / "pack", pack)
    array = np.load(pack / name)
    array.reshape(-1)[-1] ^= 1  # still a sound array
    np.save(pack / name, array)
    for words in (
        ["check", str(pack)],
        ["train", "paper", f"--data={pack}", f"--out={tmp_path}/run", *TINY_RUN],
    ):
        assert main(words) == 2
        message = f"{pack / name} is damaged: it does not match its hash"
        assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_altered_model_or_checkpoint_is_named(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(world / "run"), str(tmp_path / "model")]) == 0
    (tmp_path / "run").mkdir()
    shutil.copy(world / "run" / CHECKPOINT_FILE, tmp_path / "run")
    for path in (tmp_path / "model" / WEIGHTS_FILE, tmp_path / "run" / CHECKPOINT_FILE):
        alter(path)
        assert main(["check", str(path.parent)]) == 2
        assert str(path) in capsys.readouterr().err


def test_what_is_nothing_of_these_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "neither a run or model folder" in capsys.readouterr().err
    assert main(["check"]) == 2
    assert "nothing to check was named" in capsys.readouterr().err

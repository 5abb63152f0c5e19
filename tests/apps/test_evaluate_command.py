"""evaluate, from words to files."""

import json
from pathlib import Path

import pytest
from PIL import Image

from twobirds import FaceModel
from twobirds.apps.cli import main
from twobirds.data.pack import open_pack
from twobirds.errors import InputError


def test_evaluate_writes_figures_and_a_page(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from twobirds.evaluation.judge_training import train_or_load_judge

    model = FaceModel.load(world / "run", device="cpu")
    judge = tmp_path / "judge.safetensors"
    train_or_load_judge(open_pack(world / "pack"), judge, model, images=16)
    words = f"evaluate {world}/run --data={world}/pack --judge={judge} --num-fakes=8 --max-faces=8"
    out = tmp_path / "new" / "figures.json"
    grid = tmp_path / "grid.png"
    assert main([*words.split(), f"--out={out}", f"--grid={grid}", "--device=cpu"]) == 0
    with Image.open(grid) as sheet:
        assert sheet.height > 8 * 160
    report = json.loads(out.read_text())
    assert report["model"]["weights_sha256"] == model.weights_sha256
    assert report["data"]["count"] == 8
    assert "data:image/png" in out.with_suffix(".html").read_text()
    captured = capsys.readouterr()
    assert f"{report['recognition']['hamming_loss']:.4g}" in captured.out
    assert "identity_calibration is absent: no face embedder was named" in captured.out

    assert main([*words.split(), f"--out={out}", "--json", "--no-figures"]) == 0
    assert json.loads(capsys.readouterr().out) == report
    assert "data:image/png" not in out.with_suffix(".html").read_text()


def test_evaluate_says_that_a_judge_is_trained_first(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", f"{world}/run", f"--data={world}/pack", f"--out={tmp_path}/report.json"]
    words += [f"--judge={tmp_path}/judge", "--judge-images=1234", "--device=cpu"]

    def stop(*_: object, **__: object) -> None:
        raise InputError("stopped")

    monkeypatch.setattr("twobirds.evaluation.evaluate.evaluate", stop)
    assert main(words) == 2
    line = f"{tmp_path}/judge: no judge of edits is there: one is trained on 1,234 images first"
    assert line in capsys.readouterr().err
    (tmp_path / "judge").touch()
    assert main(words) == 2
    assert "no judge of edits" not in capsys.readouterr().err

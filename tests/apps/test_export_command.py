"""export, from words to files."""

import json
from pathlib import Path

import pytest
import torch

from twobirds import FaceModel
from twobirds.apps.cli import main


def test_export_makes_a_model_of_a_run(world: Path, tmp_path: Path) -> None:
    run = FaceModel.load(world / "run")
    words = ["export", str(world / "run"), str(tmp_path / "tiny")]
    write_report(tmp_path / "report.json", run)
    assert main([*words, f"--report={tmp_path}/report.json"]) == 0
    assert "| Hamming loss | 0.125 |" in (tmp_path / "tiny/README.md").read_text()
    assert FaceModel.load(tmp_path / "tiny").weights_sha256 == run.weights_sha256
    assert main([*words, "--half"]) == 0  # a model may be replaced
    image = torch.zeros(1, 3, 32, 32)
    exported = FaceModel.load(tmp_path / "tiny")
    torch.testing.assert_close(exported.recognize(image), run.recognize(image), atol=1e-2, rtol=0)


def test_export_writes_onnx_files(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(world / "run"), str(tmp_path / "files"), "--onnx"]
    assert main(words) == 0
    assert "editor: differs from PyTorch by at most" in capsys.readouterr().out
    assert main(words) == 0  # a model in ONNX files may be replaced
    run, exported = FaceModel.load(world / "run"), FaceModel.load(tmp_path / "files")
    image = torch.zeros(1, 3, 32, 32)
    torch.testing.assert_close(exported.recognize(image), run.recognize(image), atol=1e-4, rtol=0)
    capsys.readouterr()
    assert main(["check", str(tmp_path / "files")]) == 0
    assert f"ONNX files, as exported (weights sha256 {run.weights_sha256[:12]})" in (
        capsys.readouterr().out
    )
    generator = tmp_path / "files/generator.onnx"
    generator.write_bytes(generator.read_bytes()[:-1])
    assert main(["check", str(tmp_path / "files")]) == 2
    assert "generator.onnx: is damaged" in capsys.readouterr().err
    assert main([*words, "--half"]) == 2
    assert "--onnx writes float32" in capsys.readouterr().err


def write_report(path: Path, model: FaceModel) -> None:
    report = {
        "model": {"weights_sha256": model.weights_sha256},
        "data": {"count": 9, "split": "test"},
        "recognition": {"hamming_loss": 0.125},
    }
    path.write_text(json.dumps(report))


def test_a_half_model_gets_the_figures_of_its_own_weights(world: Path, tmp_path: Path) -> None:
    half, out, report = (str(tmp_path / name) for name in ("half", "out", "report.json"))
    assert main(["export", str(world / "run"), half, "--half"]) == 0
    write_report(Path(report), FaceModel.load(half))
    assert main(["export", half, out, "--half", f"--report={report}"]) == 0
    assert "| Hamming loss | 0.125 |" in (tmp_path / "out/README.md").read_text()
    assert FaceModel.load(out).weights_sha256 == FaceModel.load(half).weights_sha256
    assert "rounded" not in (tmp_path / "out/README.md").read_text()


def test_a_half_model_gets_the_figures_of_the_weights_before_they_were_rounded(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, run = tmp_path / "report.json", FaceModel.load(world / "run")
    write_report(report, run)
    words = [f"{tmp_path}/out", "--half", f"--report={report}"]
    assert main(["export", str(world / "run"), *words]) == 0
    card = (tmp_path / "out/README.md").read_text()
    assert "on 9 faces of the test split, before the weights were rounded to float16." in card
    assert "| Hamming loss | 0.125 |" in card
    other = json.loads(report.read_text())
    other["model"]["weights_sha256"] = FaceModel.load("drawn64").weights_sha256
    report.write_text(json.dumps(other))
    assert main(["export", str(world / "run"), *words]) == 2
    assert "was measured on other weights" in capsys.readouterr().err


def test_edits_are_tuned_where_a_model_has_amounts(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(world / "run"), str(tmp_path / "out"), f"--tune-edits={world}/pack"]
    assert main(words) == 2
    assert "edits of recipe paper have no amounts" in capsys.readouterr().err
    assert main([*words, f"--report={tmp_path}/report.json"]) == 2
    assert "another model than the one that --report measured" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [[], ["--onnx"]])
def test_a_place_that_cannot_be_replaced_is_refused_before_the_work(
    world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    form: list[str],
) -> None:
    monkeypatch.setattr("twobirds.apps.export_command.load_model", lambda *_: pytest.fail("loaded"))
    (tmp_path / "letter.txt").write_text("dear")
    words = ["export", str(world / "run"), str(tmp_path), f"--tune-edits={world}/pack", *form]
    assert main(words) == 2
    assert "exists and holds no model: choose another folder" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text() == "dear"
